import type { Severity } from '@tocsin/contracts';
import { event, type EventContext } from './event.ts';
import type { EditableFields, IncidentEvent } from './events.ts';
import type { ExistingIncident } from './state.ts';

/** What a person corrects. Custom fields come one by one: null takes one away, what is not given stays. */
export interface EditIncident {
  kind: 'edit';
  fields: EditableFields;
  severity: Severity | undefined;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Under the names that people use. */
const editableOf = (incident: ExistingIncident): Required<EditableFields> => {
  const { title, description, url, priority, tags, services, incidentType, customFields } = incident;
  return {
    title,
    description,
    url,
    priority,
    tags,
    services,
    incident_type: incidentType,
    custom_fields: customFields,
  };
};

/** What an edit makes of them. */
export const editedFields = (given: EditableFields, before: Pick<EditableFields, 'custom_fields'>): EditableFields => {
  if (given.custom_fields === undefined) return given;
  const all = { ...before.custom_fields, ...given.custom_fields };
  const custom_fields = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  return { ...given, custom_fields };
};

/** Only what differs becomes an event; a change of the severity is one of its own. */
export function editIncident(
  { fields, severity }: EditIncident,
  incident: ExistingIncident,
  context: EventContext,
): IncidentEvent[] {
  const before = editableOf(incident);
  const after = editedFields(fields, before);
  const names = (Object.keys(after) as (keyof EditableFields)[]).filter((name) => !same(after[name], before[name]));
  const pick = (from: EditableFields): EditableFields => Object.fromEntries(names.map((name) => [name, from[name]]));
  return [
    ...(names.length === 0
      ? []
      : [event(context, 'IncidentEdited', { fields: pick(after), before: pick(before), alert_id: null })]),
    ...(severity === undefined || severity === incident.severity
      ? []
      : [
          event(context, 'SeverityChanged', {
            ...{ from: incident.severity, to: severity, policy: 'person', alert_id: null },
          }),
        ]),
  ];
}
