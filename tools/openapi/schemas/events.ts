import { ActorSchema, eventFamilies, eventTypeNames } from '@tocsin/contracts';
import { recommendationLevels, recommendationStatuses } from '@tocsin/domain/rca';
import Type from 'typebox';
import { count, described, free, instant, nullable, page, ref, text, word } from './kit.ts';

const recommendation = {
  id: text,
  workspace_id: text,
  incident_id: nullable(text),
  title: text,
  description: text,
  potential_savings: nullable(Type.Number()),
  effort: nullable(word(...recommendationLevels)),
  risk: nullable(word(...recommendationLevels)),
  status: word(...recommendationStatuses),
  created_by: ActorSchema,
  created_at: instant,
  updated_at: instant,
  version: count,
};

export const eventSchemas = {
  EventType: Type.Object({
    name: word(...eventTypeNames),
    family: word(...eventFamilies),
    title: text,
    description: text,
    source: described(word('tocsin', 'published'), '`published`: other services may say it, too.'),
    cloudevents_type: text,
    schema: described(free, 'JSON Schema of `data`.'),
    example: described(free, 'A whole body in the default envelope.'),
  }),
  EventTypePage: page(ref('EventType')),
  PublishedEvent: Type.Object({
    id: described(text, 'Also the `webhook-id` of its deliveries.'),
    type: word(...eventTypeNames),
    time: instant,
    source: text,
    workspace_id: text,
    status: word('accepted'),
  }),
  Notification: Type.Object({
    id: text,
    kind: text,
    title: text,
    text,
    subject_id: described(nullable(text), 'The incident, subscription or webhook that it is about.'),
    url: nullable(text),
    count: described(count, 'How many such things of one hour it stands for.'),
    at: instant,
    read_at: nullable(instant),
  }),
  NotificationPage: page(ref('Notification'), { unread: described(count, 'At most 1,000 are counted.') }),
  NotificationsRead: Type.Object({ read: count, unread: count }),
  RecommendationSummary: Type.Object(recommendation),
  RecommendationPage: page(ref('RecommendationSummary')),
  Recommendation: Type.Object({
    ...recommendation,
    comments: Type.Array(Type.Object({ id: text, at: instant, actor: ActorSchema, text })),
  }),
};
