import type { TSchema } from 'typebox';

/** One event that subscribers can ask for (product P12, P13). */
export interface EventTypeDefinition {
  readonly title: string;
  /** When it is sent. */
  readonly description: string;
  /** JSON Schema of `data` in every envelope. Unknown further fields are allowed: the catalogue grows by addition. */
  readonly data: TSchema;
  /** A complete `data`; what the test event sends. */
  readonly example: Readonly<Record<string, unknown>>;
  /**
   * Who may say it: `tocsin` itself only, or also other services through `POST /api/v1/events` and the topic `platform.events`.
   */
  readonly source: 'tocsin' | 'published';
}
