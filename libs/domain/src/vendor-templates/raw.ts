import { secretUrl, text, textIn, type VendorTemplate } from './vendor-template.ts';

/** The default envelope as it is, to an address that is kept like a secret. */
export const raw: VendorTemplate = {
  name: 'raw',
  title: 'Any receiver',
  description: 'Sends the default envelope; the address and the Authorization header are kept sealed.',
  documentation: 'https://www.standardwebhooks.com/',
  platforms: [],
  parameters: [
    secretUrl('url', 'The address of the receiver.', 'https://receiver.example/hooks/XXXX'),
    text('authorization', 'The value of the Authorization header.', {
      required: false,
      secret: true,
      pattern: { test: /^[\x20-\x7e]{1,2000}$/, says: 'must be printable ASCII' },
      example: 'Bearer XXXX',
    }),
  ],
  defaultEvents: [
    'incident.created',
    'incident.updated',
    'incident.acknowledged',
    'incident.resolved',
    'incident.reopened',
    'incident.snoozed',
    'incident.suppressed',
    'incident.comment',
  ],
  body: ({ id, type, timestamp, workspace_id, data }) => ({ id, type, timestamp, workspace_id, data }),
  target: (parameters) => {
    const authorization = textIn(parameters, 'authorization');
    const headers: Record<string, string> = authorization === '' ? {} : { authorization };
    return { url: textIn(parameters, 'url'), headers };
  },
};
