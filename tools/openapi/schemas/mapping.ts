import {
  alertStatuses,
  authMethods,
  customFieldTypes,
  mappingFields,
  OutcomeSchema,
  SeveritySchema,
} from '@tocsin/contracts';
import Type from 'typebox';
import { anything, count, described, flag, free, nullable, ref, text, texts, word } from './kit.ts';

const chain = described(texts, 'Paths in the order in which they are tried; only null, absent and empty fall through.');
const status = word(...alertStatuses);

const Mapping = Type.Object({
  fields: Type.Object(Object.fromEntries(mappingFields.map((name) => [name, Type.Optional(chain)]))),
  severity: described(Type.Record(text, SeveritySchema), 'Words of the source, in any case.'),
  status: Type.Record(text, status),
  defaults: Type.Object({
    title: Type.Optional(text),
    description: Type.Optional(text),
    severity: Type.Optional(SeveritySchema),
    status: Type.Optional(status),
    services: Type.Optional(texts),
    tags: Type.Optional(texts),
    source: Type.Optional(text),
    url: Type.Optional(text),
    incident_type: Type.Optional(text),
  }),
  custom_fields: Type.Array(
    Type.Object({
      name: text,
      description: Type.Optional(text),
      type: word(...customFieldTypes),
      default_value: Type.Optional(anything),
      path: chain,
    }),
  ),
  extracted_fields: Type.Array(Type.Object({ name: text, path: chain })),
  split: Type.Optional(described(word('first', 'group'), 'Absent: an alert for each element.')),
});

const said = Type.Object({ reason: text, detail: text });
const tried = {
  alerts: Type.Array(ref('TriedAlert')),
  total: described(count, 'Elements of the payload, before any filter; a hundred alerts at most are shown.'),
  omitted: Type.Array(Type.Object({ index: count, outcome: OutcomeSchema, reason: text, detail: text })),
  ignored: nullable(said),
  extracted: Type.Array(Type.Object({ index: count, fields: free })),
  paths: described(Type.Array(ref('OfferedPath')), 'What a data picker can offer.'),
};

export const mappingSchemas = {
  Mapping,
  TriedAlert: described(free, 'An alert as the normalizer would make it.'),
  OfferedPath: described(free, 'A path into the payload with what is there.'),
  MappingPreview: Type.Object({ connector: text, ...tried, dead_letter: nullable(said), mapping: ref('Mapping') }),
  WebhookTest: Type.Object({
    ok: flag,
    ...tried,
    errors: Type.Array(Type.Object({ code: text, message: text })),
    auth: Type.Object({
      method: word(...authMethods),
      ok: described(nullable(flag), "Null where only the gateway can tell: the key is the vendor's."),
      reason: nullable(text),
      detail: text,
    }),
  }),
  WebhookTestSent: Type.Object({ receipt_id: text, status: word('accepted'), status_url: text }),
};
