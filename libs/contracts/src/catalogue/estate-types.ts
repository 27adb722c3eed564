import Type, { type TSchema } from 'typebox';
import { SeveritySchema } from '../vocabulary.ts';
import type { EventTypeDefinition } from './event-type.ts';

const Text = Type.String({ minLength: 1, maxLength: 10_000 });
const OptionalText = Type.Optional(Type.Union([Type.String({ maxLength: 10_000 }), Type.Null()]));
const Details = Type.Optional(Type.Record(Type.String(), Type.Unknown()));

const FindingDataSchema = Type.Object({
  id: Text,
  title: Text,
  description: OptionalText,
  severity: Type.Optional(SeveritySchema),
  resource: OptionalText,
  url: OptionalText,
  details: Details,
});
const ComplianceDataSchema = Type.Object({
  id: Text,
  framework: Text,
  status: Text,
  previous_status: OptionalText,
  details: Details,
});
const ResourceDataSchema = Type.Object({
  id: Text,
  type: Text,
  name: OptionalText,
  region: OptionalText,
  changed: Type.Optional(Type.Array(Type.String({ maxLength: 1_000 }), { maxItems: 1_000 })),
  details: Details,
});

const published = (
  title: string,
  description: string,
  data: TSchema,
  example: Record<string, unknown>,
): EventTypeDefinition => ({ title, description, data, example, source: 'published' });

const finding = {
  id: 'finding-7',
  title: 'Bucket readable by everybody',
  severity: 'high',
  resource: 'bucket/invoices',
  url: 'https://scanner.example/findings/7',
};
const resource = { id: 'i-0a1b2c3d', type: 'instance', name: 'checkout-3', region: 'eu-central-1' };

/** What other services of an organisation say of its estate; Tocsin checks and delivers it. */
export const estateTypes = {
  'finding.created': published('Finding made', 'A scanner found a weakness.', FindingDataSchema, finding),
  'finding.resolved': published('Finding resolved', 'The weakness is gone.', FindingDataSchema, finding),
  'compliance.changed': published(
    'Compliance changed',
    'The state of a framework or control changed.',
    ComplianceDataSchema,
    { id: 'cis-1.4', framework: 'CIS', status: 'failed', previous_status: 'passed' },
  ),
  'resource.discovered': published('Resource found', 'A resource is new.', ResourceDataSchema, resource),
  'resource.changed': published('Resource changed', 'Its configuration changed.', ResourceDataSchema, {
    ...resource,
    changed: ['instance_type'],
  }),
  'resource.deleted': published('Resource gone', 'It does not exist any more.', ResourceDataSchema, resource),
} as const satisfies Record<string, EventTypeDefinition>;
