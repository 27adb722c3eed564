import type {
  ConditionDocument,
  CorrelationBasis,
  CorrelationRules,
  ProblemDetail,
  WebhookBody,
} from '@tocsin/contracts';
import { Compile } from 'typebox/compile';
import { recipeProblems } from '../alert/index.ts';
import { readCondition, type ConditionProblem } from '../conditions/index.ts';
import { readMapping } from '../mapping-rules/index.ts';
import {
  ConfigurationFileSchema,
  type ConfigurationFile,
  type RulesInput,
  type WebhookSettings,
} from './settings-schema.ts';

const checker = Compile(ConfigurationFileSchema);

/** A file that was read, or everything that is wrong with it. */
export type ReadFile = { ok: true; file: ConfigurationFile } | { ok: false; problems: ProblemDetail[] };

/** Reads a configuration file, once it has been parsed. Never throws. */
export function readConfigurationFile(document: unknown): ReadFile {
  if (!checker.Check(document)) {
    const problems = [...checker.Errors(document)].slice(0, 20).map(({ instancePath, message }) => ({
      path: instancePath.slice(1).replaceAll('/', '.') || '(file)',
      code: 'form',
      message,
    }));
    return { ok: false, problems };
  }
  const problems = [
    ...(document.webhooks ?? []).flatMap((webhook, index) => problemsOf(webhook, `webhooks[${index}]`)),
    ...ruleProblems(document.correlation_rules, 'correlation_rules'),
  ];
  return problems.length > 0 ? { ok: false, problems } : { ok: true, file: document };
}

function problemsOf(settings: WebhookSettings, path: string): ProblemDetail[] {
  const { correlation, correlation_rules: rules, open_when: openWhen, dedup, mapping, field_mapping } = settings;
  const named = settings.id ?? settings.name;
  const read = openWhen ? readCondition(openWhen) : undefined;
  const mapped = mapping || field_mapping ? readMapping(mappingInput(settings)) : undefined;
  return [
    ...(named === undefined ? [{ path, code: 'unnamed', message: 'needs a name or an id' }] : []),
    ...ruleProblems(rules, `${path}.correlation_rules`),
    ...ruleProblems(correlation?.rules, `${path}.correlation.rules`),
    ...(read && !read.ok ? read.problems.map((one) => below(`${path}.open_when`, one)) : []),
    ...recipeProblems(dedup?.recipe ?? ['title']).map((one) => ({ ...one, path: `${path}.dedup.recipe${one.path}` })),
    ...(mapped && !mapped.ok ? mapped.problems.map((one) => ({ ...one, path: `${path}.${one.path}` })) : []),
  ];
}

const ruleProblems = (rules: RulesInput | null | undefined, path: string): ProblemDetail[] =>
  (rules?.rules ?? []).flatMap(({ conditions }, index) => {
    const read = readCondition(conditions, { incident: true });
    return read.ok ? [] : read.problems.map((one) => below(`${path}.rules[${index}].conditions`, one));
  });

const below = (path: string, { path: rest, code, message }: ConditionProblem): ProblemDetail => ({
  path: rest === '' ? path : rest.startsWith('[') ? path + rest : `${path}.${rest}`,
  code,
  message,
});

const mappingInput = ({ mapping, field_mapping }: WebhookSettings): unknown =>
  field_mapping === undefined ? mapping : { ...(mapping ?? {}), field_mapping };

/** Rules as they are stored; what is not given has its default (product P10). */
export const rulesFrom = (input: RulesInput): CorrelationRules => ({
  enabled: input.enabled ?? true,
  strategy: input.strategy ?? 'first',
  minMatchWeight: input.min_match_weight ?? 0.5,
  priorityOrder: input.priority_order ?? 'asc',
  candidateMaxAgeHours: input.candidate_max_age_hours ?? 24,
  rules: (input.rules ?? []).map((rule) => ({
    ...{ name: rule.name, enabled: rule.enabled ?? true, priority: rule.priority ?? 100, weight: rule.weight ?? 1 },
    ...{ appliesTo: rule.applies_to ?? 'both', conditions: rule.conditions as unknown as ConditionDocument },
  })),
});

/** A new webhook, as far as its alerts are concerned (product P4, P7, P8, P10). */
export const newWebhook = (name: string, connector: string): WebhookBody => ({
  ...{ name, connector, description: '', enabled: true, tokenHmac: '', sealedToken: '', secrets: [] },
  ...{ auth: { method: 'none', header: null, prefix: null, username: null }, respond: 'accept', rateLimitPerHour: 0 },
  ...{ defaultSeverity: 'medium', severityProfile: 'tocsin', rca: { autoTrigger: false, minSeverity: 'medium' } },
  dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
  correlation: { enabled: true, windowMinutes: 5, by: 'service' },
});

/** A webhook with the given settings over its own, as a `PATCH` of it would leave it. The settings were checked. */
export function withSettings(body: WebhookBody, settings: WebhookSettings): WebhookBody {
  const { incident_type: incidentType, auto_resolve_after_minutes: autoResolve, open_when: openWhen } = settings;
  const mapping = mappingAfter(body, settings);
  return {
    ...body,
    connector: settings.connector ?? body.connector,
    defaultSeverity: settings.default_severity ?? body.defaultSeverity,
    severityProfile: settings.severity_profile ?? body.severityProfile,
    dedup: dedupAfter(body.dedup, settings.dedup),
    correlation: correlationAfter(body.correlation, settings),
    ...(mapping === undefined ? {} : { mapping }),
    ...(openWhen === undefined ? {} : { openWhen: openWhen as ConditionDocument | null }),
    ...(incidentType === undefined ? {} : { incidentType }),
    ...(autoResolve === undefined ? {} : { autoResolveAfterMinutes: autoResolve }),
    changes: { alertOnFailure: settings.changes?.alert_on_failure ?? body.changes?.alertOnFailure ?? true },
  };
}

function mappingAfter(body: WebhookBody, settings: WebhookSettings): WebhookBody['mapping'] {
  if (settings.mapping === undefined && settings.field_mapping === undefined) return body.mapping;
  const read = readMapping(mappingInput(settings) ?? {});
  return read.ok ? read.mapping : body.mapping;
}

function dedupAfter(before: WebhookBody['dedup'], given: WebhookSettings['dedup'] = {}): WebhookBody['dedup'] {
  const { key = before.key, recipe = before.recipe } = given;
  const { severity_policy: severityPolicy = before.severityPolicy } = given;
  const { ack_from_source: ackFromSource = before.ackFromSource } = given;
  return {
    windowHours: given.window_hours ?? before.windowHours,
    windowFrom: given.window_from ?? before.windowFrom,
    reopenMinutes: given.reopen_minutes ?? before.reopenMinutes,
    resolvePolicy: given.resolve_policy ?? before.resolvePolicy,
    ...(key && { key }),
    ...(recipe && { recipe }),
    ...(severityPolicy && { severityPolicy }),
    ...(ackFromSource !== undefined && { ackFromSource }),
  };
}

function correlationAfter(before: WebhookBody['correlation'], settings: WebhookSettings): WebhookBody['correlation'] {
  const { correlation: given = {}, correlation_rules: rules = given.rules, enable_correlation: enabled } = settings;
  return {
    enabled: enabled ?? given.enabled ?? before.enabled,
    windowMinutes: given.window_minutes ?? before.windowMinutes,
    by: (given.by as CorrelationBasis | undefined) ?? before.by,
    rules: rules === undefined ? (before.rules ?? null) : rules && rulesFrom(rules),
  };
}
