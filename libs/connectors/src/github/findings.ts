import { textAt, valueAt } from '@tocsin/domain/mapping';
import { type EventReader, keyOf, sentence, tag } from '../kit/event-reader.ts';
import { actionOf, languageOf, repositoryOf, words } from './reading.ts';

// Findings of the security features: Dependabot, code scanning, secret scanning, and the alerts that came before Dependabot's.

/** Every other action (assigned, validated) changes something on the finding. */
const actions = words({
  triggered: [
    ...['created', 'create', 'reopened', 'reopen', 'reopened_by_user', 'reintroduced', 'auto_reopened'],
    ...['appeared_in_branch', 'publicly_leaked'],
  ],
  resolved: [
    ...['fixed', 'dismissed', 'dismiss', 'auto_dismissed', 'closed_by_user', 'resolved', 'resolve', 'revoked'],
  ],
});

const ENDS = ['fixed_at', 'resolved_at', 'dismissed_at', 'auto_dismissed_at'] as const;

/** When the finding became what the action says. Older payloads have no time of a reopening: then there is none. */
function timeOf(event: unknown): string | undefined {
  const ended = actions.get(actionOf(event)) === 'resolved';
  const named = ended ? ENDS : actionOf(event).startsWith('create') ? ['created_at'] : [];
  const at = named.map((name) => textAt(event, 'alert', name)).find((time) => time !== undefined);
  return at ?? textAt(event, 'alert', 'updated_at');
}

const finding = (kind: string) => ({
  status: (event: unknown) => actions.get(actionOf(event)) ?? 'update',
  services: repositoryOf,
  url: (event: unknown) => textAt(event, 'alert', 'html_url') ?? textAt(event, 'alert', 'external_reference'),
  key: (event: unknown) =>
    keyOf(repositoryOf(event), kind, textAt(event, 'alert', 'number') ?? textAt(event, 'alert', 'id')),
  at: timeOf,
});

export const dependabot: EventReader = {
  ...finding('dependabot'),
  title: (event) => textAt(event, 'alert', 'security_advisory', 'summary'),
  description: (event) => textAt(event, 'alert', 'security_advisory', 'description'),
  severity: (event) =>
    textAt(event, 'alert', 'security_advisory', 'severity') ??
    textAt(event, 'alert', 'security_vulnerability', 'severity'),
  tags: (event) => [
    ...tag('ecosystem', textAt(valueAt(event, 'alert', 'dependency'), 'package', 'ecosystem')),
    ...tag('package', textAt(valueAt(event, 'alert', 'dependency'), 'package', 'name')),
    ...tag('cve', textAt(event, 'alert', 'security_advisory', 'cve_id')),
    ...languageOf(event),
  ],
};

/** The name of a rule may be empty. */
const ruleTitle = (event: unknown): string | undefined =>
  ['description', 'name', 'id']
    .map((name) => textAt(event, 'alert', 'rule', name))
    .find((title) => title !== undefined);

export const codeScanning: EventReader = {
  ...finding('code-scanning'),
  title: ruleTitle,
  description: (event) =>
    textAt(valueAt(event, 'alert', 'most_recent_instance'), 'message', 'text') ??
    textAt(event, 'alert', 'rule', 'full_description'),
  // How bad the hole is, where the rule says so; else how sure the tool is of its finding.
  severity: (event) =>
    textAt(event, 'alert', 'rule', 'security_severity_level') ?? textAt(event, 'alert', 'rule', 'severity'),
  tags: (event) => [
    ...tag('branch', textAt(event, 'ref')?.replace(/^refs\/(?:heads|tags)\//, '')),
    ...tag('tool', textAt(event, 'alert', 'tool', 'name')),
    ...languageOf(event),
  ],
};

export const secretScanning: EventReader = {
  ...finding('secret-scanning'),
  title: (event) => textAt(event, 'alert', 'secret_type_display_name') ?? textAt(event, 'alert', 'secret_type'),
  description: (event) => {
    const validity = textAt(event, 'alert', 'validity');
    return sentence(
      `Secret in ${repositoryOf(event) ?? 'a repository'}${validity === undefined ? '' : `, validity: ${validity}`}.`,
      textAt(event, 'alert', 'resolution_comment'),
    );
  },
  severity: () => 'critical',
  tags: languageOf,
};

/** Replaced by dependabot_alert; servers that still send it say "moderate" for medium. */
export const vulnerability: EventReader = {
  ...finding('vulnerability'),
  title: (event) =>
    sentence(textAt(event, 'alert', 'affected_package_name'), textAt(event, 'alert', 'external_identifier')),
  description: (event) =>
    `Affected versions: ${textAt(event, 'alert', 'affected_range') ?? 'unknown'}; fixed in: ${textAt(event, 'alert', 'fixed_in') ?? 'unknown'}.`,
  severity: (event) => textAt(event, 'alert', 'severity'),
  tags: (event) => [...tag('package', textAt(event, 'alert', 'affected_package_name')), ...languageOf(event)],
};
