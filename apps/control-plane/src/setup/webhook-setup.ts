import type { KeyRing, ShellConfig } from '@tocsin/nest-shell';
import { type ConnectorAuth, credentialRuleOf } from '@tocsin/domain/authentication';
import type { ConfigurationStore } from '../configuration-store.ts';
import { type ConnectorGuide, guideOf, type SamplePayload } from '../connector-documents.ts';
import { workspaceDocumentOf } from '../documents.ts';
import { WebhookRow } from '../entities.ts';
import { integrationUrl, triggerUrl } from '../views.ts';
import type { ConnectorCatalogue } from '../webhooks.ts';
import { type Part, type Recipe, recipeOf, shownBy, titleCase } from './credential-recipe.ts';
import { curlExample } from './curl-example.ts';
import { examplePayloadOf } from './example-payload.ts';
import { type ExampleRequest, needsSecret, SECRET_VARIABLE } from './example-request.ts';
import { javascriptExample } from './javascript-example.ts';
import { pythonExample } from './python-example.ts';

/** What somebody needs to point a platform at a webhook. The secret itself is shown only when it is made. */
export class WebhookSetup {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly keyRing: Pick<KeyRing, 'open'>,
    private readonly connectors: ConnectorCatalogue,
    private readonly shell: Pick<ShellConfig, 'publicUrl'>,
  ) {}

  async of(workspaceId: string, id: string) {
    const { row, token } = await this.store.inWorkspace(workspaceId, async (tx) => {
      const webhook = await tx.find(WebhookRow, id);
      const workspace = workspaceDocumentOf(await tx.workspace());
      return { row: webhook, token: this.keyRing.open(workspace, webhook.id, webhook.sealedToken) };
    });
    // Known once the server listens, which is after this was made.
    const { publicUrl } = this.shell;
    return setupView(row, triggerUrl(publicUrl, token), {
      publicUrl,
      auth: this.connectors.get(row.connector)?.auth,
    });
  }
}

/** The address that READMEs stand in with. */
const EXAMPLE_ADDRESS = 'https://tocsin.example/webhook/<token>/trigger';
/** Only whether there is a secret matters for how it is shown. */
const ANY_SECRET = { bytes: new Uint8Array(1), notAfter: null };

function setupView(row: WebhookRow, url: string, known: { publicUrl: string; auth: ConnectorAuth | undefined }) {
  const recipe = recipeOf(credentialRuleOf(known.auth, row.auth, row.secrets.length > 0 ? [ANY_SECRET] : []));
  const { headers, query } = shownBy(recipe);
  const sample = examplePayloadOf(row.connector);
  const guide = guideOf(row.connector);
  const shown = (value: readonly Part[]) => value.map((part) => placeholderOf(part, recipe)).join('');
  return {
    webhook_id: row.id,
    connector: row.connector,
    url,
    integration_url: integrationUrl(known.publicUrl, row),
    method: 'POST',
    auth: { method: row.auth.method, secret_variable: needsSecret(recipe) ? SECRET_VARIABLE : null },
    headers: [
      { name: 'Content-Type', value: sample?.contentType ?? 'application/json' },
      ...headers.map(({ name, value }) => ({ name, value: shown(value) })),
    ],
    query: query.map(({ name, value }) => ({ name, value: shown(value) })),
    steps: guide.setupSteps.map((step) => step.replaceAll(EXAMPLE_ADDRESS, url)),
    guide: guideView(guide),
    sample: sample?.name ?? null,
    ...examplesOf(recipe, sample, url),
  };
}

export const guideView = ({ authentication, resolves, traps }: ConnectorGuide) => ({ authentication, resolves, traps });

function examplesOf(recipe: Recipe, sample: SamplePayload | undefined, url: string) {
  if (recipe.kind === 'vendor' || sample === undefined)
    return {
      examples: null,
      examples_reason: 'Requests are signed with a key of the platform, which only the platform has.',
    };
  const request: ExampleRequest = {
    url: sample.query === '' ? url : `${url}?${sample.query}`,
    contentType: sample.contentType,
    headers: Object.fromEntries(Object.entries(sample.headers).map(([name, value]) => [titleCase(name), value])),
    body: sample.body.trim(),
    recipe,
  };
  const examples = {
    curl: curlExample(request),
    javascript: javascriptExample(request),
    python: pythonExample(request),
  };
  return { examples, examples_reason: null };
}

function placeholderOf(part: Part, recipe: Recipe): string {
  if ('text' in part) return part.text;
  switch (part.variable) {
    case 'secret':
      return '<secret>';
    case 'credential':
      return `<base64 of ${recipe.kind === 'basic' ? recipe.username : 'user'}:<secret>>`;
    case 'time':
      return '<Unix seconds>';
    case 'signature':
      return recipe.kind === 'signature' ? `<${signatureText(recipe)}>` : '';
    default:
      return part.variable satisfies never;
  }
}

const SIGNED_TEXT = {
  body: 'the body',
  'time-body': '<Unix seconds>:<body>',
  'digest-time': '<base64 SHA-256 of the body>:<Unix seconds>:v1',
  'url-form': 'the address and the sorted form fields',
} as const;

const signatureText = ({ encoding, algorithm, signs }: Extract<Recipe, { kind: 'signature' }>): string =>
  `${encoding} HMAC-${algorithm === 'sha1' ? 'SHA-1' : 'SHA-256'} of ${SIGNED_TEXT[signs]}`;
