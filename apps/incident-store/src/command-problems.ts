import type { ExistingIncident, Rejection } from '@tocsin/domain/incident';
import { Problem } from '@tocsin/nest-shell';

export const notFound = (incidentId: string): Problem =>
  new Problem('not-found', `There is no incident ${incidentId}.`);

const versionIs = (version: number): Problem =>
  new Problem('precondition-failed', `The incident is at version ${version}.`, {
    body: { version },
    headers: { etag: `"${version}"` },
  });

/** One field that is wrong in a way that a decorator cannot say. */
export const invalidField = (path: string, code: string, message: string): Problem =>
  new Problem('validation-failed', `${path}: ${message}`, { errors: [{ path, code, message }] });

/** @throws Problem precondition-failed where `If-Match` names another version */
export function checkVersion({ version }: ExistingIncident, expected: number | undefined): void {
  if (expected !== undefined && expected !== version) throw versionIs(version);
}

/** A refusal of the domain as the caller gets it. `incidentId` is that of the address. */
export function problemOf(rejection: Rejection, incidentId: string): Problem {
  switch (rejection.rejected) {
    case 'no-such-incident':
      return notFound(incidentId);
    case 'wrong-state':
      return wrongState(rejection, incidentId);
    case 'merge-cycle':
      return new Problem('merge-cycle', `Incident ${rejection.incidentId} would be merged into itself.`, {
        body: { incident_id: rejection.incidentId },
      });
    case 'other-scope':
      return new Problem('conflict', `Incident ${rejection.incidentId} belongs to another scope.`, {
        body: { incident_id: rejection.incidentId },
      });
    case 'bad-time':
      return invalidField('until', 'bad-time', rejection.message);
    case 'stale-timer':
      return new Problem('conflict', 'What this timer belongs to is over.');
    case 'version-mismatch':
      return versionIs(rejection.version);
  }
}

function wrongState(
  { incidentId, status, version, mergedInto }: Extract<Rejection, { rejected: 'wrong-state' }>,
  asked: string,
): Problem {
  const which = incidentId === asked ? 'The incident' : `The incident ${incidentId}`;
  const where = mergedInto === null ? `is ${status}` : `was merged into ${mergedInto}`;
  return new Problem('wrong-state', `${which} ${where}.`, {
    body: { incident_id: incidentId, current_status: status, version, merged_into: mergedInto },
  });
}
