import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type MadeWebhook } from './client.ts';
import { MonitoringServer, pathOf, programs, Queue } from './prometheus-servers.ts';
import { allInOneSite, type Site } from './sites.ts';

interface Incident {
  id: string;
  title: string;
  status: string;
  severity: string;
  webhook_occurrence_count: number;
}
interface AlertOfIncident {
  services: string[];
  tags: string[];
  source: string | null;
}

const missing = programs.filter((program) => pathOf(program) === undefined);
const mustRun = process.env['CI'] === 'true';
if (missing.length > 0 && !mustRun)
  process.stderr.write(
    `NOT TESTED: a real Prometheus and Alertmanager, because ${missing.join(', ')} is not installed\n`,
  );

let site: Site;
let client: Client;
beforeAll(async () => {
  site = await allInOneSite();
  client = new Client(site);
});
afterAll(() => site?.remove());

const makeWebhook = (name: string, connector: string, more: object = {}) =>
  client.make<MadeWebhook>('/api/v1/webhooks', {
    name,
    connector,
    rate_limit_per_hour: 0, // a Prometheus that evaluates each second would be over the default limit in two minutes
    correlation: { enabled: false }, // the same alert comes by several ways: each way shall open an incident of its own
    ...more,
  });
const incidentsOf = async (webhook: MadeWebhook) =>
  (await client.get<{ items: Incident[] }>(`/api/v1/incidents?webhook=${webhook.id}&limit=200`)).items;
const inStatus = (webhook: MadeWebhook, status: string) =>
  waitFor(async () => (await incidentsOf(webhook)).find((incident) => incident.status === status), {
    timeoutMs: 60_000,
    what: `an incident ${status}`,
  });

