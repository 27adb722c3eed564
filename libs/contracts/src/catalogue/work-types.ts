import Type, { type TSchema } from 'typebox';
import type { EventTypeDefinition } from './event-type.ts';

const Text = Type.String({ minLength: 1, maxLength: 10_000 });
const OptionalText = Type.Optional(Type.Union([Type.String({ maxLength: 10_000 }), Type.Null()]));
const Level = Type.Enum(['low', 'medium', 'high']);

/** `data` of `recommendation.*`: the recommendation as `GET` shows it. */
export const RecommendationDataSchema = Type.Object({
  id: Text,
  incident_id: OptionalText,
  title: Text,
  description: OptionalText,
  potential_savings: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  effort: Type.Optional(Level),
  risk: Type.Optional(Level),
  status: Type.Enum(['pending', 'accepted', 'dismissed', 'implemented']),
  comment: OptionalText,
});

const TaskDataSchema = Type.Object({
  id: Text,
  name: Text,
  incident_id: OptionalText,
  started_at: OptionalText,
  finished_at: OptionalText,
  result: OptionalText,
  error: OptionalText,
});

const ConversationDataSchema = Type.Object({
  id: Text,
  incident_id: OptionalText,
  title: OptionalText,
  summary: OptionalText,
});

const ApprovalDataSchema = Type.Object({
  id: Text,
  incident_id: OptionalText,
  action: Text,
  requested_by: OptionalText,
  approved_by: OptionalText,
  reason: OptionalText,
});

const published = (
  title: string,
  description: string,
  data: TSchema,
  example: Record<string, unknown>,
): EventTypeDefinition => ({ title, description, data, example, source: 'published' });

const recommendation = {
  id: 'rec_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  incident_id: 'inc_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  title: 'Add a read replica for the orders database',
  description: 'Three of the last four latency incidents began with lock waits there.',
  potential_savings: null,
  effort: 'medium',
  risk: 'low',
  status: 'pending',
};
const task = {
  id: 'rca_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  name: 'Root cause of incident 42',
  incident_id: 'inc_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  started_at: '2026-01-15T10:30:01.000Z',
};
const conversation = {
  id: 'rca_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  incident_id: 'inc_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  title: 'Root cause of incident 42',
  summary: 'The deployment of checkout 1.42 at 10:24 is the likeliest cause.',
};
const approval = {
  id: 'apr-17',
  incident_id: 'inc_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  action: 'Roll checkout back to 1.41',
  requested_by: 'investigator',
  reason: 'Latency rose right after the deployment.',
};

/** What investigations and people do about incidents. */
export const workTypes = {
  'recommendation.created': published(
    'Recommendation made',
    'An investigation or a person recommends something.',
    RecommendationDataSchema,
    recommendation,
  ),
  'recommendation.updated': published(
    'Recommendation changed',
    'Its text or status changed.',
    RecommendationDataSchema,
    {
      ...recommendation,
      status: 'accepted',
    },
  ),
  'recommendation.implemented': published('Recommendation done', 'It was carried out.', RecommendationDataSchema, {
    ...recommendation,
    status: 'implemented',
  }),
  'recommendation.comment': published(
    'Comment on a recommendation',
    'Somebody commented on it.',
    RecommendationDataSchema,
    { ...recommendation, comment: 'Planned for the next maintenance window.' },
  ),
  'task.started': published('Task began', 'An investigation or a scheduled task began.', TaskDataSchema, task),
  'task.completed': published('Task finished', 'It ended well.', TaskDataSchema, {
    ...task,
    finished_at: '2026-01-15T10:30:06.000Z',
    result: '3 hypotheses',
  }),
  'task.failed': published('Task failed', 'It ended with an error.', TaskDataSchema, {
    ...task,
    finished_at: '2026-01-15T10:31:01.000Z',
    error: 'the investigator did not answer within 60 s',
  }),
  'conversation.completed': published(
    'Conversation finished',
    'An investigation reached its result.',
    ConversationDataSchema,
    conversation,
  ),
  'approval.requested': published(
    'Approval wanted',
    'An investigator asks leave to act.',
    ApprovalDataSchema,
    approval,
  ),
  'approval.granted': published('Approval given', 'A person approved it.', ApprovalDataSchema, {
    ...approval,
    approved_by: 'ada@example.org',
  }),
} as const satisfies Record<string, EventTypeDefinition>;
