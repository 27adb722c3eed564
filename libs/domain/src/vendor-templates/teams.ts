import { markdownText, messageOf, within, type Message } from './message.ts';
import { secretUrl, textIn, type VendorTemplate } from './vendor-template.ts';

const colours: Record<Message['mood'], string> = {
  bad: 'Attention',
  warning: 'Warning',
  good: 'Good',
  neutral: 'Default',
};

/** An Adaptive Card, which both Workflows and the older incoming webhooks take. */
export const teams: VendorTemplate = {
  name: 'teams',
  title: 'Microsoft Teams',
  description: 'Posts an Adaptive Card to a channel, by a Workflows webhook.',
  documentation:
    'https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using',
  platforms: [],
  parameters: [
    secretUrl(
      'webhook_url',
      'The address of the workflow “Send webhook alerts to a channel”.',
      'https://example.westeurope.logic.azure.com/workflows/0123/triggers/manual/paths/invoke?sig=XXXX',
    ),
  ],
  defaultEvents: [
    'incident.created',
    'incident.acknowledged',
    'incident.resolved',
    'incident.reopened',
    'recommendation.created',
  ],
  body: (event) => {
    const { headline, description, facts, link, mood } = messageOf(event);
    const block = (said: string, rest: object = {}) => ({ type: 'TextBlock', text: said, wrap: true, ...rest });
    const title = { size: 'Medium', weight: 'Bolder', color: colours[mood] };
    const shown = facts.map(({ name, value }) => ({ title: name, value: within(value, 500, markdownText) }));
    const content = {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.4',
      body: [
        block(within(headline, 1_000, markdownText), title),
        ...(description === '' ? [] : [block(within(description, 6_000, markdownText))]),
        ...(shown.length === 0 ? [] : [{ type: 'FactSet', facts: shown }]),
      ],
      ...(link === null ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open', url: link }] }),
      msteams: { width: 'Full' },
    };
    return {
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
    };
  },
  target: (parameters) => ({ url: textIn(parameters, 'webhook_url'), headers: {} }),
};
