import type { LinkHttp } from './link-http.ts';
import { SyncFailure } from './ticket-system.ts';

/** The user name behind a token. */
export async function currentUser(http: LinkHttp): Promise<string> {
  const query = {
    ...{ sysparm_query: 'user_name=javascript:gs.getUserName()', sysparm_fields: 'user_name', sysparm_limit: '1' },
  };
  const { result } = await http.json<{ result: Record<string, string>[] }>('/api/now/table/sys_user', { query });
  const name = result[0]?.['user_name'];
  if (name === undefined) throw new SyncFailure('refused', 'the integration user may not read its own row of sys_user');
  return name;
}
