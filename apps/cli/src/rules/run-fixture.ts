import { connectorOf, connectors, type PastReceipt, type Reader, readerOf } from '@tocsin/connectors';
import type { NormalizedAlert } from '@tocsin/contracts';
import {
  type ConfigurationFile,
  configurationOf,
  newWebhook,
  rulesFrom,
  Simulation,
  withSettings,
  type WorkspaceDocuments,
} from '@tocsin/domain/replay';
import { UsageError } from '../terminal.ts';
import { type AlertFields, type Fixture, type Step, timeOf } from './fixture.ts';

/** Where no step says when: any fixed instant gives the same result. */
const START = Date.parse('2026-01-01T00:00:00.000Z');
const WORKSPACE = 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa';
const DEFAULT_WEBHOOK = 'default';

export interface Played {
  simulation: Simulation;
  /** Alert ids by the names of the fixture: a payload of several alerts names them `name[0]`, `name[1]`. */
  ids: Map<string, string>;
}

/** Plays the steps of a fixture under a configuration. @throws UsageError where a step names what is not there */
export function play(fixture: Fixture, configuration: ConfigurationFile, path: string): Played {
  const documents = documentsOf(configuration);
  const site = new Site(documents, path);
  let at = START - 1_000;
  for (const step of fixture.steps) {
    at = timeOf(step, START, at);
    if (Number.isNaN(at)) throw new UsageError(`${path}: ${nameOf(step)}: at: not an instant`);
    site.take(step, new Date(at).toISOString());
  }
  return { simulation: site.simulation, ids: site.ids };
}

/** A webhook per entry, and one for steps that name none where there is no entry at all. */
function documentsOf({ webhooks = [], correlation_rules: rules }: ConfigurationFile): WorkspaceDocuments {
  const entries = webhooks.length > 0 ? webhooks : [{ name: DEFAULT_WEBHOOK }];
  return {
    webhooks: entries.map((settings, index) => {
      const name = settings.name ?? settings.id ?? String(index);
      const body = withSettings(newWebhook(name, settings.connector ?? 'generic'), settings);
      return { id: settings.id ?? name, revision: 1, body };
    }),
    workspace: {
      revision: 1,
      body: { name: '', slug: '', wrappedDataKey: '', correlationRules: rules ? rulesFrom(rules) : null },
    },
  };
}

const nameOf = (step: Step): string => ('name' in step ? step.name : 'resolve' in step ? step.resolve : step.reopen);

class Site {
  readonly simulation: Simulation;
  readonly ids = new Map<string, string>();
  private readonly readers = new Map<string, Reader>();

  constructor(
    private readonly documents: WorkspaceDocuments,
    private readonly path: string,
  ) {
    this.simulation = new Simulation(configurationOf(documents));
    for (const { id, body } of documents.webhooks) {
      const connector = connectorOf(body.connector);
      if (!connector)
        throw this.wrong(
          id,
          `there is no connector ${body.connector}; there are ${connectors.map(({ source }) => source.id).join(', ')}`,
        );
      this.readers.set(id, readerOf(connector, body, { revision: 1 }));
    }
  }

  take(step: Step, at: string): void {
    if ('resolve' in step) return this.command('resolve', step.resolve, at);
    if ('reopen' in step) return this.command('reopen', step.reopen, at);
    if (this.ids.has(step.name)) throw this.wrong(step.name, 'is the name of an earlier step');
    const webhook = this.webhookOf(step);
    const alerts = 'alert' in step ? [this.written(step.name, step.alert, webhook, at)] : this.read(step, webhook, at);
    for (const [index, alert] of alerts.entries()) {
      this.ids.set(alerts.length === 1 ? step.name : `${step.name}[${index}]`, alert.id);
      this.simulation.alert(alert);
    }
  }

  private command(kind: 'resolve' | 'reopen', name: string, at: string): void {
    const openingAlertId = this.ids.get(name);
    if (openingAlertId === undefined) throw this.wrong(name, 'is the name of no earlier alert');
    this.simulation.command({ kind, openingAlertId, at, actor: { kind: 'user', id: 'fixture', name: null } });
  }

  private webhookOf(step: Extract<Step, { name: string }>): string {
    const { webhooks } = this.documents;
    const found =
      step.webhook === undefined
        ? webhooks.length === 1
          ? webhooks[0]
          : undefined
        : webhooks.find(({ id, body }) => id === step.webhook || body.name === step.webhook);
    if (found) return found.id;
    const known = webhooks.map(({ body }) => body.name).join(', ');
    throw this.wrong(
      step.name,
      `webhook: ${step.webhook ?? 'needed, one of'} ${step.webhook ? `is none of ${known}` : known}`,
    );
  }

  private read(step: Extract<Step, { payload: unknown }>, webhook: string, at: string): NormalizedAlert[] {
    const { name, payload, headers = {} } = step;
    const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
    const sent = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]));
    const contentType = sent['content-type'] ?? 'application/json';
    const alerts = this.readers.get(webhook)?.read({
      ...this.receipt(name, webhook, at),
      payload: { bytes, contentType, headers: sent, query: '' },
    });
    if (alerts === undefined || alerts.length === 0)
      throw this.wrong(name, 'the payload holds no alert of its platform');
    return alerts;
  }

  /** An alert that is written down field by field goes through the generic connector, so that keys and defaults are the real ones. */
  private written(name: string, fields: AlertFields, webhook: string, at: string): NormalizedAlert {
    const { metadata, custom_fields: customFields, ...rest } = fields;
    const generic = connectorOf('generic');
    const settings = this.documents.webhooks.find(({ id }) => id === webhook)?.body;
    if (!generic || !settings) throw new Error('no generic connector');
    const { mapping: _, ...plain } = settings;
    const bytes = Buffer.from(JSON.stringify({ ...metadata, ...rest }));
    const [alert] = readerOf(generic, plain, { revision: 1 }).read({
      ...this.receipt(name, webhook, at),
      payload: { bytes, contentType: 'application/json', headers: {}, query: '' },
    });
    if (!alert) throw this.wrong(name, 'cannot be read');
    return { ...alert, connector: settings.connector, customFields: { ...customFields }, fields: { ...metadata } };
  }

  private receipt = (name: string, webhookId: string, receivedAt: string): Omit<PastReceipt, 'payload'> => ({
    ...{ receiptId: `rcv_${name}`, workspaceId: WORKSPACE, webhookId, receivedAt },
  });

  private wrong = (name: string, what: string): UsageError => new UsageError(`${this.path}: ${name}: ${what}`);
}