describe.skipIf(missing.length > 0 && !mustRun)('a real Prometheus and a real Alertmanager', () => {
  let directory: string;
  let queue: Queue;
  let prometheus: MonitoringServer;
  let alertmanager: MonitoringServer;
  const webhooks = {} as Record<'direct' | 'viaAlertmanager' | 'bothWays' | 'pagerDuty', MadeWebhook>;

  beforeAll(async () => {
    expect(missing, 'not installed, and CI=true').toEqual([]);
    directory = await mkdtemp(join(tmpdir(), 'tocsin-prometheus-'));
    queue = await Queue.start();
    webhooks.direct = await makeWebhook('Prometheus itself', 'prometheus');
    webhooks.viaAlertmanager = await makeWebhook('Alertmanager', 'prometheus');
    webhooks.bothWays = await makeWebhook('Both at once', 'prometheus');
    webhooks.pagerDuty = await makeWebhook('PagerDuty receiver', 'pagerduty', {
      auth: { method: 'basic', username: 'alertmanager' },
    });
    alertmanager = await startAlertmanager();
    prometheus = await startPrometheus();
  });
  afterAll(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    await queue?.close();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  const addressOf = (path: string) => new URL(path, site.at(path)).href;

  function startAlertmanager(): Promise<MonitoringServer> {
    const webhook = ({ token, secret }: MadeWebhook) => ({
      url: addressOf(`/webhook/${token}/trigger`),
      send_resolved: true,
      http_config: { authorization: { credentials: secret } },
    });
    const { viaAlertmanager, bothWays, pagerDuty } = webhooks;
    return MonitoringServer.start({
      program: 'prometheus-alertmanager',
      directory,
      configuration: {
        route: {
          receiver: 'tocsin',
          group_by: ['alertname'],
          group_wait: '0s',
          group_interval: '1s',
          repeat_interval: '2s',
        },
        receivers: [
          {
            name: 'tocsin',
            webhook_configs: [webhook(viaAlertmanager), webhook(bothWays)],
            pagerduty_configs: [
              {
                url: addressOf('/v2/enqueue'),
                routing_key: pagerDuty.token,
                http_config: { basic_auth: { username: 'alertmanager', password: pagerDuty.secret } },
              },
            ],
          },
        ],
      },
      flags: ({ port, file, data }) => [
        `--config.file=${file}`,
        `--storage.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
      ],
    });
  }

  async function startPrometheus(): Promise<MonitoringServer> {
    const rule = {
      alert: 'QueueTooLong',
      expr: 'queue_length > 100',
      labels: { severity: 'critical', service: 'checkout' },
      annotations: { summary: 'The queue of {{ $labels.pod }} is {{ $value }} long' },
    };
    const rules = join(directory, 'rules.yml');
    await writeFile(rules, JSON.stringify({ groups: [{ name: 'e2e', rules: [rule] }] }));
    const tocsin = ({ token, secret }: MadeWebhook) => ({
      path_prefix: `/prometheus/${token}`,
      authorization: { credentials: secret },
      static_configs: [{ targets: [new URL(site.at('/prometheus/')).host] }],
    });
    return MonitoringServer.start({
      program: 'prometheus',
      directory,
      configuration: {
        global: { scrape_interval: '1s', evaluation_interval: '1s', external_labels: { cluster: 'e2e' } },
        rule_files: [rules],
        scrape_configs: [{ job_name: 'queues', static_configs: [{ targets: [queue.address] }] }],
        alerting: {
          alertmanagers: [
            tocsin(webhooks.direct),
            tocsin(webhooks.bothWays),
            { static_configs: [{ targets: [alertmanager.address] }] },
          ],
        },
      },
      flags: ({ port, file, data }) => [
        `--config.file=${file}`,
        `--storage.tsdb.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--rules.alert.resend-delay=1s',
      ],
    });
  }

  const ways = ['direct', 'viaAlertmanager', 'bothWays', 'pagerDuty'] as const;

  it('opens an incident by every way when a rule fires', async () => {
    queue.length = 500;
    for (const way of ways) {
      const incident = await inStatus(webhooks[way], 'open');
      expect([way, incident.severity]).toEqual([way, way === 'pagerDuty' ? 'high' : 'critical']);
      expect(incident.title).toContain('QueueTooLong');
    }
  });

  it('counts the firing once, however often and by how many ways it is told', async () => {
    const tocsin = /\/prometheus\//;
    const sent = await prometheus.metric('prometheus_notifications_sent_total', tocsin);
    const notified = await alertmanager.metric('alertmanager_notifications_total', /integration="webhook"/);
    await waitFor(
      async () =>
        ((await prometheus.metric('prometheus_notifications_sent_total', tocsin)) ?? 0) >= (sent ?? 0) + 6 &&
        ((await alertmanager.metric('alertmanager_notifications_total', /integration="webhook"/)) ?? 0) >=
          (notified ?? 0) + 4,
      { timeoutMs: 60_000, what: 'repeats of the same firing' },
    );
    for (const way of ['direct', 'viaAlertmanager', 'bothWays'] as const) {
      const incidents = await incidentsOf(webhooks[way]);
      expect([way, incidents.map((incident) => incident.webhook_occurrence_count)]).toEqual([way, [1]]);
    }
  });

  it('keeps what each way tells beside the alert', async () => {
    const alertOf = async (way: keyof typeof webhooks) => {
      const [incident] = await incidentsOf(webhooks[way]);
      const { items } = await client.get<{ items: AlertOfIncident[] }>(`/api/v1/incidents/${incident?.id}/alerts`);
      expect(items).toHaveLength(1);
      return items[0];
    };
    const tags = expect.arrayContaining(['cluster:e2e', 'namespace:shop', 'pod:cart-1', 'job:queues']) as string[];
    const told = { tags, services: ['checkout'] };
    const ownAddress = new RegExp(`:${prometheus.port}$`);
    expect(await alertOf('direct')).toMatchObject({ ...told, source: expect.stringMatching(ownAddress) as string });
    expect(await alertOf('viaAlertmanager')).toMatchObject({
      ...told,
      source: expect.stringMatching(new RegExp(`:${alertmanager.port}$`)) as string,
    });
    expect((await alertOf('pagerDuty'))?.source).toBe('Alertmanager');
  });

  it('resolves every one of them when the rule does not fire any more', async () => {
    queue.length = 3;
    for (const way of ways) await inStatus(webhooks[way], 'resolved');
    for (const way of ways)
      expect([way, (await incidentsOf(webhooks[way])).map(({ status }) => status)]).toEqual([way, ['resolved']]);
  });

  it('refused nothing that the two sent', async () => {
    expect(await prometheus.metric('prometheus_notifications_errors_total')).toBe(0);
    expect(await prometheus.metric('prometheus_notifications_dropped_total')).toBe(0);
    expect(await alertmanager.metric('alertmanager_notifications_failed_total')).toBe(0);
  });
});

describe('a sender of PagerDuty events', () => {
  let webhook: MadeWebhook;
  const enqueue = async (event: object) => {
    const response = await fetch(`${site.at('/v2/enqueue')}/v2/enqueue`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`checks:${webhook.secret}`).toString('base64')}`,
      },
      body: JSON.stringify({ routing_key: webhook.token, ...event }),
    });
    return { status: response.status, body: (await response.json()) as { dedup_key: string } };
  };
  const trigger = (summary: string) => ({
    event_action: 'trigger',
    payload: { summary, source: 'backup-1', severity: 'critical' },
  });

  beforeAll(async () => {
    webhook = await makeWebhook('Home-made checks', 'pagerduty', { auth: { method: 'basic', username: 'checks' } });
  });

  it('opens an incident, acknowledges it and resolves it with the key that it was answered', async () => {
    const { status, body } = await enqueue(trigger('The backup is missing'));
    expect({ status, body }).toEqual({
      status: 202,
      body: { status: 'success', message: 'Event processed', dedup_key: expect.any(String) as string },
    });
    const { id } = await inStatus(webhook, 'open');
    expect((await enqueue({ event_action: 'acknowledge', dedup_key: body.dedup_key })).status).toBe(202);
    expect((await inStatus(webhook, 'acknowledged')).id).toBe(id);
    expect((await enqueue({ event_action: 'resolve', dedup_key: body.dedup_key })).status).toBe(202);
    expect((await inStatus(webhook, 'resolved')).id).toBe(id);
  });

  it('opens another one with every trigger that names no key', async () => {
    const before = (await incidentsOf(webhook)).length;
    await enqueue(trigger('The backup is missing'));
    await enqueue(trigger('The backup is missing'));
    await waitFor(async () => (await incidentsOf(webhook)).length === before + 2, {
      timeoutMs: 60_000,
      what: 'two more incidents',
    });
  });
});
