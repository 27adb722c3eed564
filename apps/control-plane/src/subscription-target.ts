import { eventPatterns, type FilledTemplate } from '@tocsin/contracts';
import { type AllowList, checkUrl } from '@tocsin/domain/delivery';
import { vendorTemplateOf } from '@tocsin/domain/vendor-templates';
import { Problem } from '@tocsin/nest-shell';
import type { ConfigurationTx } from './configuration-store.ts';
import type { Credentials } from './credentials.ts';
import { workspaceDocumentOf } from './documents.ts';
import type { SubscriptionRow } from './entities.ts';
import { invalidField } from './fields.ts';
import type { UpdateSubscription } from './subscription.dto.ts';
import { checkTemplateEvents, fillTemplate, readGivenTemplate, urlParameterOf } from './templates/fill-template.ts';

/**
 * Where deliveries go and what they are about: the URL and events, or what a template makes of its parameters. @returns the address itself,
 * which may hold a secret: the row keeps it as it may be shown
 */
export async function applyTarget(
  tx: ConfigurationTx,
  { credentials, allow }: { credentials: Credentials; allow: AllowList },
  row: SubscriptionRow,
  input: UpdateSubscription,
): Promise<URL> {
  const stored = row.options.template ?? null;
  // What was shown and comes back says nothing new.
  const address = stored !== null && input.url === row.url ? undefined : input.url;
  if (stored !== null && input.template === undefined && address === undefined) return keptTarget(row, stored, input);
  const given = input.template === undefined && stored !== null ? { name: stored.name } : (input.template ?? null);
  if (given === null) return withoutTemplate(row, input, allow);
  const read = readGivenTemplate(given);
  const at = urlParameterOf(read.template);
  if (address !== undefined && at !== undefined) read.parameters = { [at]: address, ...read.parameters };
  else if (address !== undefined)
    throw invalidField('url', 'known-by-template', `${read.template.name} knows its address; leave url out`);
  const workspace = workspaceDocumentOf(await tx.workspace());
  const filled = fillTemplate(read, { credentials, workspace, subscriptionId: row.id, allow, stored });
  const { allow_own_origin: allowOwnOrigin = filled.filled.allowOwnOrigin } = input;
  row.options = {
    ...row.options,
    template: { ...filled.filled, ...(allowOwnOrigin === undefined ? {} : { allowOwnOrigin }) },
  };
  row.url = filled.shown;
  const events = input.events ?? (stored?.name === read.template.name ? row.events : [...read.template.defaultEvents]);
  row.events = checkedEvents(events);
  checkTemplateEvents(read.template, row.events);
  return filled.url;
}

function withoutTemplate(row: SubscriptionRow, input: UpdateSubscription, allow: AllowList): URL {
  if (row.options.template && input.url === undefined)
    throw invalidField('url', 'is-needed', 'is needed where the template goes: it held the address');
  if (input.allow_own_origin !== undefined)
    throw invalidField('allow_own_origin', 'no-template', 'says something of templates only');
  const { template: _gone, ...options } = row.options;
  row.options = options;
  const url = input.url === undefined ? keptUrl(row, input) : checkedUrl(input.url, allow);
  row.url = url.href;
  if (input.events) row.events = checkedEvents(input.events);
  return url;
}

/** Address of a subscription that nothing is sent to. */
const FEED_ONLY = 'about:feed';

/** @throws Problem validation-failed where something shall be sent, and nobody has said where to */
function keptUrl(row: SubscriptionRow, { delivery = row.options.delivery }: UpdateSubscription): URL {
  if (row.url !== '' && row.url !== FEED_ONLY) return new URL(row.url);
  if (delivery !== 'pull') throw invalidField('url', 'is-needed', 'is needed unless delivery is "pull"');
  return new URL(FEED_ONLY);
}

/** A change of something else: the address is not looked at again, so that what cannot be reached any more can still be paused. */
function keptTarget(row: SubscriptionRow, stored: FilledTemplate, input: UpdateSubscription): URL {
  const template = vendorTemplateOf(stored.name);
  if (input.allow_own_origin !== undefined)
    row.options = { ...row.options, template: { ...stored, allowOwnOrigin: input.allow_own_origin } };
  if (input.events) {
    row.events = checkedEvents(input.events);
    if (template) checkTemplateEvents(template, row.events);
  }
  return new URL(row.url);
}

/** @throws Problem url-not-allowed, naming the setting that would open it */
export function checkedUrl(text: string, allow: AllowList): URL {
  const verdict = checkUrl(text, allow);
  if (verdict.ok) return verdict.url;
  throw new Problem('url-not-allowed', `url: ${verdict.message}`, {
    errors: [{ path: 'url', code: verdict.reason, message: verdict.message }],
    body: verdict.setting === null ? {} : { setting: verdict.setting },
  });
}

function checkedEvents(events: readonly string[]): string[] {
  const unknown = events.findIndex((name) => !eventPatterns.includes(name));
  if (unknown >= 0)
    throw invalidField(`events[${unknown}]`, 'unknown-event', `must be one of ${eventPatterns.join(', ')}`);
  return [...new Set(events)];
}
