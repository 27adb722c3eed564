import { Transform } from 'class-transformer';

/** PostgreSQL cannot hold U+0000, and lone surrogates are no text: both become U+FFFD (settled, Text). */
export const Clean = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\u0000', '\ufffd') : value,
  );

/** `?status=open,acknowledged` or repeated parameters. */
export const List = () =>
  Transform(({ value }: { value: unknown }) =>
    value === undefined
      ? undefined
      : (Array.isArray(value) ? value : [value])
          .flatMap((item) => String(item).split(','))
          .filter((item) => item !== ''),
  );
