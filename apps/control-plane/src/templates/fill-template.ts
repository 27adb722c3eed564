import { eventPatterns, type FilledTemplate, type WorkspaceDocument } from '@tocsin/contracts';
import { type AllowList, checkCustomHeaders, checkUrl, matchesEvent } from '@tocsin/domain/delivery';
import {
  checkParameters,
  type Parameters,
  type ParameterValue,
  secretNames,
  shownUrl,
  supportedEventsOf,
  vendorTemplateNames,
  vendorTemplateOf,
  type VendorTemplate,
} from '@tocsin/domain/vendor-templates';
import { Problem } from '@tocsin/nest-shell';
import type { Credentials } from '../credentials.ts';
import { invalidField } from '../fields.ts';
import { MASK } from '../mask.ts';

/** What somebody gave for `template`: a name, or a name with parameters. */
export interface GivenTemplate {
  template: VendorTemplate;
  parameters: Record<string, unknown>;
}

/** @throws Problem for anything but a known name, alone or as `{name, parameters}` */
export function readGivenTemplate(given: unknown): GivenTemplate {
  const named = typeof given === 'string' ? { name: given } : given;
  if (typeof named !== 'object' || named === null || Array.isArray(named))
    throw invalidField('template', 'is-object', 'must be a name or {"name", "parameters"}');
  const { name, parameters = {}, ...rest } = named as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw invalidField(
      `template.${JSON.stringify(unknown.slice(0, 100)).slice(1, -1)}`,
      'whitelist-validation',
      'is not known',
    );
  const template = typeof name === 'string' ? vendorTemplateOf(name) : undefined;
  if (!template)
    throw invalidField('template.name', 'unknown-template', `must be one of ${vendorTemplateNames.join(', ')}`);
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters))
    throw invalidField('template.parameters', 'is-object', 'must be an object');
  return { template, parameters: parameters as Record<string, unknown> };
}

/** Where a subscription's template is kept, and what opens what is there. */
export interface FillContext {
  credentials: Credentials;
  workspace: WorkspaceDocument;
  subscriptionId: string;
  allow: AllowList;
  stored: FilledTemplate | null;
}

/**
 * A template with its parameters as it is stored: secrets sealed, and the address as it may be shown. A secret that is left out or reads as
 * the mask stays what it was. @throws Problem with the path of each wrong parameter, or where its address is not allowed
 */
export function fillTemplate(
  { template, parameters: given }: GivenTemplate,
  context: FillContext,
): { filled: FilledTemplate; url: URL; shown: string } {
  const { credentials, workspace, subscriptionId, stored } = context;
  const kept = stored?.name === template.name ? stored : null;
  const checked = checkParameters(template, withKept(template, given, kept, context), 'template.parameters');
  if (!checked.ok)
    throw new Problem('validation-failed', `${checked.problems[0]?.path}: ${checked.problems[0]?.message}`, {
      errors: checked.problems,
    });
  const { parameters } = checked;
  const { url, shown } = checkTarget(template, parameters, context.allow);
  const secrets = secretNames(template);
  const entries = Object.entries(parameters);
  const sealed = entries
    .filter(([name]) => secrets.includes(name))
    .map(([name, value]) => {
      const unchanged = isKept(given[name]) ? kept?.sealed[name] : undefined;
      return [name, unchanged ?? credentials.keyRing.seal(workspace, subscriptionId, String(value))] as const;
    });
  const filled: FilledTemplate = {
    name: template.name,
    parameters: Object.fromEntries(entries.filter(([name]) => !secrets.includes(name))),
    sealed: Object.fromEntries(sealed),
    ...(stored?.allowOwnOrigin === undefined ? {} : { allowOwnOrigin: stored.allowOwnOrigin }),
  };
  return { filled, url, shown };
}

const isKept = (value: unknown): boolean => value === undefined || value === MASK;

/** What was given, with the secrets that stay and, for a change, what is not secret and not given. */
function withKept(
  template: VendorTemplate,
  given: Record<string, unknown>,
  kept: FilledTemplate | null,
  { credentials, workspace, subscriptionId }: FillContext,
): Record<string, unknown> {
  const all: Record<string, unknown> = { ...kept?.parameters, ...given };
  for (const name of secretNames(template)) {
    if (!isKept(given[name])) continue;
    const sealed = kept?.sealed[name];
    if (sealed === undefined) delete all[name];
    else all[name] = credentials.keyRing.open(workspace, subscriptionId, sealed);
  }
  return all;
}

function checkTarget(template: VendorTemplate, parameters: Parameters, allow: AllowList): { url: URL; shown: string } {
  const target = template.target(parameters);
  const verdict = checkUrl(target.url, allow);
  if (!verdict.ok)
    throw new Problem('url-not-allowed', `template: ${verdict.message}`, {
      errors: [{ path: 'template.parameters', code: verdict.reason, message: verdict.message }],
      body: verdict.setting === null ? {} : { setting: verdict.setting },
    });
  const wrong = checkCustomHeaders(Object.entries(target.headers).map(([name, value]) => ({ name, value })));
  if (wrong) throw invalidField('template.parameters', wrong.reason, `${wrong.name}: ${wrong.message}`);
  return { url: verdict.url, shown: shownUrl(template, parameters) };
}

/** The parameter that holds the address of the receiver, where the template has one: a subscription's `url` is taken for it. */
export const urlParameterOf = ({ parameters }: VendorTemplate): string | undefined =>
  parameters.find(({ type, required }) => type === 'url' && required)?.name;

/** @throws Problem for an event that the vendor's request cannot say */
export function checkTemplateEvents(template: VendorTemplate, events: readonly string[]): void {
  const supported = supportedEventsOf(template);
  const wrong = events.findIndex((pattern) => !supported.some((name) => matchesEvent([pattern], name)));
  if (wrong < 0) return;
  const fit = eventPatterns.filter((pattern) => supported.some((name) => matchesEvent([pattern], name)));
  throw invalidField(
    `events[${wrong}]`,
    'event-not-supported',
    `${template.name} cannot say this; it can say ${fit.join(', ')}`,
  );
}

/** What people see of a subscription's template. */
export const templateView = ({ name, parameters, sealed }: FilledTemplate) => ({
  name,
  parameters: {
    ...parameters,
    ...(Object.fromEntries(Object.keys(sealed).map((one) => [one, MASK])) as Record<string, ParameterValue>),
  },
});
