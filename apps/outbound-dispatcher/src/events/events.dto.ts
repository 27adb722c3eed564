import { AsGiven } from '@tocsin/nest-shell';
import { eventFamilies } from '@tocsin/contracts';
import { IsIn, IsISO8601, IsObject, IsString, Length, Matches, MaxLength, ValidateIf } from 'class-validator';

/** The field may be left out; null is not let through. */
const Optional = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);
/** One line; no lone surrogates, which PostgreSQL cannot hold. */
const LINE = /^[^\p{Cc}\p{Cs}]*$/u;
const line = { message: '$property must be one line of text' };
const INSTANT = /T.*(Z|[+-]\d\d:\d\d)$/;
const instant = { message: 'time must have a time and an offset, e.g. 2026-11-21T10:00:00Z' };

/** An event of the catalogue; a CloudEvent in structured mode is one, too. */
export class PublishEvent {
  /** Name in the catalogue, e.g. `finding.created`. */
  @IsString() @Length(1, 200) type!: string;
  /** What the schema of the type asks for. */
  @AsGiven() @IsObject() data!: Record<string, unknown>;
  /** The publisher's own id: with `source` it makes a repeat the same event. */
  @Optional() @IsString() @Length(1, 1_000) @Matches(LINE, line) id?: string;
  /** Who says it, e.g. `/scanners/eu-1`. Default: the name of the API key. */
  @Optional() @IsString() @Length(1, 1_000) @Matches(LINE, line) source?: string;
  /** When it happened. Default: now. */
  @Optional() @IsISO8601({ strict: true }) @Matches(INSTANT, instant) time?: string;
  /** Accepted as CloudEvents have it; what an event is about stands in `data`. */
  @Optional() @IsString() @MaxLength(1_000) subject?: string;
  @Optional() @IsIn(['1.0']) specversion?: '1.0';
  @Optional() @IsIn(['application/json']) datacontenttype?: 'application/json';
}

export class ListEventTypes {
  /** Only the types of one family. */
  @Optional() @IsIn(eventFamilies) family?: string;
  /** Only those that other services may publish, or only Tocsin’s own. */
  @Optional() @IsIn(['published', 'tocsin']) source?: 'published' | 'tocsin';
}

export class EventTypePath {
  @Matches(/^[a-z_.]{1,100}$/, { message: 'name must be a name of the catalogue, e.g. incident.created' })
  name!: string;
}
