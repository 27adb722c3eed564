import Type, { type TSchema } from 'typebox';

// What each vendor takes, written down from its published request format. Fields that we do not send are left out; nothing else may be sent.

const closed = { additionalProperties: false } as const;
const text = (maxLength: number, minLength = 1) => Type.String({ minLength, maxLength });
const link = Type.String({ pattern: '^https?://[^\\s<>"|]+$', maxLength: 3_000 });
const instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' });
const optional = Type.Optional;

/** https://docs.slack.dev/reference/block-kit/blocks and …/messaging/sending-messages-using-incoming-webhooks */
const mrkdwn = (most: number) => Type.Object({ type: Type.Literal('mrkdwn'), text: text(most) }, closed);
const slack = Type.Object(
  {
    text: text(40_000),
    blocks: Type.Array(
      Type.Union([
        Type.Object(
          {
            type: Type.Literal('header'),
            text: Type.Object({ type: Type.Literal('plain_text'), text: text(150), emoji: Type.Boolean() }, closed),
          },
          closed,
        ),
        Type.Object({ type: Type.Literal('section'), text: mrkdwn(3_000) }, closed),
        Type.Object(
          { type: Type.Literal('section'), fields: Type.Array(mrkdwn(2_000), { minItems: 1, maxItems: 10 }) },
          closed,
        ),
        Type.Object(
          { type: Type.Literal('context'), elements: Type.Array(mrkdwn(3_000), { minItems: 1, maxItems: 10 }) },
          closed,
        ),
      ]),
      { minItems: 1, maxItems: 50 },
    ),
    unfurl_links: Type.Boolean(),
  },
  closed,
);

/** https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using and https://adaptivecards.io/explorer */
const teams = Type.Object(
  {
    type: Type.Literal('message'),
    attachments: Type.Array(
      Type.Object(
        {
          contentType: Type.Literal('application/vnd.microsoft.card.adaptive'),
          contentUrl: Type.Null(),
          content: Type.Object(
            {
              $schema: Type.Literal('http://adaptivecards.io/schemas/adaptive-card.json'),
              type: Type.Literal('AdaptiveCard'),
              version: Type.String({ pattern: '^1\\.[0-5]$' }),
              body: Type.Array(
                Type.Union([
                  Type.Object(
                    {
                      type: Type.Literal('TextBlock'),
                      text: text(20_000),
                      wrap: Type.Boolean(),
                      size: optional(Type.Enum(['Default', 'Small', 'Medium', 'Large', 'ExtraLarge'])),
                      weight: optional(Type.Enum(['Default', 'Lighter', 'Bolder'])),
                      color: optional(
                        Type.Enum(['Default', 'Dark', 'Light', 'Accent', 'Good', 'Warning', 'Attention']),
                      ),
                    },
                    closed,
                  ),
                  Type.Object(
                    {
                      type: Type.Literal('FactSet'),
                      facts: Type.Array(Type.Object({ title: text(200), value: text(2_000) }, closed), { minItems: 1 }),
                    },
                    closed,
                  ),
                ]),
                { minItems: 1 },
              ),
              actions: optional(
                Type.Array(Type.Object({ type: Type.Literal('Action.OpenUrl'), title: text(100), url: link }, closed)),
              ),
              msteams: Type.Object({ width: Type.Literal('Full') }, closed),
            },
            closed,
          ),
        },
        closed,
      ),
      { minItems: 1, maxItems: 1 },
    ),
  },
  closed,
);

/** https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages#Message and …/rest/v1/cards */
const googleChat = Type.Object(
  {
    text: text(4_096),
    cardsV2: optional(
      Type.Array(
        Type.Object(
          {
            cardId: text(64),
            card: Type.Object(
              {
                sections: Type.Array(
                  Type.Object(
                    {
                      widgets: Type.Array(
                        Type.Union([
                          Type.Object({ textParagraph: Type.Object({ text: text(20_000) }, closed) }, closed),
                          Type.Object(
                            { decoratedText: Type.Object({ topLabel: text(200), text: text(2_000) }, closed) },
                            closed,
                          ),
                          Type.Object(
                            {
                              buttonList: Type.Object(
                                {
                                  buttons: Type.Array(
                                    Type.Object(
                                      {
                                        text: text(100),
                                        onClick: Type.Object({ openLink: Type.Object({ url: link }, closed) }, closed),
                                      },
                                      closed,
                                    ),
                                  ),
                                },
                                closed,
                              ),
                            },
                            closed,
                          ),
                        ]),
                        { minItems: 1, maxItems: 100 },
                      ),
                    },
                    closed,
                  ),
                  { minItems: 1 },
                ),
              },
              closed,
            ),
          },
          closed,
        ),
      ),
    ),
    thread: optional(Type.Object({ threadKey: text(4_000) }, closed)),
  },
  closed,
);

