import { severities } from '@tocsin/contracts';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { UsageError } from '../terminal.ts';

const Name = Type.String({ minLength: 1, maxLength: 200 });
const Texts = Type.Array(Type.String());
const Optional = Type.Optional;
const closed = { additionalProperties: false } as const;

/** Fields of an alert as `tocsin normalize` prints them, those that rules look at. */
const AlertFields = Type.Object(
  {
    title: Type.String(),
    ...{ description: Optional(Type.String()), severity: Optional(Type.Enum([...severities])) },
    status: Optional(Type.Enum(['triggered', 'resolved', 'acknowledged', 'update'])),
    ...{
      services: Optional(Texts),
      tags: Optional(Texts),
      source: Optional(Type.String()),
      url: Optional(Type.String()),
    },
    dedup_key: Optional(Name),
    custom_fields: Optional(Type.Record(Name, Type.Unknown())),
    metadata: Optional(Type.Record(Name, Type.Unknown())),
  },
  closed,
);
export type AlertFields = Static<typeof AlertFields>;

/** When it happens: an instant, or so long after the start (`90s`, `5m`, `2h`, `1d`). */
const At = Optional(Type.String({ pattern: '^(\\+?\\d{1,6}(ms|s|m|h|d)|\\d{4}-\\d{2}-\\d{2}T.+)$' }));

const Step = Type.Union([
  Type.Object({ name: Name, at: At, webhook: Optional(Name), alert: AlertFields }, closed),
  Type.Object(
    {
      name: Name,
      at: At,
      webhook: Optional(Name),
      payload: Type.Unknown(),
      headers: Optional(Type.Record(Name, Type.String())),
    },
    closed,
  ),
  /** A person closes (or opens again) the incident that this alert opened. */
  Type.Object({ resolve: Name, at: At }, closed),
  Type.Object({ reopen: Name, at: At }, closed),
]);

const FixtureSchema = Type.Object(
  {
    name: Optional(Name),
    description: Optional(Type.String()),
    /** A configuration file's content; `--config` goes before it. */
    configuration: Optional(Type.Unknown()),
    steps: Type.Array(Step, { minItems: 1, maxItems: 2_000 }),
    expect: Type.Object(
      {
        /** Names of alerts that are one incident, whatever their order. Alerts that open or join none are in no list. */
        incidents: Type.Array(Type.Array(Name, { minItems: 1 })),
        /** Names of alerts that are kept without an incident. */
        recorded: Optional(Type.Array(Name)),
        /** The rule by which an alert joins; null = by no rule. */
        rules: Optional(Type.Record(Name, Type.Union([Name, Type.Null()]))),
      },
      closed,
    ),
  },
  closed,
);
export type Fixture = Static<typeof FixtureSchema>;
export type Step = Fixture['steps'][number];

const checker = Compile(FixtureSchema);
const ERRORS_MAX = 10;

/** @throws UsageError with what is wrong, and where */
export function fixtureIn(document: unknown, path: string): Fixture {
  if (checker.Check(document)) return document;
  const errors = [...checker.Errors(document)].slice(0, ERRORS_MAX);
  throw new UsageError(
    errors.map(({ instancePath, message }) => `${path}: ${instancePath.slice(1) || 'file'}: ${message}`).join('\n'),
  );
}

const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a step's time; without one, a second after the step before. */
export function timeOf({ at }: { at?: string }, start: number, before: number): number {
  if (at === undefined) return before + 1_000;
  const [, count, unit] = /^\+?(\d+)(ms|s|m|h|d)$/.exec(at) ?? [];
  return count === undefined ? Date.parse(at) : start + Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
}
