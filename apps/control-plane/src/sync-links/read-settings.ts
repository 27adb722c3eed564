import {
  incidentStatuses,
  syncedStatuses,
  syncFieldsIn,
  type SyncAuth,
  type SyncedStatus,
  type SyncFieldMap,
  type SyncSystem,
} from '@tocsin/contracts';
import { type AllowList, checkUrl } from '@tocsin/domain/delivery';
import { syncDefaults } from '@tocsin/domain/sync';
import { Problem } from '@tocsin/nest-shell';
import { CLEAN_TEXT, invalidField } from '../fields.ts';
import { MASK } from '../mask.ts';
import { isStorable } from '../storable.ts';
import type { SyncAuthInput, SyncLinkInput } from './sync-link.dto.ts';
import type { SyncLinkSettings } from './sync-link-row.ts';

/** Settings of a new link, before anything that people say: those of a system as its vendor delivers it. */
export const newSettings = (system: SyncSystem): SyncLinkSettings => ({
  ...{ system, baseUrl: '', auth: noAuth, project: null, direction: 'both', webhookId: null, pollSeconds: 30 },
  ...{ comments: true, workNotes: system === 'servicenow', status: true, fields: true },
  ...structuredClone(syncDefaults[system]),
});
const noAuth: SyncAuth = {
  ...{ method: 'basic', username: null, tokenUrl: null, clientId: null, scope: null, secret: '' },
};

/** @throws Problem url-not-allowed, naming the setting that would open it */
export function checkedAddress(path: string, text: string, allow: AllowList): string {
  const verdict = checkUrl(text, allow);
  if (!verdict.ok)
    throw new Problem('url-not-allowed', `${path}: ${verdict.message}`, {
      errors: [{ path, code: verdict.reason, message: verdict.message }],
      body: verdict.setting === null ? {} : { setting: verdict.setting },
    });
  if (verdict.url.search !== '' || verdict.url.hash !== '')
    throw invalidField(path, 'has-query', 'must have no query and no fragment');
  return verdict.url.href.replace(/\/+$/, '');
}

/** All but the address and the credential, after a change; what is not given stays. @throws Problem validation-failed */
export function appliedSettings(before: SyncLinkSettings, input: SyncLinkInput): SyncLinkSettings {
  const { status_map: statusMap } = input;
  const after: SyncLinkSettings = {
    ...before,
    project: input.project === undefined ? before.project : input.project,
    issueType: input.issue_type === undefined ? before.issueType : input.issue_type,
    table: input.table === undefined ? before.table : input.table,
    direction: input.direction ?? before.direction,
    comments: input.comments ?? before.comments,
    workNotes: input.work_notes ?? before.workNotes,
    status: input.status ?? before.status,
    fields: input.fields ?? before.fields,
    statusOut: statusMap?.out === undefined ? before.statusOut : statusesOut(statusMap.out),
    statusIn: statusMap?.in === undefined ? before.statusIn : statusesIn(statusMap.in),
    statusFields: statusMap?.with === undefined ? before.statusFields : statusFields(statusMap.with),
    fieldMap: input.field_map === undefined ? before.fieldMap : fieldMap(input.field_map, before.system),
    createFields:
      input.create_fields === undefined ? before.createFields : stored('create_fields', input.create_fields),
    webhookId: input.webhook_id === undefined ? before.webhookId : input.webhook_id,
    pollSeconds: input.poll_seconds ?? before.pollSeconds,
  };
  checkSystem(after);
  return after;
}

function checkSystem({ system, project, issueType, table }: SyncLinkSettings): void {
  const wrong = (path: string, needed: boolean): Problem =>
    invalidField(
      path,
      needed ? 'is-needed' : 'not-applicable',
      needed ? `is needed for ${system}` : `is not for ${system}`,
    );
  if (system === 'jira') {
    if (project === null) throw wrong('project', true);
    if (issueType === null) throw wrong('issue_type', true);
    if (table !== null) throw wrong('table', false);
    return;
  }
  if (table === null) throw wrong('table', true);
  if (project !== null) throw wrong('project', false);
  if (issueType !== null) throw wrong('issue_type', false);
}

const ENTRIES_MAX = 100;
/** Entries of a map of words. @throws Problem for a word that cannot be one */
function words(path: string, given: Record<string, unknown>): [string, string][] {
  const entries = Object.entries(given);
  if (entries.length > ENTRIES_MAX) throw invalidField(path, 'too-many', `may have ${ENTRIES_MAX} entries`);
  return entries.map(([key, value]) => {
    if (typeof value !== 'string' || value.length > 200 || !CLEAN_TEXT.test(value) || !CLEAN_TEXT.test(key))
      throw invalidField(`${path}.${key}`, 'is-string', 'must be a line of text of at most 200 characters');
    return [key, value];
  });
}