/** https://discord.com/developers/docs/resources/webhook#execute-webhook and …/resources/message#embed-object-embed-limits */
const discord = Type.Object(
  {
    username: optional(text(80)),
    embeds: Type.Array(
      Type.Object(
        {
          title: text(256),
          description: optional(text(4_096)),
          url: optional(link),
          color: Type.Integer({ minimum: 0, maximum: 0xffffff }),
          timestamp: instant,
          fields: optional(
            Type.Array(Type.Object({ name: text(256), value: text(1_024), inline: Type.Boolean() }, closed), {
              minItems: 1,
              maxItems: 25,
            }),
          ),
        },
        closed,
      ),
      { minItems: 1, maxItems: 10 },
    ),
    allowed_mentions: Type.Object({ parse: Type.Array(Type.String(), { maxItems: 0 }) }, closed),
  },
  closed,
);

/** https://core.telegram.org/bots/api#sendmessage */
const telegram = Type.Object(
  {
    chat_id: Type.String({ pattern: '^(-?\\d+|@\\w+)$' }),
    message_thread_id: optional(Type.Integer()),
    text: text(8_000),
    parse_mode: Type.Literal('HTML'),
    link_preview_options: Type.Object({ is_disabled: Type.Boolean() }, closed),
    disable_notification: optional(Type.Boolean()),
  },
  closed,
);

/** https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/ and …/cloud/jira/platform/apis/document/structure */
const jira = Type.Object(
  {
    fields: Type.Object(
      {
        project: Type.Object({ key: text(32) }, closed),
        issuetype: Type.Object({ name: text(500) }, closed),
        summary: Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\r\\n]*$' }),
        description: Type.Object(
          {
            type: Type.Literal('doc'),
            version: Type.Literal(1),
            content: Type.Array(
              Type.Object(
                {
                  type: Type.Literal('paragraph'),
                  content: Type.Array(
                    Type.Union([
                      Type.Object({ type: Type.Literal('text'), text: text(32_767) }, closed),
                      Type.Object({ type: Type.Literal('hardBreak') }, closed),
                    ]),
                  ),
                },
                closed,
              ),
            ),
          },
          closed,
        ),
        labels: Type.Array(Type.String({ pattern: '^\\S+$', maxLength: 255 })),
        priority: optional(Type.Object({ name: Type.Enum(['Highest', 'High', 'Medium', 'Low', 'Lowest']) }, closed)),
      },
      closed,
    ),
  },
  closed,
);

/** https://docs.servicenow.com/bundle/utah-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html; lengths of the incident table */
const level = Type.Enum(['1', '2', '3']);
const servicenow = Type.Object(
  {
    short_description: Type.String({ minLength: 1, maxLength: 160, pattern: '^[^\\r\\n]*$' }),
    description: text(4_000, 0),
    urgency: level,
    impact: level,
    correlation_id: text(100),
    correlation_display: text(100),
    assignment_group: optional(text(500)),
    caller_id: optional(text(500)),
  },
  closed,
);

/** https://developer.pagerduty.com/docs/send-alert-event */
const pagerdutyCommon = { routing_key: text(64), dedup_key: text(255) };
const pagerduty = Type.Union([
  Type.Object(
    {
      ...pagerdutyCommon,
      event_action: Type.Literal('trigger'),
      payload: Type.Object(
        {
          summary: text(1_024),
          source: text(1_024),
          severity: Type.Enum(['critical', 'error', 'warning', 'info']),
          timestamp: instant,
          component: optional(text(1_024)),
          class: optional(text(1_024)),
          custom_details: Type.Record(Type.String(), Type.Unknown()),
        },
        closed,
      ),
      client: text(200),
      client_url: optional(link),
      links: optional(Type.Array(Type.Object({ href: link, text: text(200) }, closed))),
    },
    closed,
  ),
  Type.Object({ ...pagerdutyCommon, event_action: Type.Enum(['acknowledge', 'resolve']) }, closed),
]);

/** https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event */
const githubDispatch = Type.Object(
  {
    event_type: Type.String({ minLength: 1, maxLength: 100, pattern: '^[a-z_-]+$' }),
    client_payload: Type.Record(Type.String(), Type.Unknown(), { maxProperties: 10 }),
  },
  closed,
);

const raw = Type.Object(
  { id: text(100), type: text(100), timestamp: instant, workspace_id: text(100), data: Type.Object({}) },
  closed,
);

export const vendorFormats: Readonly<Record<string, TSchema>> = {
  ...{ slack, teams, discord, telegram, jira, servicenow, pagerduty, raw },
  'google-chat': googleChat,
  'github-dispatch': githubDispatch,
};
