import type { IncidentEvent, IncidentEventType } from './events.ts';

const at = '2026-03-01T09:00:00.000Z';
const webhook = { kind: 'webhook', id: 'whk_sampleaaaaaaaaaaaaaaaaaaaa', name: null } as const;
const person = { kind: 'api-key', id: 'tsk_sample', name: 'Night shift' } as const;
const meta = { schemaVersion: 1, at, causeId: 'alr_sampleaaaaaaaaaaaaaaaaaaaa', configRevision: 4 } as const;
const alert = {
  id: 'alr_sampleaaaaaaaaaaaaaaaaaaaa',
  receipt_id: 'rcv_sampleaaaaaaaaaaaaaaaaaaaa',
  webhook_id: webhook.id,
  connector: 'generic',
  kind: 'alert',
  title: 'Disk of db-7 is 91 % full',
  severity: 'medium',
  status: 'open',
  services: ['orders-db'],
  tags: ['env:production'],
  source: 'node-agent',
  url: 'https://graphs.example.com/db-7',
  dedup_key: 'db-7/disk',
  resolve_key: 'db-7/disk',
  firing_key: null,
  occurred_at: null,
  received_at: at,
  role: 'opening',
  why: { reason: 'new-alert', tried: [{ step: 'open', result: 'hit' }], configRevision: 4 },
} as const;
const copy = {
  ...alert,
  services: [...alert.services],
  tags: [...alert.tags],
  why: { ...alert.why, tried: [...alert.why.tried] },
};

