import { encodeRecord, type NormalizedAlert, type WebhookDocument } from '@tocsin/contracts';
import { newWebhook } from '@tocsin/domain/replay';
import type { Input } from '@tocsin/postgres';
import { Estate, type Owner, ruleDocument } from './correlate-load.ts';

export const BATCH = 500;
const RULES = 100;
/** Alerts that may still end: more join than end. */
const ENDS_MOST = 1_000;

/** One partition of what the correlator reads: a workspace with an open incident for each of its services, and what comes to it. */
export class Partition {
  readonly source: { group: 'dedup-correlator'; topic: 'correlation.inputs'; partition: number };
  private readonly owner: Owner;
  private readonly estate: Estate;
  private readonly ends: NormalizedAlert[] = [];
  private offset = 0n;

  constructor(partition: number, services: number) {
    this.source = { group: 'dedup-correlator', topic: 'correlation.inputs', partition };
    const letter = String.fromCharCode('a'.charCodeAt(0) + partition).repeat(26);
    this.owner = { workspaceId: `ws_${letter}`, webhookId: `whk_${letter}` };
    this.estate = new Estate(services, this.owner);
  }

  get webhook(): WebhookDocument {
    const { webhookId: id, workspaceId } = this.owner;
    const body = newWebhook('bench', 'generic');
    const correlation = { ...body.correlation, rules: ruleDocument(RULES) };
    return { ...{ revision: 1, kind: 'webhook', id, workspaceId, deleted: false }, body: { ...body, correlation } };
  }

  /** The first alert of each service. */
  openings(): Input[][] {
    const { services } = this.estate;
    return Array.from({ length: services / BATCH }, (_, batch) =>
      Array.from({ length: BATCH }, (_one, index) => this.heard(this.estate.opening(batch * BATCH + index))),
    );
  }

  batches(count: number): Input[][] {
    return Array.from({ length: count }, () => this.mixed().map((alert) => this.heard(alert)));
  }

  /** As the log would deliver it: the normalizer has encoded it. */
  private heard(alert: NormalizedAlert): Input {
    const { receiptId, workspaceId, webhookId, scope, receivedAt } = alert;
    const record = { receiptId, workspaceId, webhookId, scope, receivedAt, receiptTotal: 1, alerts: [alert] };
    const { buffer, byteOffset, byteLength } = encodeRecord('alerts.normalized.v1', record);
    const [value, type] = [Buffer.from(buffer, byteOffset, byteLength), 'alerts.normalized.v1'];
    return { offset: this.offset++, key: scope, type, value, headers: { type }, timestamp: Date.parse(receivedAt) };
  }

  /** Of a hundred alerts 60 repeats, 10 ends, 12 joined by a rule, 10 by the window, 8 new incidents, as in the other figures. */
  private mixed(): NormalizedAlert[] {
    const { estate, ends } = this;
    let service = 0;
    return Array.from({ length: BATCH }, (_, index) => {
      service = (service + 7_919) % estate.services;
      const place = (index * 37) % 100;
      if (place < 60) return estate.repeat(service);
      const joined = place < 72 ? estate.related(service) : place < 82 ? estate.nearby(service) : undefined;
      if (joined) {
        if (ends.length < ENDS_MOST) ends.push(joined);
        return joined;
      }
      const end = place < 92 ? ends.shift() : undefined;
      return end ? estate.resolve(end) : estate.strange();
    });
  }
}
