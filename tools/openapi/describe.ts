import type { ProblemCode } from '@tocsin/contracts';
import type { JsonSchema } from './json-schema.ts';

/** Chapters of the document, in their order. */
export const tags = {
  Ingest: 'Where alert sources send to. The credential is that of the webhook, not an API key.',
  Incidents: 'Incidents, their alerts, timelines and investigations; commands of people.',
  Receipts: 'What became of one request of a source.',
  Webhooks: 'Addresses for alert sources, and what a source can be.',
  Silences: 'Alerts that open nothing for a while: silences and maintenance windows.',
  Topology: 'Services and which depend on which; rules and time windows can go by it.',
  Mapping: 'How a payload becomes an alert.',
  Subscriptions: 'Receivers of events, and what was delivered to them.',
  Sync: 'Keeping incidents in step with issues of Jira and records of ServiceNow.',
  Events: 'The catalogue of outbound events, publishing them, and recommendations.',
  Changes: 'Deployments, builds and configuration changes, which investigations look at.',
  Access: 'Workspaces and API keys.',
  Operations: 'Health, the ledger, and records that could not be processed.',
  Documentation: 'This document.',
  Demo: 'Only in all-in-one.',
} as const;
export type Tag = keyof typeof tags;

export interface Answer {
  description: string;
  /** Absent: the answer has no body. */
  schema?: JsonSchema;
  /** Media type; JSON as a rule. */
  type?: string;
  /** Media types of the same answer in another form, which has no schema. */
  also?: readonly string[];
  headers?: Record<string, string>;
}

export interface HeaderParameter {
  description: string;
  schema?: JsonSchema;
  example?: string;
}

/** What the code cannot say of a route. Everything else (parameters, fields, limits, scopes, statuses) is read from it. */
export interface Description {
  tag: Tag;
  summary: string;
  description?: string;
  answers: Record<number, Answer>;
  /** Codes that this route answers with, beside those that follow from its credential, its parameters and its body. */
  problems?: readonly ProblemCode[];
  /** Codes that would follow, but cannot happen here. */
  never?: readonly ProblemCode[];
  /** Example values of path parameters. */
  path?: Record<string, string>;
  /** Example values of query parameters. */
  query?: Record<string, string | number | boolean>;
  /** Query parameters that no class declares (raw routes). */
  moreQuery?: Record<string, { description: string; schema: JsonSchema; required?: boolean }>;
  /** Request headers that matter here beside those that the handler reads by name. */
  headers?: Record<string, HeaderParameter>;
  /** Bodies to try, by name. Needed where the route takes a body. */
  bodies?: Record<string, { summary: string; value: unknown }>;
  /** Body of a route that reads the bytes itself: schema by media type. */
  rawBody?: { types: Record<string, JsonSchema>; required: boolean };
  /** Who may call, where it is no API key. */
  security?: readonly Record<string, readonly string[]>[];
}

export type Descriptions = Record<string, Description>;
