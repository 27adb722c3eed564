import { poisonReasons, services, topicNames } from '@tocsin/contracts';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsISO8601, Matches, Max, Min } from 'class-validator';
import { Optional } from '../fields.ts';
import { PageQuery } from '../pages.ts';

const ID = /^[a-z0-9_]{1,100}$/;
/** A date alone would mean another instant in each place. */
const INSTANT = /T.*(Z|[+-]\d\d:\d\d)$/;
const instant = { message: '$property must have a time and an offset, e.g. 2026-11-21T10:00:00Z' };

export const REDRIVE_MAX = 500;

export class ListDeadLetters extends PageQuery {
  @Optional() @IsIn(services) service?: string;
  @Optional() @IsIn(topicNames) topic?: string;
  @Optional() @IsIn(poisonReasons) reason?: string;
  @Optional() @Matches(ID, { message: 'webhook_id must be an id, e.g. whk_…' }) webhook_id?: string;
  @Optional() @IsIn(['open', 'redriven']) status?: 'open' | 'redriven';
  /** From this instant on. */
  @Optional() @IsISO8601({ strict: true }) @Matches(INSTANT, instant) from?: string;
  /** Before this instant. */
  @Optional() @IsISO8601({ strict: true }) @Matches(INSTANT, instant) to?: string;
}

/** `ids`, or at least one of the filters: the oldest open letters that fit all of them. */
export class RedriveDeadLetters {
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(REDRIVE_MAX)
  @Matches(ID, { each: true, message: 'ids must be ids, e.g. dlt_…' })
  ids?: string[];
  @Optional() @IsIn(services) service?: string;
  @Optional() @IsIn(topicNames) topic?: string;
  @Optional() @IsIn(poisonReasons) reason?: string;
  @Optional() @Matches(ID, { message: 'webhook_id must be an id, e.g. whk_…' }) webhook_id?: string;
  @Optional() @IsISO8601({ strict: true }) @Matches(INSTANT, instant) from?: string;
  @Optional() @IsISO8601({ strict: true }) @Matches(INSTANT, instant) to?: string;
  /** Most letters of a filter that are put back by this request. */
  @Optional() @IsInt() @Min(1) @Max(REDRIVE_MAX) limit?: number;
}
