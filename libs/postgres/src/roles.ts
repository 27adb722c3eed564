import type { ClientBase } from 'pg';
import { PIPELINE_ROLE, REST_ROLE } from './pools.ts';

/** The login user may neither create the cluster roles nor use existing ones. */
export class RolesMissingError extends Error {
  readonly code = 'roles-missing';
  constructor(detail: string) {
    super(
      `the roles ${REST_ROLE} and ${PIPELINE_ROLE} cannot be created or used: ${detail}. Give the login user CREATEROLE, or let an ` +
        `administrator run: create role ${REST_ROLE} nologin; create role ${PIPELINE_ROLE} nologin; grant ${REST_ROLE}, ${PIPELINE_ROLE} to <login user>`,
    );
  }
}

/** Two databases of one cluster may race here: whoever comes second finds the role there, or a concurrently updated catalogue row. */
const RACES = new Set(['42710', '23505', 'XX000', '40001']);
const TRIES = 20;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';

async function ensureRole(client: ClientBase, role: string): Promise<void> {
  const { rows } = await client.query<{ exists: boolean; major: number }>(
    `select exists (select from pg_roles where rolname = $1) as exists, current_setting('server_version_num')::int / 10000 as major`,
    [role],
  );
  const { exists, major } = rows[0]!;
  if (!exists) await client.query(`create role ${role} nologin`);
  // From 16 on membership says apart whether SET ROLE is allowed; before, every member may.
  const may = await client.query<{ may: boolean }>(`select pg_has_role(current_user, $1, $2) as may`, [
    role,
    major >= 16 ? 'SET' : 'MEMBER',
  ]);
  if (may.rows[0]!.may) return;
  await client.query(`grant ${role} to current_user${major >= 16 ? ' with inherit false, set true' : ''}`);
}

/** Creates the two cluster-wide roles and lets the login user take them. Safe against itself in any number of processes and databases. */
export async function ensureRoles(client: ClientBase): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      for (const role of [REST_ROLE, PIPELINE_ROLE]) await ensureRole(client, role);
      return;
    } catch (error) {
      if (codeOf(error) === '42501') throw new RolesMissingError((error as Error).message);
      if (!RACES.has(codeOf(error)) || attempt === TRIES) throw error;
    }
  }
}
