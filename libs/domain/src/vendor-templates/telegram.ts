import { htmlText, messageOf, within } from './message.ts';
import { text, textIn, under, type VendorTemplate } from './vendor-template.ts';

/** `sendMessage` of the Bot API, with its HTML subset. */
export const telegram: VendorTemplate = {
  name: 'telegram',
  title: 'Telegram',
  description: 'Sends a message to a chat, by a bot.',
  documentation: 'https://core.telegram.org/bots/api#sendmessage',
  platforms: [],
  parameters: [
    text('bot_token', 'The token of the bot, as BotFather gives it.', {
      secret: true,
      pattern: { test: /^\d{1,20}:[A-Za-z0-9_-]{20,100}$/, says: 'must be a bot token, e.g. 123456:ABC-DEF…' },
      example: '123456:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX',
    }),
    text('chat_id', 'The id of the chat, or @name of a channel.', {
      pattern: { test: /^(-?\d{1,20}|@[A-Za-z0-9_]{4,32})$/, says: 'must be a chat id or @channel' },
      example: '-1001234567890',
    }),
    {
      ...{ name: 'message_thread_id', type: 'number', required: false, secret: false, example: 7 },
      description: 'The topic of a forum.',
    },
    {
      ...{ name: 'silent', type: 'boolean', required: false, secret: false, default: false, example: false },
      description: 'Whether the message makes no sound.',
    },
    { ...text('base_url', 'A Bot API server of one’s own.', baseUrl('https://api.telegram.org')) },
  ],
  defaultEvents: [
    'incident.created',
    'incident.acknowledged',
    'incident.resolved',
    'incident.reopened',
    'recommendation.created',
  ],
  body: (event, parameters) => {
    const { headline, description, facts, link } = messageOf(event);
    const lines = [
      `<b>${within(headline, 600, htmlText)}</b>`,
      ...(description === '' ? [] : [within(description, 1_500, htmlText)]),
      ...facts.map(({ name, value }) => `${name}: ${within(value, 150, htmlText)}`),
      ...(link === null ? [] : [`<a href="${link.replaceAll('&', '&amp;')}">Open</a>`]),
    ];
    const { message_thread_id: topic, silent } = parameters;
    return {
      chat_id: textIn(parameters, 'chat_id'),
      ...(topic === undefined ? {} : { message_thread_id: topic }),
      text: lines.join('\n'),
      parse_mode: 'HTML',
      link_preview_options: { is_disabled: true },
      ...(silent === true ? { disable_notification: true } : {}),
    };
  },
  target: (parameters) => ({
    url: under(textIn(parameters, 'base_url'), `/bot${textIn(parameters, 'bot_token')}/sendMessage`),
    headers: {},
  }),
};

function baseUrl(preset: string) {
  return { type: 'url' as const, required: false, default: preset, example: preset };
}
