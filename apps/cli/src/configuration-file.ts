import { extname } from 'node:path';
import type { WebhookDocument } from '@tocsin/contracts';
import {
  type ConfigurationFile,
  readConfigurationFile,
  rulesFrom,
  withSettings,
  type WebhookSettings,
  type WorkspaceDocuments,
} from '@tocsin/domain/replay';
import { parse } from 'yaml';
import { type Terminal, UsageError } from './terminal.ts';

/** A YAML or JSON file as data. @throws UsageError naming the file, and the line where it cannot be read */
export async function readDocument(path: string, terminal: Terminal): Promise<unknown> {
  let text: string;
  try {
    text = (await terminal.read(path)).toString('utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    return extname(path) === '.json' ? (JSON.parse(text) as unknown) : (parse(text) as unknown);
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

/** A configuration file. @throws UsageError with everything that is wrong with it */
export async function readConfiguration(path: string, terminal: Terminal): Promise<ConfigurationFile> {
  return configurationIn(await readDocument(path, terminal), path);
}

export function configurationIn(document: unknown, path: string): ConfigurationFile {
  const read = readConfigurationFile(document);
  if (read.ok) return read.file;
  throw new UsageError(read.problems.map((problem) => `${path}: ${problem.path}: ${problem.message}`).join('\n'));
}

/** The documents of a workspace with what a file says over them. @throws UsageError for a webhook that is not there */
export function withFile(documents: WorkspaceDocuments, file: ConfigurationFile, path: string): WorkspaceDocuments {
  const settings = new Map<string, WebhookSettings>();
  for (const one of file.webhooks ?? []) settings.set(named(documents.webhooks, one, path).id, one);
  const webhooks = documents.webhooks.map((webhook) => {
    const given = settings.get(webhook.id);
    return given ? { ...webhook, body: withSettings(webhook.body, given) } : webhook;
  });
  const { workspace } = documents;
  const rules = file.correlation_rules;
  if (rules === undefined || !workspace) return { ...documents, webhooks };
  const body = { ...workspace.body, correlationRules: rules && rulesFrom(rules) };
  return { ...documents, webhooks, workspace: { ...workspace, body } };
}

type Webhook = Pick<WebhookDocument, 'id' | 'revision' | 'body'>;

function named(webhooks: readonly Webhook[], { id, name }: WebhookSettings, path: string): Webhook {
  const found = webhooks.filter((webhook) => (id === undefined ? webhook.body.name === name : webhook.id === id));
  const [webhook, another] = found;
  if (webhook && !another) return webhook;
  const known = webhooks.map((one) => one.body.name).join(', ');
  throw new UsageError(
    another
      ? `${path}: several webhooks are called ${name}: give their id`
      : `${path}: there is no webhook ${id ?? name}; there are ${known || 'none'}`,
  );
}
