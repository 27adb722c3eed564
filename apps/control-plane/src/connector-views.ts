import type { Connector } from '@tocsin/connectors';
import { authMethods, type AuthMethod } from '@tocsin/contracts';
import { credentialRuleOf, hasVendorScheme } from '@tocsin/domain/authentication';
import { guideOf, type SamplePayload, samplePayloadsOf } from './connector-documents.ts';
import { recipeOf, shownBy } from './setup/credential-recipe.ts';
import { guideView } from './setup/webhook-setup.ts';

type Source = Connector['source'];

/** A secret that no webhook has: only where it would stand is looked at. */
const ANY_SECRET = { bytes: new Uint8Array(1), notAfter: null };

/** A method of authentication as this platform uses it: the headers and parameters that carry the credential. */
function methodView(source: Source, method: AuthMethod) {
  const settings = { method, header: null, prefix: null, username: null };
  const rule = credentialRuleOf(source.auth, settings, method === 'none' ? [] : [ANY_SECRET]);
  const recipe = recipeOf(rule);
  const { headers, query } = shownBy(recipe);
  return {
    method,
    headers: headers.map(({ name }) => name),
    prefix: recipe.kind === 'header' ? recipe.prefix.trim() || null : null,
    parameters: query.map(({ name }) => name),
  };
}

/** Every method can be chosen, except the vendor's own where the vendor has none; those that fit the platform come first. */
function variantsOf(source: Source) {
  const { also, default: preset } = source.auth;
  const others = authMethods.filter((method) => method !== 'vendor' || hasVendorScheme(source.auth));
  const methods = [...new Set([...also, ...others])].filter((method) => method !== preset);
  return methods.map((method) => ({ ...methodView(source, method), suggested: also.includes(method) }));
}

/** Paths are shown; what a function works out is `(computed)`. */
const chainOf = (chain: readonly unknown[]): string[] =>
  chain.map((source) => (typeof source === 'string' ? source : '(computed)'));

function mappingOf({ fields, status, severity, occurredAt }: Source) {
  return {
    fields: {
      title: chainOf(fields.title),
      description: chainOf(fields.description),
      severity: chainOf(severity.from),
      status: chainOf(status.from),
      services: chainOf(fields.services),
      tags: chainOf(fields.tags),
      source: chainOf(fields.source),
      url: chainOf(fields.url),
      dedup_key: chainOf(fields.dedupKey),
      occurred_at: chainOf(occurredAt.from),
      incident_type: chainOf(fields.incidentType),
    },
    severity: severity.map ?? {},
    status: status.map ?? {},
    defaults: { status: status.absent },
  };
}

const sampleName = ({ name, contentType }: SamplePayload) => ({ name, content_type: contentType });

/** A sample as it is sent: the text of the body, and what of the request matters. */
const sampleView = (sample: SamplePayload) => ({
  ...sampleName(sample),
  headers: sample.headers,
  query: sample.query,
  body: sample.body,
});

/** For a source that never says that anything is over: long enough for what is still wrong to be sent again. */
const SUGGESTED_AUTO_RESOLVE_MINUTES = 240;

const view = ({ source }: Connector) => ({
  id: source.id,
  title: source.title,
  category: source.category,
  kind: source.kind,
  slugs: [source.id, ...source.slugs],
  default_auth: methodView(source, source.auth.default),
  variants: variantsOf(source),
  respond: source.respond,
  resolves: source.resolves,
  suggested_auto_resolve_after_minutes: source.resolves ? null : SUGGESTED_AUTO_RESOLVE_MINUTES,
  default_mapping: mappingOf(source),
  setup_steps: guideOf(source.id).setupSteps,
});

/** A row of the catalogue: samples by name. */
export const connectorView = (connector: Connector) => ({
  ...view(connector),
  samples: samplePayloadsOf(connector.source.id).map(sampleName),
});

/** One connector with its sample payloads and its guide. */
export const connectorDetail = (connector: Connector) => ({
  ...view(connector),
  guide: guideView(guideOf(connector.source.id)),
  samples: samplePayloadsOf(connector.source.id).map(sampleView),
});
