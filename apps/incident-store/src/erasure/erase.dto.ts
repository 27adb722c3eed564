import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { Clean } from '../fields.ts';

/** What is to be erased of an incident. */
export class EraseIncidentBody {
  /** Versions of the events whose content goes, as the timeline gives them; left out: of all events. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1_000)
  @ArrayUnique()
  @Type(() => Number)
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(Number.MAX_SAFE_INTEGER, { each: true })
  versions?: number[];
  /** Kept with the event that says so, for good: a reference of the request, no personal data. */
  @IsOptional() @IsString() @MaxLength(500) @Clean() note?: string;
}
