import { eventTypeOf, type FilledTemplate, type SubscriptionBody } from '@tocsin/contracts';
import { renderBody, type OutboundEvent } from '@tocsin/domain/delivery';
import { vendorTemplates } from '@tocsin/domain/vendor-templates';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { masking } from './mask-secrets.ts';
import { templateAccepts, vendorForm, vendorRequest } from './vendor-request.ts';

const ROUTING_KEY = 'R0123456789012345678901234567890';
const pagerduty: FilledTemplate = {
  name: 'pagerduty',
  parameters: { region: 'us' },
  sealed: { routing_key: `sealed ${ROUTING_KEY}` },
};
const open = (sealed: string) => sealed.replace('sealed ', '');
const envelope = (title: string) => ({
  ...{ id: 'evt_1', type: 'incident.created', timestamp: '2026-01-15T10:30:00.000Z', workspace_id: 'ws_1' },
  data: { ...eventTypeOf('incident.created').example, title },
});
const bodyOf = (filled: FilledTemplate, title = 'Disk full') =>
  renderBody(envelope(title), vendorForm(filled)!.rendering).body;

describe('the request of a template', () => {
  it('has its secret in the place that is known for it, and nowhere before it is sent', () => {
    const stored = bodyOf(pagerduty);
    expect(stored).not.toContain(ROUTING_KEY);
    const request = vendorRequest(pagerduty, stored, open)!;
    expect(JSON.parse(request.body)).toEqual({ ...(JSON.parse(stored) as object), routing_key: ROUTING_KEY });
    expect(Object.keys(JSON.parse(request.body) as object)[0]).toBe('routing_key');
    expect(request.secrets).toContain(ROUTING_KEY);
  });

  it('gives no secret to an alert, whatever its texts say', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('***', '{{secret.routing_key}}', '","routing_key":"x')),
        (title) => {
          const { body } = vendorRequest(pagerduty, bodyOf(pagerduty, title), open)!;
          expect(body.split(ROUTING_KEY)).toHaveLength(2);
        },
      ),
    );
  });

  it('has its secrets in address and headers', () => {
    const github: FilledTemplate = {
      ...{ name: 'github-dispatch', sealed: { token: 'sealed github_pat_1' } },
      parameters: { owner: 'acme', repo: 'runbooks', base_url: 'https://api.github.com' },
    };
    expect(vendorRequest(github, bodyOf(github), open)).toMatchObject({
      url: 'https://api.github.com/repos/acme/runbooks/dispatches',
      headers: expect.arrayContaining([{ name: 'authorization', value: 'Bearer github_pat_1' }]),
      secrets: expect.arrayContaining(['github_pat_1', 'Bearer github_pat_1']),
    });
    const telegram: FilledTemplate = {
      ...{ name: 'telegram', parameters: { chat_id: '1', base_url: 'https://api.telegram.org' } },
      sealed: { bot_token: 'sealed 1:abc' },
    };
    expect(vendorRequest(telegram, bodyOf(telegram), open)?.url).toBe('https://api.telegram.org/bot1:abc/sendMessage');
  });

  it('is none for a template that this version does not know', () => {
    expect(vendorRequest({ name: 'pager-of-tomorrow', parameters: {}, sealed: {} }, '{}', open)).toBeUndefined();
    expect(vendorForm({ name: 'pager-of-tomorrow', parameters: {}, sealed: {} })).toBeUndefined();
  });

  it('differs in its form where the parameters do, so that no body is shared', () => {
    const [one, other] = [{ chat_id: '1' }, { chat_id: '2' }].map(
      (parameters) => vendorForm({ name: 'telegram', parameters, sealed: {} })!.key,
    );
    expect(one).not.toBe(other);
  });
});

describe('what a template takes', () => {
  const event = (name: string, connector: string | null = null) => ({ name, connector }) as OutboundEvent;
  const body = (template: FilledTemplate | null) => ({ template }) as unknown as SubscriptionBody;

  it('is what the vendor can say', () => {
    expect(templateAccepts(body(pagerduty), event('incident.created'))).toBe(true);
    expect(templateAccepts(body(pagerduty), event('incident.updated'))).toBe(false);
    expect(templateAccepts(body(null), event('incident.updated', 'pagerduty'))).toBe(true);
  });

  it('is not what its own platform opened, unless it is allowed', () => {
    expect(templateAccepts(body(pagerduty), event('incident.created', 'pagerduty'))).toBe(false);
    expect(templateAccepts(body({ ...pagerduty, allowOwnOrigin: true }), event('incident.created', 'pagerduty'))).toBe(
      true,
    );
    expect(templateAccepts(body(pagerduty), event('incident.created', 'prometheus'))).toBe(true);
  });
});

describe('masking', () => {
  it('takes secrets out of an answer in every form that it may have there', () => {
    const mask = masking(['s3cret "quoted"', 'https://hooks.example/T/B/x?sig=abc']);
    expect(mask('a s3cret "quoted" b')).toBe('a *** b');
    expect(mask('{"a":"s3cret \\"quoted\\""}')).toBe('{"a":"***"}');
    expect(mask(`?u=${encodeURIComponent('https://hooks.example/T/B/x?sig=abc')}`)).toBe('?u=***');
  });

  it('leaves short words alone', () => expect(masking(['blue'])('a blue sky')).toBe('a blue sky'));

  it('leaves nothing of any secret, whatever surrounds it', () =>
    fc.assert(
      fc.property(fc.string({ minLength: 6 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!`${before}***${after}`.includes(secret));
        expect(masking([secret])(`${before}${secret}${after}`)).not.toContain(secret);
      }),
    ));
});

it('every template has a form', () => {
  for (const { name } of vendorTemplates) expect(vendorForm({ name, parameters: {}, sealed: {} })).toBeDefined();
});
