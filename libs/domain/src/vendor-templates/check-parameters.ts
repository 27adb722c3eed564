import type { ProblemDetail } from '@tocsin/contracts';
import type { ParameterValue, Parameters, TemplateParameter, VendorTemplate } from './vendor-template.ts';

const TEXT_MAX = 2_048;

/** What is wrong with a value; undefined where nothing is. */
function problemOf(parameter: TemplateParameter, value: unknown): [code: string, message: string] | undefined {
  const { type, values, pattern } = parameter;
  if (type === 'number')
    return typeof value === 'number' && Number.isSafeInteger(value) ? undefined : ['is-int', 'must be a whole number'];
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : ['is-boolean', 'must be true or false'];
  if (typeof value !== 'string' || value === '') return ['is-string', 'must be a text'];
  if (value.length > TEXT_MAX) return ['too-long', `must have at most ${TEXT_MAX} characters`];
  if (values && !values.includes(value)) return ['is-in', `must be one of ${values.join(', ')}`];
  if (type === 'url') return urlProblem(value);
  return pattern && !pattern.test.test(value) ? ['matches', pattern.says] : undefined;
}

/** The host is looked at where the whole address is: an https or http URL without credentials is asked for here. */
function urlProblem(value: string): [string, string] | undefined {
  const wrong: [string, string] = ['is-url', 'must be an absolute http(s) URL without user name and fragment'];
  if (/[\p{Cc}\s]/u.test(value) || !URL.canParse(value)) return wrong;
  const { protocol, username, password, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username === '' && password === '' && hash === '' ? undefined : wrong;
}

export type CheckedParameters = { ok: true; parameters: Parameters } | { ok: false; problems: ProblemDetail[] };

/** Checks what somebody gave for a template's parameters and adds the defaults. `at` names it in the problems' paths. */
export function checkParameters(
  template: VendorTemplate,
  given: Readonly<Record<string, unknown>>,
  at: string,
): CheckedParameters {
  const problems: ProblemDetail[] = [];
  const parameters: Record<string, ParameterValue> = {};
  const names = template.parameters.map(({ name }) => name);
  for (const name of Object.keys(given))
    if (!names.includes(name))
      problems.push({
        path: `${at}.${JSON.stringify(name.slice(0, 100)).slice(1, -1)}`,
        code: 'unknown-parameter',
        message: `must be one of ${names.join(', ')}`,
      });
  for (const parameter of template.parameters) {
    const { name } = parameter;
    const value = Object.hasOwn(given, name) ? (given[name] ?? parameter.default) : parameter.default;
    if (value === undefined) {
      if (parameter.required)
        problems.push({ path: `${at}.${name}`, code: 'is-needed', message: parameter.description });
      continue;
    }
    const wrong = problemOf(parameter, value);
    if (wrong) problems.push({ path: `${at}.${name}`, code: wrong[0], message: `${name} ${wrong[1]}` });
    else parameters[name] = value as ParameterValue;
  }
  const together = problems.length === 0 ? template.check?.(parameters) : undefined;
  if (together) problems.push({ path: `${at}.${together.parameter}`, code: 'is-needed', message: together.message });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, parameters };
}
