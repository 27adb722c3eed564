import { severities, type Severity } from '@tocsin/contracts';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsString,
  MaxLength,
  MinLength,
} from 'class-validator';
import { Clean, Given } from './fields.ts';
import { IncidentNote } from './incident.dto.ts';

/** Either `into`, the incident that this one goes into, or `ids`, those that this one takes in. */
export class MergeIncidentsBody extends IncidentNote {
  @Given() @IsString() @MaxLength(60) into?: string;
  @Given()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(60, { each: true })
  ids?: string[];
}

/** Alerts of this incident that belong elsewhere. */
export class MoveAlertsBody extends IncidentNote {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsString({ each: true })
  @MaxLength(60, { each: true })
  alert_ids!: string[];
  /** The incident that they belong to; left out: a new one is opened for them. */
  @Given() @IsString() @MaxLength(60) into?: string;
  /** Of the new incident; left out: that of the first alert. */
  @Given() @IsString() @MinLength(1) @MaxLength(10_000) @Clean() title?: string;
  /** Of the new incident; left out: that of the worst alert. */
  @Given() @IsIn([...severities]) severity?: Severity;
}
