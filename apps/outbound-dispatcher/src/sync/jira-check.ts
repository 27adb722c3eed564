import type { SyncLinkBody } from '@tocsin/contracts';
import { looked, same, type Look } from './check-items.ts';
import type { LinkHttp } from './link-http.ts';
import type { CheckItem } from './ticket-system.ts';

const API = '/rest/api/2';
interface Type {
  id: string;
  name: string;
}
interface Meta {
  fields?: Field[];
  values?: Field[];
}
interface Field {
  fieldId?: string;
  key?: string;
  allowedValues?: { name?: string; value?: string; id?: string }[];
}

/** Rights that the switches of a link need. */
const rightsOf = (body: SyncLinkBody): string[] => [
  'BROWSE_PROJECTS',
  ...(body.direction === 'in' ? [] : ['CREATE_ISSUES']),
  ...(body.direction === 'in' || !(body.comments || body.workNotes) ? [] : ['ADD_COMMENTS']),
  ...(body.direction === 'in' || !body.status ? [] : ['TRANSITION_ISSUES']),
  ...(body.direction === 'in' || !body.fields ? [] : ['EDIT_ISSUES']),
];

/** Looks at everything that a Jira link names: reach, rights, project, issue type, statuses, fields and their values. Changes nothing. */
export async function checkJira(http: LinkHttp, body: SyncLinkBody): Promise<CheckItem[]> {
  const items: CheckItem[] = [];
  const look = looked(items);
  const signedIn = await look('sign_in', async () => {
    const me = await http.json<{ displayName?: string; name?: string }>(`${API}/myself`);
    return `signed in as ${me.displayName ?? me.name ?? 'a user without a name'}`;
  });
  if (!signedIn) return items;
  const project = encodeURIComponent(body.project ?? '');
  await checkRights(http, body, look, items);
  let types: Type[] = [];
  await look('project', async () => {
    types = (await http.json<{ issueTypes: Type[] }>(`${API}/project/${project}`)).issueTypes;
    return `project ${body.project ?? ''} is there`;
  });
  const type = types.find(({ name }) => same(name, body.issueType ?? ''));
  if (types.length > 0)
    items.push(
      type
        ? { item: 'issue_type', result: 'ok', message: `issue type ${type.name} is there` }
        : {
            item: 'issue_type',
            result: 'wrong',
            message: `no issue type “${body.issueType ?? ''}”; there are: ${types.map(({ name }) => name).join(', ')}`,
          },
    );
  if (type) {
    if (body.status) await checkStatuses(http, body, type, look);
    if (body.fields) await checkFields(http, body, type, look);
  }
  return items;
}

async function checkRights(...[http, body, look, items]: [LinkHttp, SyncLinkBody, Look, CheckItem[]]): Promise<void> {
  const wanted = rightsOf(body);
  let held: Record<string, { havePermission: boolean }> = {};
  const query = { projectKey: body.project ?? '', permissions: wanted.join(',') };
  const answered = await look('rights', async () => {
    held = (await http.json<{ permissions: typeof held }>(`${API}/mypermissions`, { query })).permissions;
    return 'the rights can be read';
  });
  if (!answered) return;
  for (const right of wanted) {
    const ok = held[right]?.havePermission === true;
    const message = ok ? 'is held' : 'is missing in this project: give it to a role of the integration user';
    items.push({ item: `rights.${right}`, result: ok ? 'ok' : 'wrong', message });
  }
}

async function checkStatuses(...[http, body, type, look]: [LinkHttp, SyncLinkBody, Type, Look]): Promise<void> {
  let known: string[] = [];
  const path = `${API}/project/${encodeURIComponent(body.project ?? '')}/statuses`;
  const read = await look('statuses', async () => {
    const all = await http.json<{ id: string; statuses: { name: string }[] }[]>(path);
    known = all.find(({ id }) => id === type.id)?.statuses.map(({ name }) => name) ?? [];
    return `the workflow has ${known.join(', ')}`;
  });
  if (!read) return;
  const named = [
    ...Object.entries(body.statusOut).map(([ours, theirs]) => [`status_map.out.${ours}`, theirs] as const),
    ...Object.keys(body.statusIn).map((theirs) => [`status_map.in.${theirs}`, theirs] as const),
  ];
  for (const [item, name] of named)
    await look(item, () => {
      if (known.some((one) => same(one, name))) return `${name} is a status of the workflow`;
      throw new Error(`“${name}” is no status of the workflow of ${type.name}; there are: ${known.join(', ')}`);
    });
}

async function checkFields(...[http, body, type, look]: [LinkHttp, SyncLinkBody, Type, Look]): Promise<void> {
  let fields: Field[] = [];
  const path = `${API}/issue/createmeta/${encodeURIComponent(body.project ?? '')}/issuetypes/${encodeURIComponent(type.id)}`;
  const read = await look('fields', async () => {
    const meta = await http.json<Meta>(path, { query: { maxResults: '200' } });
    fields = meta.fields ?? meta.values ?? [];
    return `${fields.length} fields can be set`;
  });
  if (!read) return;
  const names = fields.map(({ fieldId, key }) => fieldId ?? key ?? '');
  await look('field.labels', () => {
    if (names.includes('labels')) return 'labels can be set: Tocsin marks its issues with one';
    throw new Error('labels cannot be set: add the field to the screen of this issue type');
  });
  for (const { external, values, format } of body.fieldMap)
    await look(`field_map.${external}`, () => {
      const field = fields.find((one) => (one.fieldId ?? one.key) === external);
      if (!field) throw new Error(`cannot be set in this issue type; there are: ${names.join(', ')}`);
      const allowed = field.allowedValues?.map(
        (one) => (format === 'value' ? one.value : format === 'id' ? one.id : one.name) ?? '',
      );
      const bad = Object.values(values).filter((value) => allowed && !allowed.some((one) => same(one, value)));
      if (bad.length === 0) return 'is there, with every value of the map';
      throw new Error(`has no value ${bad.join(', ')}; there are: ${allowed?.join(', ') ?? ''}`);
    });
}
