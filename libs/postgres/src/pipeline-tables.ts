import { PIPELINE_ROLE, REST_ROLE } from './pools.ts';

/**
 * Tables that every service schema gets from this library, as numbered steps like a service's own files.
 * They hold positions and records on their way, not a workspace's data: no `workspace_id`, and no grant to the REST role.
 */
export const pipelineMigrations: readonly { name: string; sql: (schema: string) => string }[] = [
  {
    name: 'pipeline/0001',
    sql: (schema) => `
create table ${schema}.consumer_positions (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  log_id text not null,
  next_offset bigint not null,
  primary key (consumer_group, topic, partition)
) with (fillfactor = 50);

-- touched_on is a day, so that the many updates within one day leave its index alone.
create table ${schema}.consumer_marks (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  origin text not null,
  mark_offset bigint not null,
  ordinal integer not null,
  touched_on date not null,
  primary key (consumer_group, topic, partition, origin)
) with (fillfactor = 70);
create index consumer_marks_touched_on on ${schema}.consumer_marks (touched_on);

-- headers are json, not jsonb: they are only stored and handed on.
create table ${schema}.outbox (
  id bigint generated always as identity primary key,
  lane text not null,
  topic text not null,
  key text not null,
  headers json not null,
  value bytea not null
);
create index outbox_lane on ${schema}.outbox (lane, id);

grant select, insert, update, delete on ${schema}.consumer_positions, ${schema}.consumer_marks, ${schema}.outbox to ${PIPELINE_ROLE};
`,
  },
  {
    name: 'pipeline/0002',
    sql: (schema) => `
-- A row holds as many records as fill a page, names and values one behind the other; topic says of which topics they are. Rows that
-- an earlier release has left hold one record each: they have a key and headers. Records are kept for moments: not compressed, and in line.
alter table ${schema}.outbox
  alter column key drop not null,
  alter column headers drop not null,
  alter column value set storage external,
  set (toast_tuple_target = 8160);
`,
  },
];

/** What must hold before any table exists. */
export const schemaSetup = (schema: string): string => `
create schema if not exists ${schema};
create table if not exists ${schema}.migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now());
grant usage on schema ${schema} to ${REST_ROLE}, ${PIPELINE_ROLE};
`;
