import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, nothing } from './answers.ts';

const ofWorkspace = { tag: 'Access', path: { id: ids.workspace } } as const;
const ofInvestigation = { tag: 'Incidents', path: { id: ids.agentIncident, rca: ids.investigation } } as const;

const approval = {
  type: 'approval.requested',
  data: {
    id: 'apr-17',
    action: 'Roll checkout back to 1.41',
    requested_by: 'agent',
    reason: 'Latency rose with 1.42.',
  },
};

/** An investigator of the workspace's own, and what it tells. */
export const investigators: Descriptions = {
  'GET /api/v1/workspaces/{id}/investigator': {
    ...ofWorkspace,
    summary: 'Read who investigates incidents',
    answers: { 200: answer('Investigator', 'The investigator; null where it is Tocsin.', ETAG) },
  },
  'PUT /api/v1/workspaces/{id}/investigator': {
    ...ofWorkspace,
    summary: 'Let somebody else investigate incidents',
    description:
      'Investigations are asked for by a signed request to this address. Another address gets another secret; a secret that is given replaces the one before, which signs for another 24 hours.',
    bodies: {
      agent: { summary: 'An agent', value: { url: 'https://agent.example.com/investigate', result_minutes: 30 } },
    },
    problems: ['url-not-allowed'],
    answers: { 200: answer('InvestigatorWithSecret', 'As it is now. A new secret is shown this once.', ETAG) },
  },
  'DELETE /api/v1/workspaces/{id}/investigator': {
    ...ofWorkspace,
    summary: 'Leave investigations to Tocsin',
    answers: { 204: nothing('Done; what had not been answered yet, Tocsin investigates.') },
  },
  'POST /api/v1/incidents/{id}/rca/{rca}/progress': {
    ...ofInvestigation,
    summary: 'Tell how far an investigation is',
    description:
      'For the investigator that was asked. Gives it another `result_minutes`. `events` are said once each, with the incident’s id in their data.',
    bodies: {
      message: { summary: 'What it is doing', value: { message: 'Reading the logs of checkout.' } },
      approval: { summary: 'It asks for leave to act', value: { events: [approval] } },
    },
    problems: ['wrong-state'],
    answers: { 200: answer('InvestigationState', 'Noted.') },
  },
  'POST /api/v1/incidents/{id}/rca/{rca}/result': {
    ...ofInvestigation,
    summary: 'Bring the result of an investigation',
    bodies: {
      found: {
        summary: 'A cause, and what to do',
        value: {
          status: 'completed',
          summary: 'Version 1.42 leaks connections.',
          hypotheses: [{ kind: 'change', summary: 'Deployment of checkout 1.42', score: 0.9 }],
          recommendations: [{ title: 'Roll checkout back to 1.41', effort: 'low', risk: 'medium' }],
        },
      },
    },
    problems: ['wrong-state'],
    answers: { 200: answer('InvestigationState', 'The investigation has ended.') },
  },
};
