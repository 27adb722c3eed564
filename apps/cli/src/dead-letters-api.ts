import { apiAccessOf } from './config.ts';
import type { Terminal } from './terminal.ts';

/** What an installation answers with where it does not do what was asked. */
interface ProblemBody {
  code?: string;
  detail?: string;
  errors?: { path: string; message: string }[];
}

/** A command that must be answered in this time; a redrive of hundreds of letters takes seconds. */
const TIMEOUT_MS = 60_000;

/** Calls the REST API of an installation as an operator with an API key. */
export class Api {
  private readonly url: string;
  private readonly key: string;

  /** @throws ApiAccessError naming the variable that is missing or wrong */
  constructor({ environment }: Terminal) {
    const { url, key } = apiAccessOf(environment);
    this.url = url;
    this.key = key;
  }

  get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path);
  }

  post<T>(path: string, content: unknown): Promise<T> {
    return this.call<T>('POST', path, JSON.stringify(content));
  }

  private async call<T>(method: string, path: string, body?: string): Promise<T> {
    const response = await this.send(method, path, body);
    const text = await response.text();
    const answer = jsonOf(text);
    if (response.ok && answer !== undefined) return answer as T;
    throw new Error(refusalOf(this.url, response.status, answer as ProblemBody | undefined));
  }

  private async send(method: string, path: string, body: string | undefined): Promise<Response> {
    const headers = {
      authorization: `Bearer ${this.key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await fetch(`${this.url}/api/v1/${path}`, { method, headers, body: body ?? null, signal });
    } catch (error) {
      throw new Error(`${this.url} cannot be reached (TOCSIN_URL): ${causeOf(error)}`);
    }
  }
}

/** `fetch failed` says nothing; what it hides does. */
function causeOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? String(error);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // something else than Tocsin answers there
  }
}

function refusalOf(url: string, status: number, problem: ProblemBody | undefined): string {
  if (problem?.code === undefined) return `${url} answered ${status}, and not as Tocsin does: is TOCSIN_URL right?`;
  const fields = (problem.errors ?? []).map(({ path, message }) => `\n  ${path}: ${message}`).join('');
  const hint = status === 401 ? ' (TOCSIN_API_KEY)' : status === 403 ? ' (the key needs the scope admin)' : '';
  return `${problem.code}: ${problem.detail ?? ''}${hint}${fields}`;
}
