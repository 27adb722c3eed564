import { eventTypeNames, isEventType, type EventTypeName } from '@tocsin/contracts';
import { discord } from './discord.ts';
import { githubDispatch } from './github-dispatch.ts';
import { googleChat } from './google-chat.ts';
import { jira } from './jira.ts';
import { pagerduty } from './pagerduty.ts';
import { raw } from './raw.ts';
import { servicenow } from './servicenow.ts';
import { slack } from './slack.ts';
import { teams } from './teams.ts';
import { telegram } from './telegram.ts';
import { SECRET_MASK, type Parameters, type VendorTemplate } from './vendor-template.ts';

export { checkParameters, type CheckedParameters } from './check-parameters.ts';
export { dedupKeyOf } from './pagerduty.ts';
export {
  type Exchange,
  type Parameters,
  type ParameterValue,
  SECRET_MASK,
  type Target,
  type TemplateEvent,
  type TemplateParameter,
  type VendorTemplate,
} from './vendor-template.ts';

/** Every template, in the order of the docs (product P12). */
export const vendorTemplates: readonly VendorTemplate[] = [
  slack,
  teams,
  googleChat,
  discord,
  telegram,
  jira,
  servicenow,
  pagerduty,
  githubDispatch,
  raw,
];
export const vendorTemplateNames: readonly string[] = vendorTemplates.map(({ name }) => name);

const byName = new Map(vendorTemplates.map((template) => [template.name, template]));
export const vendorTemplateOf = (name: string): VendorTemplate | undefined => byName.get(name);

/** Whether the vendor's request can say an event. */
export const supportsEvent = ({ supportedEvents }: VendorTemplate, name: string): boolean =>
  isEventType(name) && (supportedEvents?.includes(name) ?? true);

export const supportedEventsOf = ({ supportedEvents }: VendorTemplate): readonly EventTypeName[] =>
  supportedEvents ?? eventTypeNames;

/** Whether an incident came from the platform that the template sends to: it would go round in circles (product P12). */
export const isOwnOrigin = ({ platforms }: VendorTemplate, connector: string | null | undefined): boolean =>
  typeof connector === 'string' && platforms.includes(connector);

export const secretNames = ({ parameters }: VendorTemplate): string[] =>
  parameters.filter(({ secret }) => secret).map(({ name }) => name);

/** The address as it may be shown: of a secret one the host, and secrets inside others masked. */
export function shownUrl(template: VendorTemplate, parameters: Parameters): string {
  const masked = { ...parameters };
  for (const { name, secret, type } of template.parameters) {
    const value = masked[name];
    if (!secret || value === undefined) continue;
    masked[name] = type === 'url' ? `${new URL(String(value)).origin}/${SECRET_MASK}` : SECRET_MASK;
  }
  return template.target(masked).url;
}
