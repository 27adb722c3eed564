import { createPools, type Pools } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnsOf, flag, listText, shared, text, whole } from './columns.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
beforeAll(async () => {
  database = await testDatabase({ migrations: [] });
  pools = createPools({ connectionString: database.url, applicationName: 'columns.int.spec', max: 1 });
});
afterAll(async () => {
  await pools.close();
  await database.drop();
});

interface Row {
  scope: string;
  name: string | null;
  at: number | null;
  isOpen: boolean;
  list: string[];
}

const word = fc.string({ unit: 'grapheme' }).map((one) => one.replaceAll('\0', ''));
const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record({
    scope: fc.constantFrom('a', 'b'),
    name: fc.option(fc.oneof(word, fc.constantFrom('NULL', '', '"', '\\', '{e,f}', 'x'.repeat(5_000)))),
    at: fc.option(fc.maxSafeInteger()),
    isOpen: fc.boolean(),
    list: fc.array(word, { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('rows as columns', () => {
  const columns = (some: readonly Row[]) =>
    columnsOf(
      some,
      shared(({ scope }) => scope),
      text(({ name }) => name),
      whole(({ at }) => at),
      flag(({ isOpen }) => isOpen),
      text(({ list }) => listText(list)),
    );

  it('are the same rows for the server', () =>
    fc.assert(
      fc.asyncProperty(rows, async (some) => {
        const { rows: read } = await pools.pipeline.query(
          `select coalesce(scope, ($1::text[])[1]) as scope, name, at, is_open, list::text[] as list
             from unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[], $5::text[]) as r(scope, name, at, is_open, list)`,
          columns(some),
        );
        const asRead = ({ scope, name, at, isOpen, list }: Row) => ({
          ...{ scope, name, at: at === null ? null : String(at), is_open: isOpen, list },
        });
        expect(read).toEqual(some.map(asRead));
      }),
    ));

  it('are no columns where there are none, and are refused where the server would refuse them', () => {
    expect(columns([])).toEqual([]);
    const [row] = fc.sample(rows, 1)[0] as [Row];
    expect(() => columns([{ ...row, at: 1.5 }])).toThrow('1.5 is not a whole number');
    expect(() => columns([{ ...row, at: Number.NaN }])).toThrow('NaN is not a whole number');
  });
});

it('a list within a column is a text', () => {
  expect(listText(['a', 'say "b"', 'c\\d', '{e,f}', '', 'NULL'])).toBe(
    '{"a","say \\"b\\"","c\\\\d","{e,f}","","NULL"}',
  );
  expect(listText([])).toBe('{}');
});
