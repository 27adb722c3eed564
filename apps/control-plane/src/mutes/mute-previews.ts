import type { ConditionDocument, ProblemDetail } from '@tocsin/contracts';
import { holds, readCondition } from '@tocsin/domain/conditions';
import { subjectOf } from '@tocsin/domain/correlation';
import { compileTopology } from '@tocsin/domain/topology';
import { Problem } from '@tocsin/nest-shell';
import type { ConfigurationTx } from '../configuration-store.ts';
import { topologyIn } from '../topology/topology-rows.ts';
import { sampleAlerts, type SampledAlert } from './alert-sample.ts';
import { warningsOf } from './mute-views.ts';

/** A matcher that would keep more than half of the live alerts from anybody is probably not meant; a few alerts say nothing. */
export const BROAD = { share: 0.5, alerts: 5 } as const;
const SAMPLES_MAX = 10;
const HOUR_MS = 3_600_000;

export interface MutePreview {
  hours: number;
  live: { total: number; matched: number; share: number };
  recent: { total: number; matched: number };
  samples: ReturnType<typeof sampleView>[];
  /** Creating it would be refused unless it is forced. */
  over_broad: boolean;
  warnings: ProblemDetail[];
}

/** What these matchers would have kept from opening anything, of the alerts that came in the last hours. */
export async function previewMatchers(
  tx: ConfigurationTx,
  matchers: ConditionDocument,
  hours: number,
): Promise<MutePreview> {
  const read = readCondition(matchers);
  const topology = await topologyIn(tx);
  const compiled = topology && compileTopology({ dependencies: topology.dependencies });
  const recent = await sampleAlerts(tx, new Date(tx.now.getTime() - hours * HOUR_MS));
  const matched = read.ok
    ? recent.filter(({ alert }) => holds(read.condition, { alert: subjectOf(alert, compiled) }))
    : [];
  const isLive = ({ live }: SampledAlert): boolean => live;
  const live = { total: recent.filter(isLive).length, matched: matched.filter(isLive).length };
  const share = live.total === 0 ? 0 : Math.round((live.matched / live.total) * 1_000) / 1_000;
  const newest = matched.toReversed();
  return {
    hours,
    live: { ...live, share },
    recent: { total: recent.length, matched: matched.length },
    samples: [...newest.filter(isLive), ...newest.filter((one) => !one.live)].slice(0, SAMPLES_MAX).map(sampleView),
    over_broad: live.matched >= BROAD.alerts && share > BROAD.share,
    warnings: warningsOf(matchers),
  };
}

const sampleView = ({ alert, webhookName, live }: SampledAlert) => ({
  ...{ id: alert.id, receipt_id: alert.receiptId, webhook_id: alert.webhookId, webhook_name: webhookName },
  ...{ title: alert.title, severity: alert.severity, services: alert.services, tags: alert.tags },
  ...{ source: alert.source, dedup_key: alert.dedupKey, received_at: alert.receivedAt, live },
});

/** @throws Problem over-broad, with what it would match */
export async function refuseOverBroad(tx: ConfigurationTx, matchers: ConditionDocument, force: boolean): Promise<void> {
  if (force) return;
  const preview = await previewMatchers(tx, matchers, 24);
  if (!preview.over_broad) return;
  const { matched, total } = preview.live;
  throw new Problem(
    'over-broad',
    `It matches ${matched} of ${total} live alerts. Narrow the matchers, or send "force": true where that is meant.`,
    { body: { preview } },
  );
}
