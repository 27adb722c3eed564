import { Compile, type Validator } from 'typebox/compile';
import type { ProblemDetail } from '../problems.ts';
import { estateTypes } from './estate-types.ts';
import type { EventTypeDefinition } from './event-type.ts';
import { incidentTypes } from './incident-types.ts';
import { metaTypes } from './meta-types.ts';
import { workTypes } from './work-types.ts';

export type { EventTypeDefinition } from './event-type.ts';
export { RecommendationDataSchema } from './work-types.ts';

/** Every event that a subscription can name: the closed list behind `GET event-types`. */
export const eventTypes = { ...incidentTypes, ...workTypes, ...estateTypes, ...metaTypes } as const;
export type EventTypeName = keyof typeof eventTypes;
export const eventTypeNames = Object.keys(eventTypes) as EventTypeName[];
export const isEventType = (name: string): name is EventTypeName => Object.hasOwn(eventTypes, name);
export const eventTypeOf = (name: EventTypeName): EventTypeDefinition => eventTypes[name];

/** `incident`, `recommendation` …: what stands before the dot, in the order of the catalogue. */
export const eventFamilies: readonly string[] = [...new Set(eventTypeNames.map((name) => name.split('.')[0] ?? name))];
/** What `events` of a subscription may hold: everything, a family, or one event. */
export const eventPatterns: readonly string[] = [
  '*',
  ...eventFamilies.map((family) => `${family}.*`),
  ...eventTypeNames,
];

const validators = new Map<EventTypeName, Validator>();

/** What is wrong with the `data` of an event, with a path into it; empty where it fits its schema. */
export function checkEventData(name: EventTypeName, data: unknown): ProblemDetail[] {
  let validator = validators.get(name);
  if (!validator) validators.set(name, (validator = Compile(eventTypes[name].data)));
  if (validator.Check(data)) return [];
  return (validator.Errors(data) as { keyword: string; instancePath: string; message: string }[])
    .slice(0, 20)
    .map(({ keyword, instancePath, message }) => ({
      path: `data${instancePath.replaceAll('/', '.')}`,
      code: keyword,
      message,
    }));
}
