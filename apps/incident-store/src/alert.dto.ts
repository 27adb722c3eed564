import { recordedStatuses, type RecordedStatus } from '@tocsin/domain/incident';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { List } from './fields.ts';
import { PageQuery } from './incident.dto.ts';

/** Alerts that stand by themselves: those that were recorded or suppressed. What joined an incident is listed there. */
export class ListAlerts extends PageQuery {
  /** `suppressed`: by a silence or a maintenance window; `recorded`: by the webhook's `open_when`; absent = both. */
  @IsOptional() @List() @IsIn(['recorded', 'suppressed'], { each: true }) outcome?: ('recorded' | 'suppressed')[];
  @IsOptional() @IsString() @MaxLength(100) webhook_id?: string;
  @IsOptional() @List() @IsIn([...recordedStatuses], { each: true }) status?: RecordedStatus[];
}
