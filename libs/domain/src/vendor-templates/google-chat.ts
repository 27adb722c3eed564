import { chatText, htmlText, messageOf, within } from './message.ts';
import { secretUrl, textIn, type VendorTemplate } from './vendor-template.ts';

/** A text with a card, in the thread of its incident. */
export const googleChat: VendorTemplate = {
  name: 'google-chat',
  title: 'Google Chat',
  description: 'Posts a message with a card to a space, by its webhook; events of one incident share a thread.',
  documentation: 'https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create',
  platforms: [],
  parameters: [
    secretUrl(
      'webhook_url',
      'The address of the space’s webhook.',
      'https://chat.googleapis.com/v1/spaces/AAAA/messages?key=XXXX&token=XXXX',
    ),
    {
      ...{ name: 'threads', type: 'boolean', required: false, secret: false, default: true, example: true },
      description: 'Whether events of one incident go to one thread.',
    },
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
    const widgets = [
      ...(description === '' ? [] : [{ textParagraph: { text: within(description, 6_000, htmlText) } }]),
      ...facts.map(({ name, value }) => ({ decoratedText: { topLabel: name, text: within(value, 500, htmlText) } })),
      ...(link === null ? [] : [{ buttonList: { buttons: [{ text: 'Open', onClick: { openLink: { url: link } } }] } }]),
    ];
    const { incident_id: incident, id } = event.data;
    const about = [incident, id].find((one) => typeof one === 'string') ?? event.id;
    return {
      text: within(headline, 2_000, chatText),
      ...(widgets.length === 0 ? {} : { cardsV2: [{ cardId: event.id, card: { sections: [{ widgets }] } }] }),
      ...(parameters['threads'] === false ? {} : { thread: { threadKey: within(String(about), 1_000) } }),
    };
  },
  target: (parameters) => {
    const url = textIn(parameters, 'webhook_url');
    if (parameters['threads'] === false || !URL.canParse(url)) return { url, headers: {} };
    const threaded = new URL(url);
    threaded.searchParams.set('messageReplyOption', 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD');
    return { url: threaded.href, headers: {} };
  },
};