function statusesOut(given: Record<string, unknown>): SyncLinkSettings['statusOut'] {
  const pairs = words('status_map.out', given);
  for (const [ours] of pairs) knownStatus(`status_map.out.${ours}`, ours);
  return Object.fromEntries(pairs);
}

function statusesIn(given: Record<string, unknown>): Record<string, SyncedStatus> {
  const pairs = words('status_map.in', given);
  const bad = pairs.find(([, ours]) => !(syncedStatuses as readonly string[]).includes(ours));
  if (bad) throw invalidField(`status_map.in.${bad[0]}`, 'is-in', `must be one of ${syncedStatuses.join(', ')}`);
  return Object.fromEntries(pairs) as Record<string, SyncedStatus>;
}

function statusFields(given: Record<string, unknown>): SyncLinkSettings['statusFields'] {
  for (const [ours, fields] of Object.entries(given)) {
    knownStatus(`status_map.with.${ours}`, ours);
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
      throw invalidField(`status_map.with.${ours}`, 'is-object', 'must be an object of fields');
  }
  return stored('status_map.with', given);
}

function knownStatus(path: string, status: string): void {
  if (!(incidentStatuses as readonly string[]).includes(status))
    throw invalidField(path, 'unknown-status', `must be one of ${incidentStatuses.join(', ')}`);
}

function fieldMap(given: NonNullable<SyncLinkInput['field_map']>, system: SyncSystem): SyncFieldMap[] {
  return given.map(({ values_in: valuesIn, values, ...map }, index) => {
    const path = `field_map[${index}]`;
    if (map.direction === 'in' && !(syncFieldsIn as readonly string[]).includes(map.field))
      throw invalidField(
        `${path}.field`,
        'out-only',
        `can only be told; those taken over are ${syncFieldsIn.join(', ')}`,
      );
    if (['status', 'state', ...(system === 'jira' ? ['labels'] : ['correlation_id'])].includes(map.external))
      throw invalidField(`${path}.external`, 'reserved', 'is kept by Tocsin itself: use status_map, or another field');
    return {
      ...map,
      values: Object.fromEntries(words(`${path}.values`, values)),
      valuesIn: Object.fromEntries(words(`${path}.values_in`, valuesIn)),
    };
  });
}

const STORED_MAX = 16 * 1024;
function stored(path: string, given: Record<string, unknown>): Record<string, unknown> {
  if (!isStorable(given) || JSON.stringify(given).length > STORED_MAX)
    throw invalidField(path, 'not-storable', `must be JSON of at most ${STORED_MAX} characters, without U+0000`);
  return given;
}

export interface Sealing {
  seal: (text: string) => string;
  allow: AllowList;
  /** The address that the credential is for has changed: the stored one does not go there. */
  moved: boolean;
}

/** How the link signs in, after a change. @throws Problem validation-failed where something is missing, or a stored secret would go elsewhere */
export function appliedAuth(
  before: SyncAuth,
  input: SyncAuthInput | undefined,
  { seal, allow, moved }: Sealing,
): SyncAuth {
  if (!input && !moved) return before;
  const given = input ?? { method: before.method };
  const of = (name: 'username' | 'client_id' | 'scope', kept: string | null) =>
    given[name] === undefined ? kept : given[name];
  const url = given.token_url ?? null;
  const auth: SyncAuth = {
    method: given.method,
    username: of('username', before.username),
    tokenUrl: url === null ? before.tokenUrl : checkedAddress('auth.token_url', url, allow),
    clientId: of('client_id', before.clientId),
    scope: of('scope', before.scope),
    secret: before.secret,
  };
  const fresh = given.secret !== undefined && given.secret !== MASK ? given.secret : undefined;
  const elsewhere = moved || auth.tokenUrl !== before.tokenUrl;
  if (fresh === undefined && (before.secret === '' || elsewhere))
    throw invalidField('auth.secret', 'is-needed', 'is needed, also where it shall go to another address');
  if (auth.method === 'basic' && auth.username === null)
    throw invalidField('auth.username', 'is-needed', 'is needed for basic');
  if (auth.method === 'oauth2' && (auth.tokenUrl === null || auth.clientId === null))
    throw invalidField('auth.token_url', 'is-needed', 'oauth2 needs token_url and client_id');
  return { ...auth, secret: fresh === undefined ? before.secret : seal(fresh) };
}
