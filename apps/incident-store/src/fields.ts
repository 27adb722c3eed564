import { Transform } from 'class-transformer';
import { ValidateIf } from 'class-validator';

/** Left out is allowed, null is not. */
export const Given = () => ValidateIf((_body, value) => value !== undefined);
export const GivenOrNull = () => ValidateIf((_body, value) => value !== undefined && value !== null);

const cleaned = (value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\u0000', '\ufffd') : value;

/** PostgreSQL cannot hold U+0000, and lone surrogates are no text: both become U+FFFD (settled, Text). */
export const Clean = () => Transform(({ value }: { value: unknown }) => cleaned(value));
/** The same in a list, each text once. */
export const CleanTexts = () =>
  Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? [...new Set(value.map(cleaned))] : value));

/** `?status=open,acknowledged` or repeated parameters. */
export const List = () =>
  Transform(({ value }: { value: unknown }) =>
    value === undefined
      ? undefined
      : (Array.isArray(value) ? value : [value])
          .flatMap((item) => String(item).split(','))
          .filter((item) => item !== ''),
  );

/** A parameter that may be repeated; its values may hold commas. */
export const Several = () =>
  Transform(({ value }: { value: unknown }) => (value === undefined || Array.isArray(value) ? value : [value]));

/** `?merged=true`. What is neither stays as it is, to be refused. */
export const Flag = () =>
  Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value));
