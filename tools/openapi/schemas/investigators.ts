import Type from 'typebox';
import { count, described, nullable, text, word } from './kit.ts';

const investigator = {
  id: described(text, 'Of the workspace.'),
  revision: count,
  investigator: nullable(Type.Object({ url: text, timeout_seconds: count, result_minutes: count })),
};

/** Bodies about investigators of workspaces. */
export const investigatorSchemas = {
  Investigator: Type.Object(investigator),
  InvestigatorWithSecret: Type.Object({
    ...investigator,
    secret: Type.Optional(described(text, 'Of the signature; shown once.')),
  }),
  InvestigationState: Type.Object({
    id: text,
    incident_id: text,
    status: word('requested', 'running', 'completed', 'failed'),
  }),
};