/** One sample of every event version ever released. A released one never changes: what was stored must still fold. */
export const eventSamples: { [Type in IncidentEventType]: Record<'v1', Extract<IncidentEvent, { type: Type }>> } = {
  IncidentOpened: {
    v1: {
      ...meta,
      type: 'IncidentOpened',
      actor: webhook,
      reason: 'new-alert',
      data: {
        workspace_id: 'ws_sampleaaaaaaaaaaaaaaaaaaaaa',
        scope: 'ws_sampleaaaaaaaaaaaaaaaaaaaaa',
        number: 12,
        title: alert.title,
        description: 'Grows by 2 % an hour',
        severity: 'medium',
        services: ['orders-db'],
        tags: ['env:production'],
        source: 'node-agent',
        connector: 'generic',
        webhook_id: webhook.id,
        url: alert.url,
        incident_type: null,
        custom_fields: { rack: 'b4' },
        predecessor_id: null,
        alert: copy,
      },
    },
  },
  AlertsAttached: {
    v1: {
      ...meta,
      type: 'AlertsAttached',
      actor: webhook,
      reason: 'time-window',
      data: { alerts: [{ ...copy, id: 'alr_samplebbbbbbbbbbbbbbbbbbbb', dedup_key: 'db-8/disk', role: 'correlated' }] },
    },
  },
  OccurrencesCounted: {
    v1: {
      ...meta,
      type: 'OccurrencesCounted',
      actor: webhook,
      reason: 'same-dedup-key',
      data: {
        count: 2,
        alerts: [
          { alert_id: alert.id, count: 2, last_seen_at: '2026-03-01T09:02:00.000Z', alert_ids: ['alr_c', 'alr_d'] },
        ],
      },
    },
  },
  AlertsResolved: {
    v1: {
      ...meta,
      type: 'AlertsResolved',
      actor: webhook,
      reason: 'alert-resolved',
      data: { alerts: [{ alert_id: alert.id, resolved_at: '2026-03-01T09:30:00.000Z', by_alert_id: 'alr_e' }] },
    },
  },
  SeverityChanged: {
    v1: {
      ...meta,
      type: 'SeverityChanged',
      actor: webhook,
      reason: null,
      data: { from: 'medium', to: 'high', policy: 'highest', alert_id: 'alr_c' },
    },
  },
  IncidentAcknowledged: {
    v1: { ...meta, type: 'IncidentAcknowledged', actor: person, reason: null, data: { note: 'on it', alert_id: null } },
  },
  IncidentResolved: {
    v1: {
      ...meta,
      type: 'IncidentResolved',
      actor: person,
      reason: null,
      data: { note: 'old logs removed', alert_id: null, as_of: '2026-03-01T09:40:00.000Z', open_alerts: 1 },
    },
  },
  IncidentReopened: {
    v1: {
      ...meta,
      type: 'IncidentReopened',
      actor: webhook,
      reason: 'recurrence',
      data: { note: null, alert_id: 'alr_f' },
    },
  },
  IncidentAssigned: {
    v1: {
      ...meta,
      type: 'IncidentAssigned',
      actor: person,
      reason: null,
      data: { assignee: 'ada@example.org', before: null },
    },
  },
  IncidentSnoozed: {
    v1: {
      ...meta,
      type: 'IncidentSnoozed',
      actor: person,
      reason: null,
      data: { until: '2026-03-01T12:00:00.000Z', note: 'after the backup' },
    },
  },
  SnoozeEnded: {
    v1: {
      ...meta,
      type: 'SnoozeEnded',
      actor: { kind: 'system', id: null, name: 'snooze timer' },
      reason: null,
      data: { by_timer: true, note: null },
    },
  },
  IncidentSuppressed: {
    v1: { ...meta, type: 'IncidentSuppressed', actor: person, reason: null, data: { note: 'a test machine' } },
  },
  CommentAdded: {
    v1: { ...meta, type: 'CommentAdded', actor: person, reason: null, data: { text: 'Who owns this disk?' } },
  },
  IncidentEdited: {
    v1: {
      ...meta,
      type: 'IncidentEdited',
      actor: webhook,
      reason: 'source-updated',
      data: { fields: { title: 'Disk of db-7 is 95 % full' }, before: { title: alert.title }, alert_id: 'alr_g' },
    },
  },
  IncidentDeclared: {
    v1: {
      ...meta,
      type: 'IncidentDeclared',
      actor: person,
      reason: 'opened-by-hand',
      data: {
        ...{ workspace_id: 'ws_sampleaaaaaaaaaaaaaaaaaaaaa', scope: 'ws_sampleaaaaaaaaaaaaaaaaaaaaa', number: 13 },
        ...{ title: 'Customers cannot pay', description: 'Three calls since nine', severity: 'high', priority: 'P1' },
        ...{ services: ['checkout'], tags: [], source: null, connector: null, webhook_id: null, url: null },
        ...{ incident_type: null, custom_fields: { tier: 'gold' }, assignee: 'ada@example.org' },
      },
    },
  },
  IncidentsMerged: {
    v1: {
      ...meta,
      type: 'IncidentsMerged',
      actor: person,
      reason: 'merged',
      data: {
        ...{ role: 'survivor', note: 'one disk' },
        incidents: [
          {
            ...{ incident_id: 'inc_samplebbbbbbbbbbbbbbbbbbbb', number: 11, title: 'Disk of db-8' },
            ...{ services: ['orders-db'], tags: ['env:production'] },
          },
        ],
      },
    },
  },
  AlertsMoved: {
    v1: {
      ...meta,
      type: 'AlertsMoved',
      actor: person,
      reason: 'alerts-moved',
      data: {
        ...{ direction: 'in', incident_id: 'inc_samplebbbbbbbbbbbbbbbbbbbb', note: null },
        alerts: [
          {
            alert: { ...copy, id: 'alr_samplecccccccccccccccccccc', dedup_key: 'db-8/disk', role: 'correlated' },
            ...{ occurrences: 3, resolved_at: null, last_seen_at: '2026-03-01T09:05:00.000Z' },
          },
        ],
      },
    },
  },
  PayloadErased: {
    v1: {
      ...meta,
      type: 'PayloadErased',
      actor: person,
      reason: 'erased',
      data: {
        note: 'request 4711',
        payloads: [{ version: 1, salt: '00112233445566778899aabbccddeeff', digest: 'ab'.repeat(32) }],
      },
    },
  },
  ExternalLinkAdded: {
    v1: {
      ...meta,
      type: 'ExternalLinkAdded',
      actor: { kind: 'system', id: null, name: 'OPS tickets' },
      reason: null,
      data: { system: 'jira', id: 'OPS-7', url: 'https://shop.atlassian.example/browse/OPS-7' },
    },
  },
  RcaNoted: {
    v1: {
      ...meta,
      type: 'RcaNoted',
      actor: { kind: 'investigation', id: 'rca_sample', name: 'built-in' },
      reason: null,
      data: {
        rca_id: 'rca_sample',
        outcome: 'completed',
        investigator: 'built-in',
        summary: 'A deployment of orders-db 6 minutes before',
        hypotheses: [{ rank: 1, kind: 'change', summary: 'orders-db 4.2', score: 0.7, evidence: [] }],
      },
    },
  },
};
