import {
  incidentStatuses,
  syncAuthMethods,
  syncDirections,
  syncedStatuses,
  syncFieldsOut,
  syncFormats,
  syncSystems,
} from '@tocsin/contracts';
import Type from 'typebox';
import { count, described, flag, free, headerMap, instant, nullable, page, ref, text, word } from './kit.ts';

const fieldMap = Type.Object({
  field: word(...syncFieldsOut),
  external: text,
  direction: word(...syncDirections),
  format: word(...syncFormats),
  values: headerMap,
  values_in: headerMap,
});

export const syncLinkSchemas = {
  SyncLink: Type.Object({
    id: text,
    workspace_id: text,
    name: text,
    active: flag,
    system: word(...syncSystems),
    base_url: text,
    auth: Type.Object({
      method: word(...syncAuthMethods),
      username: nullable(text),
      token_url: nullable(text),
      client_id: nullable(text),
      scope: nullable(text),
      secret: described(text, 'Always the mask.'),
    }),
    project: nullable(text),
    issue_type: nullable(text),
    table: nullable(text),
    direction: word(...syncDirections),
    comments: flag,
    work_notes: flag,
    status: flag,
    fields: flag,
    status_map: Type.Object({
      out: described(headerMap, `Keys: ${incidentStatuses.join(', ')}.`),
      in: Type.Record(text, word(...syncedStatuses)),
      with: free,
    }),
    field_map: Type.Array(fieldMap),
    create_fields: free,
    webhook_id: nullable(text),
    poll_seconds: count,
    revision: described(count, 'Grows with each change; the ETag of the answer.'),
    created_at: instant,
    updated_at: instant,
  }),
  SyncLinkPage: page(ref('SyncLink')),
  SyncLinkCheck: Type.Object({
    ok: described(flag, 'Nothing is wrong.'),
    items: Type.Array(
      Type.Object({
        item: described(text, 'What was looked at, e.g. `rights.CREATE_ISSUES` or `status_map.out.resolved`.'),
        result: described(word('ok', 'wrong', 'unknown'), '`unknown`: the system does not let the user see it.'),
        message: text,
      }),
    ),
  }),
  SyncLinkEntryPage: page(
    Type.Object({
      incident_id: text,
      external_id: nullable(text),
      external_key: described(nullable(text), 'Null until the issue or record is there.'),
      external_url: nullable(text),
      state: word('pending', 'linked', 'failing'),
      waiting: described(count, 'Changes that are still to be told.'),
      last_error: nullable(text),
      last_error_at: nullable(instant),
      synced_at: nullable(instant),
      created_at: instant,
    }),
    {
      system: Type.Object({
        answers: described(flag, 'False while the system is down, limits us or refuses the credential.'),
        next_try_at: nullable(instant),
        last_error: nullable(text),
        last_error_at: nullable(instant),
      }),
    },
  ),
};
