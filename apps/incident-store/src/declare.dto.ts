import { severities, type Severity } from '@tocsin/contracts';
import { AsGiven } from '@tocsin/nest-shell';
import { ArrayMaxSize, IsArray, IsIn, IsObject, IsString, MaxLength, MinLength } from 'class-validator';
import { Clean, CleanTexts, Given, GivenOrNull } from './fields.ts';

/** An incident that a person opens by hand. */
export class DeclareIncidentBody {
  @IsString() @MinLength(1) @MaxLength(10_000) @Clean() title!: string;
  @Given() @IsString() @MaxLength(10_000) @Clean() description?: string;
  @Given() @IsIn([...severities]) severity?: Severity;
  @GivenOrNull() @IsIn(['P1', 'P2', 'P3', 'P4', 'P5']) priority?: string | null;
  @Given()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MinLength(1, { each: true })
  @MaxLength(500, { each: true })
  @CleanTexts()
  services?: string[];
  @Given()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MinLength(1, { each: true })
  @MaxLength(500, { each: true })
  @CleanTexts()
  tags?: string[];
  /** Where it was heard of, e.g. `phone`. */
  @GivenOrNull() @IsString() @MinLength(1) @MaxLength(500) @Clean() source?: string | null;
  @GivenOrNull() @IsString() @MaxLength(10_000) @Clean() url?: string | null;
  @GivenOrNull() @IsString() @MinLength(1) @MaxLength(200) @Clean() incident_type?: string | null;
  @GivenOrNull() @IsString() @MinLength(1) @MaxLength(200) @Clean() assignee?: string | null;
  /** Names in snake_case, up to 64 characters; 100 KB in all. */
  @Given() @AsGiven() @IsObject() custom_fields?: Record<string, unknown>;
}
