import { setImmediate as breathe } from 'node:timers/promises';
import { connectorOf, type PastReceipt, type Reader, readerOf } from '@tocsin/connectors';
import type { NormalizedAlert, WebhookDocument } from '@tocsin/contracts';
import { compare, comparisonView, configurationOf, Simulation } from '@tocsin/domain/replay';
import { type Clock, type ConfigurationFeed, Problem } from '@tocsin/nest-shell';
import type { ConfigurationStore } from '../configuration-store.ts';
import { WebhookRow } from '../entities.ts';
import type { PutCorrelationRules } from './correlation.dto.ts';
import { rulesOf } from './correlation-rule-sets.ts';
import { warningsOf } from './read-rules.ts';
import { storedPayloads } from './stored-payloads.ts';

/** More alerts than this are not decided about twice while somebody waits. */
const ALERTS_MAX = 20_000;
/** What the mapping of one payload may cost, as in previews. */
const EFFORT = 1_000_000;
/** Between two breaths: others want this process, too. */
const AT_ONCE = 50;
const HOUR_MS = 3_600_000;
/** How long the feed may be behind what has just been saved. */
const PATIENCE_MS = 5_000;

export interface RuleTestParts {
  store: ConfigurationStore;
  feed: Pick<ConfigurationFeed, 'atLeast' | 'webhook' | 'workspace' | 'mutes' | 'topology'>;
  clock: Clock;
}

export interface RuleTest {
  workspaceId: string;
  webhookId: string;
  input: PutCorrelationRules;
  hours: number;
  limit: number;
}

/** What changed rules of a webhook would have joined or split among what the workspace received lately. Nothing is written. */
export class RuleTests {
  constructor(private readonly parts: RuleTestParts) {}

  /** @throws Problem not-found, validation-failed; unavailable while the configuration is behind */
  async run({ workspaceId, webhookId, input, hours, limit }: RuleTest) {
    const rules = rulesOf(input);
    const { store, feed, clock } = this.parts;
    const to = clock();
    const { row, stored } = await store.inWorkspace(workspaceId, async (tx) => ({
      row: await tx.find(WebhookRow, webhookId),
      stored: await storedPayloads(tx, new Date(to.getTime() - hours * HOUR_MS)),
    }));
    if (!(await feed.atLeast(row.revision, PATIENCE_MS)))
      throw new Problem('unavailable', 'The configuration has not been heard yet.', {
        headers: { 'retry-after': '5' },
      });
    const webhooks = this.webhooksOf(stored.receipts, webhookId);
    const proposed = webhooks.map((webhook) => (webhook.id === webhookId ? withRules(webhook, input, rules) : webhook));
    const { alerts, all } = await readAgain(stored.receipts, webhooks);
    const [before, after] = [this.simulation(workspaceId, webhooks), this.simulation(workspaceId, proposed)];
    for (const [index, alert] of alerts.entries()) {
      if (index % AT_ONCE === 0) await breathe();
      before.alert(alert);
      after.alert(alert);
    }
    return {
      ...{ id: webhookId, revision: row.revision, hours, from: stored.from, to: to.toISOString() },
      receipts: { read: stored.receipts.length, skipped: stored.skipped },
      complete: stored.complete && all,
      ...comparisonView(compare(before, after), limit),
      warnings: rules ? warningsOf(rules) : [],
    };
  }

  private webhooksOf(receipts: readonly PastReceipt[], tested: string): WebhookDocument[] {
    const ids = new Set([tested, ...receipts.map(({ webhookId }) => webhookId)]);
    return [...ids].flatMap((id) => this.parts.feed.webhook(id) ?? []);
  }

  private simulation(workspaceId: string, webhooks: readonly WebhookDocument[]): Simulation {
    const { feed } = this.parts;
    const mutes = feed.mutes(workspaceId);
    return new Simulation(
      configurationOf({
        webhooks,
        workspace: feed.workspace(workspaceId),
        mutes,
        topology: feed.topology(workspaceId),
      }),
    );
  }
}

function withRules(
  webhook: WebhookDocument,
  input: PutCorrelationRules,
  rules: ReturnType<typeof rulesOf>,
): WebhookDocument {
  const { correlation } = webhook.body;
  const enabled = input.enable_correlation ?? correlation.enabled;
  return { ...webhook, body: { ...webhook.body, correlation: { ...correlation, enabled, rules } } };
}

/** `all`: none was left out because there are too many. */
async function readAgain(
  receipts: readonly PastReceipt[],
  webhooks: readonly WebhookDocument[],
): Promise<{ alerts: NormalizedAlert[]; all: boolean }> {
  const readers = new Map<string, Reader>();
  for (const { id, revision, body } of webhooks) {
    const connector = connectorOf(body.connector);
    if (connector) readers.set(id, readerOf(connector, body, { revision, effort: EFFORT }));
  }
  const alerts: NormalizedAlert[] = [];
  for (const [index, receipt] of receipts.entries()) {
    if (index % AT_ONCE === 0) await breathe();
    if (alerts.length >= ALERTS_MAX) return { alerts, all: false };
    alerts.push(...(readers.get(receipt.webhookId)?.read(receipt) ?? []));
  }
  return { alerts, all: true };
}
