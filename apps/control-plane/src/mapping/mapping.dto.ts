import { AsGiven } from '@tocsin/nest-shell';
import { Allow, IsObject, IsString, Length, Matches, MaxLength } from 'class-validator';
import { Optional, OptionalOrNull } from '../fields.ts';

/** A payload and a mapping to be tried on it. */
export class PreviewMapping {
  /** Any JSON, or the text of a body of another kind (or of JSON whose large numbers matter). */
  @AsGiven() @Allow() payload?: unknown;
  /** Which connector reads it; of the webhook, where one is named, else `generic`. */
  @Optional() @IsString() @Length(1, 100) connector?: string;
  /** Whose settings, and whose mapping where none is given. */
  @Optional() @Matches(/^[a-z0-9_]{1,100}$/, { message: 'webhook_id must be an id, e.g. whk_…' }) webhook_id?: string;
  @OptionalOrNull() @AsGiven() @IsObject() mapping?: Record<string, unknown> | null;
  /** Another name of `mapping.fields`. */
  @Optional() @AsGiven() @IsObject() field_mapping?: Record<string, unknown>;
  /** Headers of the request that matter, as texts: some platforms name the kind of event only there. */
  @Optional() @AsGiven() @IsObject() headers?: Record<string, unknown>;
  /** The address after `?`. */
  @Optional() @IsString() @MaxLength(10_000) query?: string;
  @Optional() @IsString() @MaxLength(200) content_type?: string;
}
