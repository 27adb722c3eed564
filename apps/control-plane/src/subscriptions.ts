import { mintId, type SigningKey, type SubscriptionBody } from '@tocsin/contracts';
import { type AllowList, checkCustomHeaders, publicKeyOf } from '@tocsin/domain/delivery';
import { readTemplate } from '@tocsin/domain/template';
import { Problem } from '@tocsin/nest-shell';
import type { ConfigurationStore, ConfigurationTx } from './configuration-store.ts';
import { type Credentials, newOutboundSecret, newSigningKey, rotated, sealFor, sealedSecret } from './credentials.ts';
import { SubscriptionRow, type SubscriptionOptions } from './entities.ts';
import { CLEAN_TEXT, invalidField } from './fields.ts';
import type { Page, PageQuery } from './pages.ts';
import type {
  CreateSubscription,
  RotateSubscriptionSecret,
  SubscriptionSettings,
  UpdateSubscription,
} from './subscription.dto.ts';
import { appliedFlow } from './subscription-flow.ts';
import { applyTarget } from './subscription-target.ts';
import { MASK } from './views.ts';
import type { Changed } from './webhooks.ts';

/** `secret` is shown once; the public key, which is no secret, with it. */
export type Shown = { secret?: string };

/** Delays of product P12, in seconds. */
const RETRY_SCHEDULE = [0, 60, 300, 1_800, 7_200, 28_800];

/** Creates, changes and rotates subscriptions. Every change is one transaction and one feed revision. */
export class Subscriptions {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly credentials: Credentials,
    private readonly allow: AllowList,
  ) {}

  list = (workspaceId: string, page: PageQuery): Promise<Page<SubscriptionRow>> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.list(SubscriptionRow, page));

  get = (workspaceId: string, id: string): Promise<SubscriptionRow> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.find(SubscriptionRow, id));

  create = (workspaceId: string, input: CreateSubscription): Promise<Changed<SubscriptionRow, Shown>> =>
    this.store.inWorkspace(workspaceId, (tx) => insertSubscription(tx, this.credentials, this.allow, input));

  update(
    workspaceId: string,
    id: string,
    input: UpdateSubscription,
    revision?: number,
  ): Promise<Changed<SubscriptionRow, Shown>> {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(SubscriptionRow, id, revision);
      await applyTarget(tx, { credentials: this.credentials, allow: this.allow }, row, input);
      await applySettings(tx, this.credentials, row, input);
      return { row: await tx.save(row), shown: {} };
    });
  }

  rotate(
    workspaceId: string,
    id: string,
    input: RotateSubscriptionSecret,
    revision?: number,
  ): Promise<Changed<SubscriptionRow, Shown>> {
    const secret = secretOf(input.secret ?? 'generate', this.credentials);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(SubscriptionRow, id, revision);
      const fresh = sealedSecret(this.credentials, await tx.workspace(), row.id, secret);
      row.secrets = rotated(row.secrets, fresh, input.overlap_hours, tx.now);
      const { signingKeys } = row.options;
      if (signingKeys) {
        const key = await newKey(tx, this.credentials, row);
        row.options = { ...row.options, signingKeys: rotated(signingKeys, key, input.overlap_hours, tx.now) };
      }
      return { row: await tx.save(row), shown: { secret } };
    });
  }

  remove = (workspaceId: string, id: string, revision?: number): Promise<void> =>
    this.store.inWorkspace(workspaceId, async (tx) => tx.remove(await tx.lock(SubscriptionRow, id, revision)));
}

/** Writes a new subscription. `id` is for callers that keep it themselves (the demo). */
export async function insertSubscription(
  tx: ConfigurationTx,
  credentials: Credentials,
  allow: AllowList,
  input: CreateSubscription & { id?: string },
): Promise<Changed<SubscriptionRow, Shown>> {
  const row = new SubscriptionRow();
  row.id = input.id ?? mintId('sub', credentials.random(16));
  row.workspaceId = tx.workspaceId;
  Object.assign(row, defaultSettings());
  const { host } = await applyTarget(tx, { credentials, allow }, row, input);
  row.name = host === '' ? 'feed' : host;
  const secret = input.secret === undefined ? undefined : secretOf(input.secret, credentials);
  row.secrets = secret === undefined ? [] : [sealedSecret(credentials, await tx.workspace(), row.id, secret)];
  await applySettings(tx, credentials, row, input);
  return { row: await tx.save(row), shown: secret === undefined ? {} : { secret } };
}

