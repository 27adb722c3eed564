import { messageOf, slackText, within } from './message.ts';
import { secretUrl, text, textIn, type VendorTemplate } from './vendor-template.ts';

const LOUD = new Set(['incident.created', 'incident.reopened', 'approval.requested']);

/** Block Kit by an incoming webhook; Mattermost and Rocket.Chat read its `text`. */
export const slack: VendorTemplate = {
  name: 'slack',
  title: 'Slack',
  description: 'Posts a message to the channel of an incoming webhook.',
  documentation: 'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks',
  platforms: [],
  parameters: [
    secretUrl('webhook_url', 'The address of the incoming webhook.', 'https://hooks.slack.com/services/T000/B000/XXXX'),
    text(
      'mention',
      'Who is called when an incident opens, in the form of Slack: <!here>, <@U0123>, <!subteam^S0123>.',
      {
        required: false,
        pattern: { test: /^<[!@][A-Za-z0-9^]{1,60}>$/, says: 'must be a mention such as <!here> or <@U0123>' },
        example: '<!here>',
      },
    ),
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
    const mention = LOUD.has(event.type) ? textIn(parameters, 'mention') : '';
    const said = [mention, within(description, 2_800, slackText)].filter((part) => part !== '').join(' ');
    const fields = facts.map(({ name, value }) => mrkdwn(`*${name}*\n${within(value, 500, slackText)}`));
    return {
      text: [mention, within(headline, 2_000, slackText)].filter((part) => part !== '').join(' '),
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: within(headline, 150), emoji: false } },
        ...(said === '' ? [] : [{ type: 'section', text: mrkdwn(said) }]),
        ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
        ...(link === null ? [] : [{ type: 'context', elements: [mrkdwn(`<${link.replaceAll('&', '&amp;')}|Open>`)] }]),
      ],
      unfurl_links: false,
    };
  },
  target: (parameters) => ({ url: textIn(parameters, 'webhook_url'), headers: {} }),
};

const mrkdwn = (said: string) => ({ type: 'mrkdwn', text: said });
