import type { PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import type { ProblemDetail } from '@tocsin/contracts';
import { Problem } from './problem.ts';

type Class<T extends object> = new () => T;

const codeOf = (constraint: string) => constraint.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();

function detailsOf(errors: ValidationError[], parent = ''): ProblemDetail[] {
  return errors.flatMap((error) => {
    const path =
      parent + (/^\d+$/.test(error.property) ? `[${error.property}]` : parent ? `.${error.property}` : error.property);
    const own = Object.entries(error.constraints ?? {}).map(([name, message]) => ({
      path,
      code: codeOf(name),
      message,
    }));
    return [...own, ...detailsOf(error.children ?? [], path)];
  });
}

/** Properties that hold JSON of any form, by the prototype of their class. */
const asGiven = new WeakMap<object, string[]>();

/**
 * The property holds JSON of any form, which somebody else checks: it reaches the handler as it came. class-transformer would guess a class
 * for every object in it, from a key that is called `constructor` too.
 */
export const AsGiven = (): PropertyDecorator => (prototype, name) => {
  asGiven.set(prototype, [...(asGiven.get(prototype) ?? []), String(name)]);
};

function asGivenOf(prototype: object | null): string[] {
  if (prototype === null) return [];
  return [...(asGiven.get(prototype) ?? []), ...asGivenOf(Object.getPrototypeOf(prototype) as object | null)];
}

function instanceOf<T extends object>(Class: Class<T>, value: object): T {
  const given = asGivenOf(Class.prototype as object).filter((name) => Object.hasOwn(value, name));
  const options = { exposeDefaultValues: true };
  if (given.length === 0) return plainToInstance(Class, value, options);
  const entries = Object.entries(value);
  const rest = Object.fromEntries(entries.filter(([name]) => !given.includes(name)));
  const kept = Object.fromEntries(entries.filter(([name]) => given.includes(name)));
  return Object.assign(plainToInstance(Class, rest, options), kept);
}

/**
 * Checks plain input against a class-validator class; unknown fields are refused, nested classes need `@Type`.
 * @throws Problem `validation-failed` with one entry per wrong field
 */
export function validated<T extends object>(Class: Class<T>, value: unknown): T {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Problem('validation-failed', 'A JSON object is expected.', {
      errors: [{ path: '$', code: 'is-object', message: 'must be an object' }],
    });
  }
  const instance = instanceOf(Class, value);
  const errors = detailsOf(
    validateSync(instance, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true }),
  );
  if (errors.length === 0) return instance;
  throw new Problem('validation-failed', `${errors[0]?.path}: ${errors[0]?.message}`, { errors });
}

/** A pipe that can be asked for its class: the OpenAPI document is made of what the running routes check. */
export interface ClassPipe extends PipeTransform {
  readonly Class: Class<object>;
}

const pipe = <T extends object>(Class: Class<T>): ClassPipe => ({
  Class,
  transform: (value: unknown) => validated(Class, value ?? {}),
});

/**
 * Pipes that name their class: without emitted decorator metadata Nest's own ValidationPipe would validate nothing, silently.
 * `@Body(body(CreateWebhook))`, `@Query(query(ListIncidents))`, `@Param(params(IncidentPath))`.
 */
export const body = pipe;
export const query = pipe;
export const params = pipe;
