import { authMethods } from '@tocsin/contracts';
import Type from 'typebox';
import { count, described, flag, headerMap, nullable, page, ref, text, texts, word } from './kit.ts';

const method = {
  method: word(...authMethods),
  headers: described(texts, 'Headers that carry the credential.'),
  prefix: nullable(text),
  parameters: described(texts, 'Query parameters that carry the credential.'),
};

const guide = Type.Object({ authentication: text, resolves: text, traps: text });
const pair = Type.Object({ name: text, value: text });

const connector = {
  id: text,
  title: text,
  category: text,
  kind: text,
  slugs: described(texts, 'Names that `/api/integrations/{platform}` takes.'),
  default_auth: Type.Object(method),
  variants: Type.Array(Type.Object({ ...method, suggested: flag })),
  respond: word('wait', 'accept'),
  resolves: flag,
  suggested_auto_resolve_after_minutes: described(
    nullable(count),
    'For sources that never say that something is over; null where they do.',
  ),
  default_mapping: Type.Object({
    fields: described(Type.Record(text, texts), 'Chains of paths; `(computed)` where a function finds the value.'),
    severity: headerMap,
    status: headerMap,
    defaults: Type.Object({ status: nullable(text) }),
  }),
  setup_steps: texts,
};
const sampleName = { name: text, content_type: text };

export const connectorSchemas = {
  Connector: Type.Object({ ...connector, samples: Type.Array(Type.Object(sampleName)) }),
  ConnectorPage: page(ref('Connector')),
  ConnectorDetail: Type.Object({
    ...connector,
    guide,
    samples: Type.Array(Type.Object({ ...sampleName, headers: headerMap, query: text, body: text })),
  }),
  WebhookSetup: Type.Object({
    webhook_id: text,
    connector: text,
    url: described(text, 'Address with the token.'),
    integration_url: text,
    method: word('POST'),
    auth: Type.Object({ method: word(...authMethods), secret_variable: nullable(text) }),
    headers: Type.Array(pair),
    query: Type.Array(pair),
    steps: described(texts, "What to do at the vendor's."),
    guide,
    sample: nullable(text),
    examples: nullable(Type.Object({ curl: text, javascript: text, python: text })),
    examples_reason: described(nullable(text), 'Why there are no examples.'),
  }),
};
