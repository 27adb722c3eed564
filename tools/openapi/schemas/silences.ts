import { frequencies, SeveritySchema } from '@tocsin/contracts';
import Type from 'typebox';
import { count, described, flag, free, instant, nullable, page, ref, text, texts, whole, word } from './kit.ts';

const period = Type.Object({ from: instant, to: instant });

const mute = {
  id: text,
  workspace_id: text,
  name: text,
  comment: text,
  status: described(word('active', 'scheduled', 'ended'), 'At the time of the answer.'),
  created_by: described(Type.Object({ id: text, name: text }), 'The API key that made it.'),
  matchers: described(free, 'One condition: docs/guides/recorded-alerts-and-rules.md.'),
  from: instant,
  to: instant,
  time_zone: text,
  recurrence: nullable(
    Type.Object({
      frequency: word(...frequencies),
      interval: count,
      weekdays: texts,
      month_days: Type.Array(whole),
      until: nullable(instant),
    }),
  ),
  warnings: described(
    Type.Array(Type.Object({ path: text, code: text, message: text })),
    'What the matchers name in vain, e.g. an unknown field.',
  ),
  period: described(nullable(period), 'The one that is running, else the next; null where it is over.'),
  revision: described(count, 'Grows with each change; the ETag of the answer.'),
  created_at: instant,
  updated_at: instant,
};

const sample = Type.Object({
  id: text,
  receipt_id: text,
  webhook_id: text,
  webhook_name: text,
  title: text,
  severity: SeveritySchema,
  services: texts,
  tags: texts,
  source: nullable(text),
  dedup_key: text,
  received_at: instant,
  live: described(flag, 'It fired, and nothing has said since that it is over.'),
});

export const silenceSchemas = {
  Silence: Type.Object(mute),
  SilencePage: page(ref('Silence')),
  MaintenanceWindow: Type.Object(mute),
  MaintenanceWindowPage: page(ref('MaintenanceWindow')),
  MutePreview: Type.Object({
    hours: count,
    live: Type.Object({ total: count, matched: count, share: Type.Number({ minimum: 0, maximum: 1 }) }),
    recent: described(Type.Object({ total: count, matched: count }), 'Triggers of these hours, repeats among them.'),
    samples: described(Type.Array(sample), 'The newest that match, live ones first.'),
    over_broad: described(flag, 'Saving it needs `force`.'),
    warnings: Type.Array(Type.Object({ path: text, code: text, message: text })),
  }),
};
