import type { IncidentEventRecord } from '@tocsin/contracts';
import { ERASED } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';

/** Incidents whose personal data was erased as a whole: an erasure of one comment leaves the title, and says nothing of findings. */
const erasedIn = (records: readonly IncidentEventRecord[]): string[] =>
  records
    .filter(({ event, incident }) => event.type === 'PayloadErased' && incident.title === ERASED)
    .map(({ incident }) => incident.id);

/** Takes what investigations found and recommended for erased incidents: they quote titles, alerts and people. That they were made stays. */
export async function eraseFindings(tx: Tx, records: readonly IncidentEventRecord[]): Promise<void> {
  const incidents = erasedIn(records);
  if (incidents.length === 0) return;
  await tx.query(
    `update rca_trigger.investigations set summary = case when summary is not null then $2 end, hypotheses = '[]', progress = null
      where incident_id = any($1)`,
    [incidents, ERASED],
  );
  await tx.query(
    `with erased as (
       update rca_trigger.recommendations set title = $2, description = $2, version = version + 1
        where incident_id = any($1) and workspace_id = any($3) returning id)
     update rca_trigger.recommendation_comments c set text = $2 from erased where c.recommendation_id = erased.id`,
    [incidents, ERASED, [...new Set(records.map(({ incident }) => incident.workspace_id))]],
  );
}
