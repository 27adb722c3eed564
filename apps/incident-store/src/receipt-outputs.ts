import { encodeRecord, type AlertAnswer, type AlertsCorrelated, type ReceiptsSettled } from '@tocsin/contracts';
import type { AlertSettled } from '@tocsin/domain/incident';
import type { Input, Output } from '@tocsin/postgres';

/** What became of one record: its answers in the order of its alerts. */
export interface SettledRecord {
  input: Input;
  record: AlertsCorrelated;
  answers: AlertSettled[];
  /** When the log had the correlator's record. */
  correlatedAt: string;
  settledAt: string;
}

/** Says in a header whose word an outcome is, so that this service need not take in its own. */
export const SAID_BY = 'said-by';
/** A packed record of outcomes names at most this many alerts. */
const OUTCOMES_MAX = 1_000;

const answerOf = ({ index, alertId, incidentId, outcome, reason, occurrenceCount }: AlertSettled): AlertAnswer => ({
  ...{ index, alertId, incidentId, outcome, reason, occurrenceCount },
});

/** The answer to a sender that may be waiting; published after the commit, so what it names can be read at once. */
export function replyOutput({ input, record, answers }: SettledRecord): Output {
  const { receiptId, receiptTotal: total } = record;
  const value = encodeRecord('receipt.replied.v1', { receiptId, total, alerts: answers.map(answerOf) });
  return { topic: 'webhook.replies', key: receiptId, type: 'receipt.replied.v1', value, by: { input } };
}

/** More services than this of one receipt are no news that anybody waits for. */
const SERVICES_MAX = 100;
function servicesOf({ alerts }: AlertsCorrelated): Pick<ReceiptsSettled['items'][number], 'services'> {
  const services = new Set(alerts.flatMap(({ alert }) => alert.services));
  return services.size === 0 ? {} : { services: [...services].slice(0, SERVICES_MAX) };
}

/** Outcomes of a batch, packed per webhook. */
export function outcomeOutputs(settled: readonly SettledRecord[]): Output[] {
  const outputs: Output[] = [];
  for (const [webhookId, records] of Map.groupBy(settled, ({ record }) => record.webhookId)) {
    let items: ReceiptsSettled['items'] = [];
    let alerts = 0;
    records.forEach((one, position) => {
      const { receiptId, workspaceId, receivedAt, receiptTotal: total } = one.record;
      items.push({
        receiptId,
        workspaceId,
        webhookId,
        receivedAt,
        settledAt: one.settledAt,
        total,
        alerts: one.answers.map(answerOf),
        ...servicesOf(one.record),
      });
      alerts += one.answers.length;
      if (alerts < OUTCOMES_MAX && position < records.length - 1) return;
      const value = encodeRecord('receipts.settled.v1', { items });
      const headers = { [SAID_BY]: 'incident-store' };
      outputs.push({
        topic: 'webhook.outcomes',
        key: webhookId,
        type: 'receipts.settled.v1',
        value,
        headers,
        by: { input: one.input },
      });
      [items, alerts] = [[], 0];
    });
  }
  return outputs;
}