const defaultSettings = () => ({
  url: '',
  events: [] as string[],
  active: true,
  headers: [] as SubscriptionBody['headers'],
  envelope: 'cloudthinker' as const,
  retrySchedule: RETRY_SCHEDULE,
  timeoutSeconds: 30,
  userAgent: null,
  updateIntervalSeconds: 60,
  options: {} satisfies SubscriptionOptions,
});

async function applySettings(
  tx: ConfigurationTx,
  credentials: Credentials,
  row: SubscriptionRow,
  input: SubscriptionSettings,
): Promise<void> {
  if (input.active !== undefined && input.enabled !== undefined && input.active !== input.enabled)
    throw invalidField('enabled', 'contradiction', 'says the opposite of active; leave one of them out');
  row.name = input.name ?? row.name;
  row.active = input.active ?? input.enabled ?? row.active;
  row.envelope = input.envelope ?? row.envelope;
  row.retrySchedule = input.retry_schedule ?? row.retrySchedule;
  row.timeoutSeconds = input.timeout_seconds ?? row.timeoutSeconds;
  row.userAgent = input.user_agent === undefined ? row.userAgent : input.user_agent;
  row.updateIntervalSeconds = input.update_interval_seconds ?? row.updateIntervalSeconds;
  row.options = appliedFlow(await appliedOptions(tx, credentials, row, input), input);
  if (input.headers) row.headers = await sealedHeaders(tx, credentials, row, input.headers);
}

/** The optional parts after a change; what is not given stays. @throws Problem for a template that cannot be read */
async function appliedOptions(
  tx: ConfigurationTx,
  credentials: Credentials,
  row: SubscriptionRow,
  { transform, signatures, legacy_updates: legacyUpdates, occurrences }: SubscriptionSettings,
): Promise<SubscriptionOptions> {
  const options = { ...row.options };
  if (legacyUpdates !== undefined) options.legacyUpdates = legacyUpdates;
  if (occurrences !== undefined) options.occurrences = occurrences;
  if (transform === null) delete options.transform;
  else if (transform !== undefined) options.transform = checkedTransform(transform);
  if (signatures) options.signatures = signatures;
  if (options.signatures?.includes('standard-v1a') && !options.signingKeys)
    options.signingKeys = [await newKey(tx, credentials, row)];
  return options;
}

async function newKey(tx: ConfigurationTx, credentials: Credentials, row: SubscriptionRow): Promise<SigningKey> {
  const key = newSigningKey(credentials.random);
  return { ...sealedSecret(credentials, await tx.workspace(), row.id, key), publicKey: publicKeyOf(key) };
}

function checkedTransform(transform: unknown): unknown {
  const read = readTemplate(transform, 'transform');
  if (read.ok) return transform;
  throw new Problem('validation-failed', 'The transform cannot be used as it stands.', { errors: read.problems });
}

/** Seals the values of custom headers; a masked one keeps what is stored. @throws Problem for a name or value that cannot be sent */
async function sealedHeaders(
  tx: ConfigurationTx,
  credentials: Credentials,
  row: SubscriptionRow,
  given: Record<string, unknown>,
): Promise<SubscriptionBody['headers']> {
  const headers = Object.entries(given).map(([name, value]) => {
    if (typeof value === 'string') return { name, value };
    throw invalidField(`headers.${name}`, 'is-string', 'must be a text');
  });
  const wrong = checkCustomHeaders(headers);
  if (wrong)
    throw invalidField(
      wrong.name === '' ? 'headers' : `headers.${JSON.stringify(wrong.name).slice(1, -1)}`,
      wrong.reason,
      wrong.message,
    );
  const stored = new Map(row.headers.map((header) => [header.name.toLowerCase(), header.sealed]));
  const workspace = await tx.workspace();
  return headers.map(({ name, value }) => {
    const kept = value === MASK ? stored.get(name.toLowerCase()) : undefined;
    return { name, sealed: kept ?? sealFor(credentials, workspace, row.id, value) };
  });
}

/** A given secret must sign: Standard Webhooks wants base64 after `whsec_`, and a short one is no secret. */
function secretOf(text: string, credentials: Credentials): string {
  if (text === 'generate') return newOutboundSecret(credentials.random);
  if (text.length < 16) throw invalidField('secret', 'too-short', 'must have at least 16 characters, or be "generate"');
  if (!CLEAN_TEXT.test(text)) throw invalidField('secret', 'control-character', 'must not contain control characters');
  if (text.startsWith('whsec_') && !/^[A-Za-z0-9+/]{20,}={0,2}$/.test(text.slice('whsec_'.length)))
    throw invalidField('secret', 'not-base64', 'must have base64 after whsec_');
  return text;
}
