import { eventTypeNames, eventTypeOf, isEventType, type EventTypeName } from '@tocsin/contracts';

const familyOf = (name: string): string => name.slice(0, name.indexOf('.'));

/** One line of the catalogue as people and generators of code read it. */
export const eventTypeView = (name: EventTypeName) => {
  const { title, description, data, example, source } = eventTypeOf(name);
  return {
    name,
    family: familyOf(name),
    title,
    description,
    /** `published`: other services may say it, too. */
    source,
    cloudevents_type: `tocsin.${name}.v1`,
    schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', title: `${name} data`, ...data },
    example: {
      id: 'evt_aaaaaaaaaaaaaaaaaaaaaaaaaa',
      type: name,
      timestamp: '2026-01-15T10:30:00.000Z',
      workspace_id: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
      data: example,
    },
  };
};
export type EventTypeView = ReturnType<typeof eventTypeView>;

export const eventTypeViews = (filter: { family?: string | undefined; source?: string | undefined }): EventTypeView[] =>
  eventTypeNames
    .map(eventTypeView)
    .filter(({ family, source }) => (filter.family ?? family) === family && (filter.source ?? source) === source);

export const findEventType = (name: string): EventTypeView | undefined =>
  isEventType(name) ? eventTypeView(name) : undefined;
