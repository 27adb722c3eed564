import { markdownText, messageOf, within, type Message } from './message.ts';
import { secretUrl, text, textIn, type VendorTemplate } from './vendor-template.ts';

const colours: Record<Message['mood'], number> = {
  bad: 0xd92d20,
  warning: 0xf79009,
  good: 0x12b76a,
  neutral: 0x667085,
};

/** One embed; nobody can be mentioned by the text of an alert. */
export const discord: VendorTemplate = {
  name: 'discord',
  title: 'Discord',
  description: 'Posts an embed to the channel of a webhook.',
  documentation: 'https://discord.com/developers/docs/resources/webhook#execute-webhook',
  platforms: [],
  parameters: [
    secretUrl('webhook_url', 'The address of the channel’s webhook.', 'https://discord.com/api/webhooks/123/XXXX'),
    text('username', 'The name that the message is posted under.', {
      required: false,
      pattern: { test: /^[^\p{Cc}\p{Cs}]{1,80}$/u, says: 'must be one line of at most 80 characters' },
      example: 'Tocsin',
    }),
  ],
  defaultEvents: [
    'incident.created',
    'incident.acknowledged',
    'incident.resolved',
    'incident.reopened',
    'recommendation.created',
  ],
  body: (event, parameters) => {
    const { headline, description, facts, link, mood } = messageOf(event);
    const username = textIn(parameters, 'username');
    return {
      ...(username === '' ? {} : { username }),
      embeds: [
        {
          title: within(headline, 256, markdownText),
          ...(description === '' ? {} : { description: within(description, 2_000, markdownText) }),
          ...(link === null ? {} : { url: link }),
          color: colours[mood],
          timestamp: event.timestamp,
          ...(facts.length === 0
            ? {}
            : {
                fields: facts.map(({ name, value }) => ({
                  name,
                  value: within(value, 300, markdownText),
                  inline: true,
                })),
              }),
        },
      ],
      allowed_mentions: { parse: [] },
    };
  },
  target: (parameters) => ({ url: textIn(parameters, 'webhook_url'), headers: {} }),
};
