import Type from 'typebox';

/**
 * An object with whatever fields. As a record of unknown values it would be the same, but the name of each of its fields would be tested
 * against a pattern, which was nine tenths of checking what is decided about an alert.
 */
export const AnyFieldsSchema = Type.Unsafe<Record<string, unknown>>(Type.Object({}, { additionalProperties: true }));
