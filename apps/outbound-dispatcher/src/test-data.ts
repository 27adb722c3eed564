import { checkEventData, dataProblem, type EventTypeName } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';

/** `data` of a test as it is sent. @throws Problem validation-failed with what the catalogue says against it */
export function checkedTestData(name: EventTypeName, data: unknown): Record<string, unknown> {
  const errors = checkEventData(name, data);
  const [first] = errors;
  const wrong = first ? `${first.path}: ${first.message}` : dataProblem(name, data);
  if (wrong === undefined) return data as Record<string, unknown>;
  throw new Problem('validation-failed', wrong, {
    errors: errors.length > 0 ? errors : [{ path: 'data', code: 'too-large', message: wrong }],
  });
}
