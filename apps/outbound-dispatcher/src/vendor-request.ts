import type { ExternalLink, FilledTemplate, SubscriptionBody } from '@tocsin/contracts';
import { bodyOf, type BodyForm, type OutboundEvent } from '@tocsin/domain/delivery';
import { isOwnOrigin, supportsEvent, vendorTemplateOf, type VendorTemplate } from '@tocsin/domain/vendor-templates';

/** How the bodies of a template are made: secrets are no part of them, so they may be stored and shown. */
export function vendorForm(filled: FilledTemplate): BodyForm | undefined {
  const template = vendorTemplateOf(filled.name);
  if (!template) return undefined;
  const { parameters } = filled;
  return {
    key: `${filled.name} ${JSON.stringify(parameters)}`,
    rendering: { envelope: 'cloudthinker', vendor: (envelope) => template.body(envelope, parameters) },
  };
}

/** Whether a subscription's template can say an event, and may: what its own platform opened would go round in circles. */
export function templateAccepts({ template: filled }: SubscriptionBody, event: OutboundEvent): boolean {
  const template = filled ? vendorTemplateOf(filled.name) : undefined;
  if (!filled || !template) return true;
  return (
    supportsEvent(template, event.name) && (filled.allowOwnOrigin === true || !isOwnOrigin(template, event.connector))
  );
}

/** What a delivery by a template looks like on the wire. */
export interface VendorRequest {
  url: string;
  headers: { name: string; value: string }[];
  body: string;
  /** What of it nobody may see. */
  secrets: string[];
}

/**
 * The request of a template with its secrets opened: the address, the vendor's headers, and the body with what belongs into it.
 * `open` opens a sealed parameter; it throws where the key ring cannot.
 */
export function vendorRequest(
  filled: FilledTemplate,
  body: string,
  open: (sealed: string) => string,
): VendorRequest | undefined {
  const template = vendorTemplateOf(filled.name);
  if (!template) return undefined;
  const secrets = Object.fromEntries(Object.entries(filled.sealed).map(([name, sealed]) => [name, open(sealed)]));
  const { url, headers } = template.target({ ...filled.parameters, ...secrets });
  return {
    url,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    body: withSecrets(template, body, secrets),
    secrets: [...Object.values(secrets), ...Object.values(headers), ...pathsOf(template, secrets)],
  };
}

/** What a receiver sees of an address that is a secret. */
const pathsOf = ({ parameters }: VendorTemplate, secrets: Readonly<Record<string, string>>): string[] =>
  parameters.flatMap(({ name, type }) => {
    const address = secrets[name];
    if (type !== 'url' || address === undefined || !URL.canParse(address)) return [];
    const { pathname, search } = new URL(address);
    return search === '' ? [pathname] : [`${pathname}${search}`, pathname, search.slice(1)];
  });

/** A field whose place is known gets its secret; a text of the event that looks like a placeholder gets nothing. */
function withSecrets(
  { secretFields }: VendorTemplate,
  body: string,
  secrets: Readonly<Record<string, string>>,
): string {
  if (!secretFields) return body;
  const fields = Object.entries(secretFields).map(([field, parameter]) => [field, secrets[parameter] ?? '']);
  return bodyOf({ ...(JSON.parse(body) as object), ...(Object.fromEntries(fields) as object) });
}

/** The record that a vendor made of an event, where its template knows and its answer says so. */
export function vendorLink(filled: FilledTemplate, sent: string, answered: string): ExternalLink | undefined {
  const template = vendorTemplateOf(filled.name);
  const found = template?.linkOf?.({
    ...{ parameters: filled.parameters, sent: objectOf(sent), answered: objectOf(answered) },
  });
  return template && found ? { system: template.name, ...found } : undefined;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
