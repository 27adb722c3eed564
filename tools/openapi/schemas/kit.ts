import { InstantSchema } from '@tocsin/contracts';
import Type, { type TSchema } from 'typebox';
import { ref as refersTo } from '../json-schema.ts';

export const text = Type.String();
export const count = Type.Integer({ minimum: 0 });
export const whole = Type.Integer();
export const flag = Type.Boolean();
export const instant = InstantSchema;
export const anything = Type.Unknown();
/** An object whose keys are not known beforehand. */
export const free = Type.Record(Type.String(), Type.Unknown());
export const texts = Type.Array(text);
export const headerMap = Type.Record(text, text);
export const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);
export const ref = (name: string) => Type.Unsafe<unknown>(refersTo(name));
export const word = (...words: readonly string[]) => Type.Enum([...words]);
export const described = (schema: TSchema, description: string): TSchema => ({ ...schema, description });

/** What every list answers. */
export const page = (item: TSchema, more: Record<string, TSchema> = {}) =>
  Type.Object({
    items: Type.Array(item),
    next_cursor: described(nullable(text), 'Pass it as `cursor` for the next page; null on the last one.'),
    ...more,
  });
