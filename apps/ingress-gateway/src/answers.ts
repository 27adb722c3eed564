import type { AlertAnswer, DecisionReason, Outcome } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import { answersOf, type ReceiptSoFar } from './merge-replies.ts';

/** An answer ready to send; `body` is JSON text. */
export interface Answer {
  status: 200 | 202;
  body: string;
}

export const statusUrlOf = (receiptId: string): string => `/api/v1/receipts/${receiptId}`;

/** 202: durable, outcome not known yet. Written by hand because every accepted request gets it; ids need no escaping. */
export const acceptedAnswer = (receiptId: string): Answer => ({
  status: 202,
  body: `{"receipt_id":"${receiptId}","status":"accepted","reason":null,"incident_id":null,"alerts":[],"status_url":"${statusUrlOf(receiptId)}"}`,
});

const alertOf = (alert: AlertAnswer) => ({
  alert_id: alert.alertId,
  incident_id: alert.incidentId,
  outcome: alert.outcome,
  reason: alert.reason,
  occurrence_count: alert.occurrenceCount,
});

/** The payload itself is what was wrong; a dead letter for another reason is ours to repair and answers 200. */
const UNRECOGNISED: ReadonlySet<DecisionReason> = new Set(['unrecognised-payload', 'undecodable-payload']);
const isUnrecognised = (outcome: Outcome | undefined, reason: DecisionReason | undefined): boolean =>
  outcome === 'dead-lettered' && reason !== undefined && UNRECOGNISED.has(reason);

/**
 * What a sender that waited is told: 200 with the outcome of every alert, the first one's in front.
 * @throws Problem `unrecognised-payload` where the connector could make nothing of the whole payload
 */
export function outcomeAnswer(soFar: ReceiptSoFar): Answer {
  const alerts = answersOf(soFar);
  const [first] = alerts;
  const outcome = first?.outcome ?? soFar.whole?.outcome ?? 'ignored';
  const reason = first?.reason ?? soFar.whole?.reason ?? null;
  if (
    alerts.length === 0
      ? isUnrecognised(outcome, reason ?? undefined)
      : alerts.every((alert) => isUnrecognised(alert.outcome, alert.reason))
  ) {
    throw unrecognised(soFar, alerts);
  }
  const body = {
    receipt_id: soFar.receiptId,
    status: outcome,
    reason,
    incident_id: first?.incidentId ?? null,
    alerts: alerts.map(alertOf),
    status_url: statusUrlOf(soFar.receiptId),
  };
  return { status: 200, body: JSON.stringify(body) };
}

function unrecognised(soFar: ReceiptSoFar, alerts: readonly AlertAnswer[]): Problem {
  const said = soFar.whole?.detail ?? 'The connector does not recognise this payload. It is kept as a dead letter.';
  return new Problem('unrecognised-payload', said, {
    ...(alerts.length === 0
      ? {}
      : {
          errors: alerts.map((alert) => ({ path: `$[${alert.index}]`, code: alert.reason, message: 'not recognised' })),
        }),
    body: { receipt_id: soFar.receiptId, status_url: statusUrlOf(soFar.receiptId) },
  });
}
