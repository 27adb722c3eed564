import Type from 'typebox';
import { count, described, instant, nullable, page, ref, text, texts } from './kit.ts';

const Service = Type.Object({
  id: text,
  name: text,
  owner: nullable(text),
  tags: texts,
  depends_on: described(texts, 'By name.'),
  dependents: texts,
  neighbours: described(texts, 'Both of these: what `service.neighbours` is in conditions.'),
  first_seen_at: described(nullable(instant), 'When an alert named it first; null = none has.'),
  created_at: instant,
  updated_at: instant,
});

export const topologySchemas = {
  Service,
  ServicePage: page(ref('Service')),
  Topology: Type.Object({
    id: text,
    revision: described(count, 'Grows with each change; the ETag of the answer. 0 = nothing was declared yet.'),
    nodes: described(Type.Array(ref('Service')), 'By name.'),
    edges: Type.Array(described(Type.Object({ from: text, to: text }), '`from` depends on `to`.')),
    updated_at: nullable(instant),
  }),
};
