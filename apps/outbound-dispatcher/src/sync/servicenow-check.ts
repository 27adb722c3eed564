import type { SyncLinkBody } from '@tocsin/contracts';
import { looked } from './check-items.ts';
import type { LinkHttp } from './link-http.ts';
import { currentUser } from './servicenow-user.ts';
import type { CheckItem } from './ticket-system.ts';

type Row = Record<string, string>;

/**
 * Looks at what a ServiceNow link names: reach, sign-in, the table, its fields, the choices of the maps, the journal. Changes nothing, so that
 * the right to write shows with the first record only.
 */
export async function checkServiceNow(http: LinkHttp, body: SyncLinkBody): Promise<CheckItem[]> {
  const items: CheckItem[] = [];
  const look = looked(items);
  const table = body.table ?? '';
  const path = `/api/now/table/${encodeURIComponent(table)}`;
  const names = ['state', 'correlation_id', ...(body.fields ? body.fieldMap.map(({ external }) => external) : [])];
  let sample: Row | undefined;
  const reached = await look('table', async () => {
    const query = { sysparm_limit: '1', sysparm_fields: ['sys_id', ...names].join(',') };
    sample = (await http.json<{ result: Row[] }>(path, { query })).result[0];
    return `${table} can be read`;
  });
  if (!reached) return items;
  await look('sign_in', async () => `signed in as ${body.auth.username ?? (await currentUser(http))}`);
  for (const name of names) items.push(fieldItem(name, sample));
  if (body.comments || body.workNotes)
    await look('journal', async () => {
      await http.json('/api/now/table/sys_journal_field', { query: { sysparm_limit: '1', sysparm_fields: 'sys_id' } });
      return 'comments and work notes can be read';
    });
  if (body.status) for (const [item, value] of statesOf(body)) items.push(await choiceItem(http, table, item, value));
  items.push({
    item: 'rights.write',
    result: 'unknown',
    message: 'shows with the first record: a check writes nothing',
  });
  return items;
}

/** A field that a table does not have is left out of the answer without a word. */
function fieldItem(name: string, sample: Row | undefined): CheckItem {
  const item = `field.${name}`;
  if (!sample) return { item, result: 'unknown', message: 'the table is empty, or no row of it may be read' };
  return name in sample
    ? { item, result: 'ok', message: 'is there' }
    : { item, result: 'wrong', message: `${name} is no field of the table, or may not be read` };
}

const statesOf = (body: SyncLinkBody): (readonly [string, string])[] => [
  ...Object.entries(body.statusOut).map(([ours, theirs]) => [`status_map.out.${ours}`, theirs] as const),
  ...Object.keys(body.statusIn).map((theirs) => [`status_map.in.${theirs}`, theirs] as const),
];

async function choiceItem(...[http, table, item, value]: [LinkHttp, string, string, string]): Promise<CheckItem> {
  const query = { sysparm_query: `name=${table}^element=state^inactive=false`, sysparm_fields: 'value,label' };
  try {
    const { result } = await http.json<{ result: Row[] }>('/api/now/table/sys_choice', { query });
    const found = result.find((row) => row['value'] === value);
    if (found) return { item, result: 'ok', message: `${value} is “${found['label'] ?? value}”` };
    if (result.length === 0) return { item, result: 'unknown', message: `the states of ${table} may not be read` };
    const there = result.map((row) => `${row['value'] ?? ''} (${row['label'] ?? ''})`).join(', ');
    return { item, result: 'wrong', message: `${value} is no state of ${table}; there are: ${there}` };
  } catch (error) {
    return { item, result: 'unknown', message: `the states of ${table} cannot be read: ${(error as Error).message}` };
  }
}
