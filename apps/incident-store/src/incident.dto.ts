import { severities, type Severity } from '@tocsin/contracts';
import type { EditableFields } from '@tocsin/domain/incident';
import { AsGiven } from '@tocsin/nest-shell';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsISO8601,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { customFieldsOf } from './custom-fields.ts';
import { Clean, CleanTexts, Given, GivenOrNull } from './fields.ts';

export class IncidentNote {
  @IsOptional() @IsString() @MaxLength(10_000) @Clean() note?: string;
}

export class SnoozeIncident extends IncidentNote {
  /** When it comes back; within 90 days. */
  @IsISO8601({ strict: true }) @MaxLength(40) until!: string;
}

export class AssignIncident {
  /** Who works on it; null = nobody. */
  @ValidateIf((_body, value) => value !== null) @IsString() @MinLength(1) @MaxLength(200) @Clean() assignee!:
    string | null;
}

/** What a person may correct; what is not given stays. */
export class EditIncident {
  @Given() @IsString() @MinLength(1) @MaxLength(10_000) @Clean() title?: string;
  @Given() @IsString() @MaxLength(10_000) @Clean() description?: string;
  @Given() @IsIn([...severities]) severity?: Severity;
  @GivenOrNull() @IsIn(['P1', 'P2', 'P3', 'P4', 'P5']) priority?: string | null;
  @GivenOrNull() @IsString() @MaxLength(10_000) @Clean() url?: string | null;
  @Given()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(500, { each: true })
  @CleanTexts()
  tags?: string[];
  @Given()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(500, { each: true })
  @CleanTexts()
  services?: string[];
  @GivenOrNull() @IsString() @MinLength(1) @MaxLength(200) @Clean() incident_type?: string | null;
  /** One by one: null takes one away, what is not given stays. */
  @Given() @AsGiven() @IsObject() custom_fields?: Record<string, unknown>;
}

/** What was given, with custom fields that fit: class-validator leaves the rest as undefined. @throws Problem validation-failed */
export const given = ({ custom_fields, ...fields }: EditableFields): EditableFields => ({
  ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
  ...(custom_fields === undefined ? {} : { custom_fields: customFieldsOf(custom_fields) }),
});

export class IncidentComment {
  @IsString() @MinLength(1) @MaxLength(10_000) @Clean() text!: string;
}

export class PageQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(200) limit = 50;
  @IsOptional() @IsString() @MaxLength(400) cursor?: string;
}

export class ReadIncident {
  /** The incident as it was at this instant. */
  @IsOptional() @IsISO8601({ strict: true }) @MaxLength(40) at?: string;
}

const bulkCommands = [
  'acknowledge',
  'resolve',
  'reopen',
  'unsnooze',
  'suppress',
  'snooze',
  'assign',
  'comment',
  'edit',
  'merge',
] as const;

/** One command on many incidents. */
export class BulkCommand extends IncidentNote {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(60, { each: true })
  ids!: string[];
  @IsIn(bulkCommands) command!: (typeof bulkCommands)[number];
  /** Of `snooze`. */
  @ValidateIf(({ command }: BulkCommand) => command === 'snooze')
  @IsISO8601({ strict: true })
  @MaxLength(40)
  until?: string;
  /** Of `assign`; null = nobody. */
  @ValidateIf(({ command, assignee }: BulkCommand) => command === 'assign' && assignee !== null)
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  @Clean()
  assignee?: string | null;
  /** Of `comment`. */
  @ValidateIf(({ command }: BulkCommand) => command === 'comment')
  @IsString()
  @MinLength(1)
  @MaxLength(10_000)
  @Clean()
  text?: string;
  /** Of `edit`: what all of them get. */
  @ValidateIf(({ command }: BulkCommand) => command === 'edit')
  @IsObject()
  @ValidateNested()
  @Type(() => EditIncident)
  fields?: EditIncident;
  /** Of `merge`: the incident that all of them go into. */
  @ValidateIf(({ command }: BulkCommand) => command === 'merge')
  @IsString()
  @MaxLength(60)
  into?: string;
}
