import {
  alertIdOf,
  encodeRecord,
  incidentIdOf,
  type AlertsCorrelated,
  type CorrelatedAlert,
  type Decision,
  type NormalizedAlert,
} from '@tocsin/contracts';
import type { Input } from '@tocsin/postgres';

/** Builders for the specs of this service: one workspace's correlated alerts, with what they leave unsaid filled in. */
export class Scene {
  private offset = 0n;
  constructor(
    readonly workspaceId: string,
    readonly webhookId: string,
    private readonly start: number,
  ) {}

  minute = (count: number): string => new Date(this.start + count * 60_000).toISOString();
  receiptId = (receipt: string): string => `rcv_${this.workspaceId}_${receipt}`;
  alertId = (receipt: string): string => alertIdOf(this.receiptId(receipt), 0);
  incidentId = (receipt: string): string => incidentIdOf(this.workspaceId, this.alertId(receipt));

  alert(receipt: string, at: number, fields: Partial<NormalizedAlert> & { key?: string } = {}): NormalizedAlert {
    const { key = receipt, ...others } = fields;
    return {
      ...{
        id: this.alertId(receipt),
        index: 0,
        receiptId: this.receiptId(receipt),
        workspaceId: this.workspaceId,
        webhookId: this.webhookId,
      },
      ...{
        connector: 'generic',
        kind: 'alert',
        status: 'triggered',
        severity: 'high',
        title: `Alert ${key}`,
        description: 'of a spec',
      },
      ...{
        services: ['orders'],
        tags: ['env:test'],
        source: 'spec',
        url: null,
        occurredAt: null,
        occurredAtOrders: false,
        receivedAt: this.minute(at),
      },
      ...{
        dedupKey: key,
        dedupKeyOrigin: 'mapping',
        resolveKey: key,
        firingKey: null,
        scope: this.workspaceId,
        incidentType: null,
      },
      ...{ customFields: {}, fields: {}, configRevision: 0, notes: [], ...others },
    };
  }

  decided = (
    alert: NormalizedAlert,
    decision: Decision,
    reason: CorrelatedAlert['why']['reason'] = 'new-alert',
  ): CorrelatedAlert => ({
    alert,
    decision,
    why: { reason, tried: [{ step: 'open', result: 'hit' }], configRevision: 0 },
  });

  opened = (receipt: string, at: number, fields: Partial<NormalizedAlert> & { key?: string } = {}): CorrelatedAlert =>
    this.decided(this.alert(receipt, at, fields), { kind: 'opened', incidentId: this.incidentId(receipt) });
  repeat = (receipt: string, at: number, first: string, fields: Partial<NormalizedAlert> = {}): CorrelatedAlert =>
    this.decided(
      this.alert(receipt, at, { key: first, ...fields }),
      { kind: 'deduplicated', incidentId: this.incidentId(first), alertId: this.alertId(first) },
      'same-dedup-key',
    );
  joins = (receipt: string, at: number, first: string): CorrelatedAlert =>
    this.decided(this.alert(receipt, at), { kind: 'correlated', incidentId: this.incidentId(first) }, 'time-window');
  over = (receipt: string, at: number, first: string): CorrelatedAlert =>
    this.decided(
      this.alert(receipt, at, { key: first, status: 'resolved' }),
      { kind: 'resolved', incidentId: this.incidentId(first), alertIds: [this.alertId(first)] },
      'alert-resolved',
    );

  recorded = (receipt: string, at: number, fields: Partial<NormalizedAlert> & { key?: string } = {}): CorrelatedAlert =>
    this.decided(
      this.alert(receipt, at, fields),
      { kind: 'recorded', alertId: this.alertId(receipt), effect: 'recorded' },
      'open-when',
    );
  recordedAgain = (
    receipt: string,
    at: number,
    first: string,
    effect: 'repeated' | 'resolved' = 'repeated',
  ): CorrelatedAlert =>
    this.decided(
      this.alert(receipt, at, { key: first, status: effect === 'resolved' ? 'resolved' : 'triggered' }),
      { kind: 'recorded', alertId: this.alertId(first), effect },
      effect === 'resolved' ? 'alert-resolved' : 'same-dedup-key',
    );

  /** One receipt's record with these alerts. */
  record(...alerts: CorrelatedAlert[]): AlertsCorrelated {
    const { receiptId, receivedAt } = alerts[0]!.alert;
    const { workspaceId, webhookId } = this;
    return { receiptId, workspaceId, webhookId, scope: workspaceId, receivedAt, receiptTotal: alerts.length, alerts };
  }

  input(...alerts: CorrelatedAlert[]): Input {
    const value = Buffer.from(encodeRecord('alerts.correlated.v1', this.record(...alerts)));
    return {
      offset: this.offset++,
      key: this.workspaceId,
      type: 'alerts.correlated.v1',
      value,
      headers: {},
      timestamp: this.start,
    };
  }
}
