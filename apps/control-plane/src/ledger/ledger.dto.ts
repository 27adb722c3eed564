import { IsISO8601, Matches } from 'class-validator';
import { Optional } from '../fields.ts';
import { PageQuery } from '../pages.ts';

/** `GET ledger`: minutes that begin in the range, newest first; without a range the last hour. */
export class ReadLedger extends PageQuery {
  @Optional() @IsISO8601({ strict: true }) from?: string;
  @Optional() @IsISO8601({ strict: true }) to?: string;
  @Optional() @Matches(/^[a-z0-9_]{1,100}$/, { message: 'webhook_id must be an id, e.g. whk_…' }) webhook_id?: string;
}
