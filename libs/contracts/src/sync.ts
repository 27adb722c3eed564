import Type, { type Static } from 'typebox';
import type { PublicIncidentSchema } from './alerts.ts';
import { InstantSchema } from './alerts.ts';
import type { FeedDocument, SealedText } from './configuration.ts';
import { ActorSchema } from './public-events.ts';
import { SeveritySchema, type IncidentStatus } from './vocabulary.ts';

/** Systems with which incidents are kept in step (product P12, two-way sync). */
export const syncSystems = ['jira', 'servicenow'] as const;
export type SyncSystem = (typeof syncSystems)[number];
export const syncDirections = ['out', 'in', 'both'] as const;
export type SyncDirection = (typeof syncDirections)[number];
export const syncAuthMethods = ['basic', 'token', 'oauth2'] as const;
export type SyncAuthMethod = (typeof syncAuthMethods)[number];

/** How Tocsin signs in as its own integration user; the secret is sealed. */
export interface SyncAuth {
  method: SyncAuthMethod;
  /** `basic`: the user. `token`: the account's e-mail address (Jira Cloud), or null where the token stands alone. */
  username: string | null;
  /** `oauth2`, client credentials. */
  tokenUrl: string | null;
  clientId: string | null;
  scope: string | null;
  /** Password, API token or client secret. */
  secret: SealedText;
}

/** States that the other system can bring an incident into. */
export const syncedStatuses = ['open', 'acknowledged', 'resolved'] as const;
export type SyncedStatus = (typeof syncedStatuses)[number];

/** Fields of an incident that can be told, and those of them that can be taken over. */
export const syncFieldsOut = [
  ...(['title', 'description', 'severity', 'priority', 'assignee', 'urgency'] as const),
  ...(['url', 'source', 'services', 'tags', 'number', 'id'] as const),
] as const;
export type SyncFieldOut = (typeof syncFieldsOut)[number];
export const syncFieldsIn = ['title', 'description', 'severity', 'priority', 'assignee'] as const;
export type SyncFieldIn = (typeof syncFieldsIn)[number];
/** Form of a value on the other side: text, or an object with one of these keys, as Jira has them. */
export const syncFormats = ['text', 'name', 'value', 'id', 'accountId'] as const;
export type SyncFormat = (typeof syncFormats)[number];

export interface SyncFieldMap {
  field: SyncFieldOut;
  /** Name of the field on the other side. */
  external: string;
  direction: SyncDirection;
  format: SyncFormat;
  /** Words of Tocsin → words of the other side; others go as they are. */
  values: Record<string, string>;
  /** The way back; absent words are looked up in `values` the other way round. */
  valuesIn: Record<string, string>;
}

export interface SyncLinkBody {
  name: string;
  system: SyncSystem;
  active: boolean;
  baseUrl: string;
  auth: SyncAuth;
  /** Jira: key of the project. */
  project: string | null;
  /** Jira: name of the issue type. */
  issueType: string | null;
  /** ServiceNow: the table. */
  table: string | null;
  direction: SyncDirection;
  comments: boolean;
  workNotes: boolean;
  status: boolean;
  fields: boolean;
  statusOut: Partial<Record<IncidentStatus, string>>;
  statusIn: Record<string, SyncedStatus>;
  /** What the other side wants to be set together with a status, e.g. a resolution. */
  statusFields: Partial<Record<IncidentStatus, Record<string, unknown>>>;
  fieldMap: SyncFieldMap[];
  /** Set when an issue or record is made, as they are. */
  createFields: Record<string, unknown>;
  /** Incidents that this webhook opened are about issues that are there already: those are taken, none is made. */
  webhookId: string | null;
  pollSeconds: number;
}
export type SyncLinkDocument = FeedDocument<'sync-link', SyncLinkBody>;

const Text = Type.String();

/** Timeline entries that are no events of the stream. */
export const syncNoteTypes = ['sync.linked', 'sync.superseded', 'sync.refused', 'sync.failed'] as const;
export type SyncNoteType = (typeof syncNoteTypes)[number];

/** Value of `incident.commands`: what somebody did to an incident in another system. */
export const IncidentCommandSchema = Type.Object({
  /** `<link id>:<what has changed there>`: the same change is the same cause, and the link knows its own echo by it. */
  id: Text,
  incident_id: Text,
  workspace_id: Text,
  link: Type.Object({ id: Text, name: Text, system: Type.Enum([...syncSystems]) }),
  external: Type.Object({ id: Text, key: Text, url: Type.Union([Text, Type.Null()]) }),
  actor: ActorSchema,
  /** When it was done there. */
  source_at: InstantSchema,
  /** When it was read. */
  at: InstantSchema,
  config_revision: Type.Integer({ minimum: 0 }),
  command: Type.Union([
    Type.Object({ kind: Type.Literal('comment'), text: Text }),
    Type.Object({ kind: Type.Literal('status'), status: Type.Enum([...syncedStatuses]), external: Text }),
    Type.Object({
      kind: Type.Literal('fields'),
      fields: Type.Object({
        title: Type.Optional(Text),
        description: Type.Optional(Text),
        severity: Type.Optional(SeveritySchema),
        priority: Type.Optional(Type.Union([Text, Type.Null()])),
        assignee: Type.Optional(Type.Union([Text, Type.Null()])),
      }),
    }),
    Type.Object({ kind: Type.Literal('note'), type: Type.Enum([...syncNoteTypes]), detail: Text }),
  ]),
});
export type IncidentCommandRecord = Static<typeof IncidentCommandSchema>;
export type ExternalCommand = IncidentCommandRecord['command'];

/** The part of an incident that a new issue or record is made of. */
export type SyncedIncident = Static<typeof PublicIncidentSchema>;
