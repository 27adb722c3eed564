import { checkEventData, dataProblem, deriveId, type PlatformEvent, platformRecordOf } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import type { Output } from '@tocsin/postgres';
import type { DueInvestigation } from '../investigation-store.ts';
import type { InvestigatorEvent } from './investigator.dto.ts';

/** Source of what an investigator says. */
const SOURCE = '/tocsin/investigator';

/**
 * Events of the catalogue that an investigator says of its work, about the incident that it was asked for. Said again they are the same: the
 * id derives from what they are about.
 * @throws Problem validation-failed where the data of one does not fit the catalogue
 */
export const eventsOf = (
  { id: rcaId, workspaceId, incidentId }: DueInvestigation,
  given: readonly InvestigatorEvent[],
  now: Date,
): PlatformEvent[] =>
  given.map(({ type: name, data: said }, index) => {
    const data = { ...said, incident_id: incidentId };
    const errors = checkEventData(name, data).map(({ path, ...rest }) => ({
      path: `events[${index}].${path}`,
      ...rest,
    }));
    const problem = errors.length > 0 ? undefined : dataProblem(name, data);
    if (problem !== undefined) errors.push({ path: `events[${index}].data`, code: 'too-large', message: problem });
    if (errors.length > 0)
      throw new Problem('validation-failed', `${errors[0]?.path}: ${errors[0]?.message}`, { errors });
    const about = (said as { id?: unknown }).id;
    const id = deriveId('evt', rcaId, name, String(about));
    return { id, name, workspaceId, source: SOURCE, at: now.toISOString(), data };
  });

export const eventOutput = (event: PlatformEvent): Output => ({
  ...platformRecordOf(event),
  by: { stream: event.id, version: 1n },
});
