import { VendorAway, type VendorFetch } from './vendor-fetch.ts';

interface Kept<T> {
  value: T | undefined;
  at: number;
}

const KEPT_MAX = 64;
const IN_FLIGHT_MAX = 16;
/** What the vendor does not have, or nobody can read, is not asked for again before. */
const REFUSED_MS = 60_000;

/**
 * What was read from a vendor, kept for a while and never more than a bound of it: the addresses come from requests of strangers. Callers
 * of one address share one request.
 */
export class Fetched<T> {
  private readonly kept = new Map<string, Kept<T>>();
  private readonly inFlight = new Map<string, Promise<T | undefined>>();

  constructor(
    private readonly fetch: VendorFetch,
    /** Makes a value of the answer's body; throws where it cannot. */
    private readonly read: (body: Buffer) => T,
    private readonly keepMs: number,
    private readonly now: () => number,
  ) {}

  /**
   * Undefined where the vendor has no such thing. `maxAgeMs` asks for a fresher one than is usual.
   * @throws VendorAway where the vendor cannot be asked
   */
  async get(url: URL, maxAgeMs = this.keepMs): Promise<T | undefined> {
    const kept = this.kept.get(url.href);
    if (kept && this.now() - kept.at < (kept.value === undefined ? REFUSED_MS : maxAgeMs)) return kept.value;
    const running = this.inFlight.get(url.href);
    if (running) return running;
    if (this.inFlight.size >= IN_FLIGHT_MAX) throw new VendorAway('too many requests to vendors are under way');
    const fetching = this.ask(url).finally(() => this.inFlight.delete(url.href));
    this.inFlight.set(url.href, fetching);
    return fetching;
  }

  private async ask(url: URL): Promise<T | undefined> {
    const answer = await this.fetch(url).catch((error: unknown) => {
      throw new VendorAway(`${url.host} does not answer`, { cause: error });
    });
    if (answer.status >= 500 || answer.status === 429) throw new VendorAway(`${url.host} answered ${answer.status}`);
    const value = answer.status === 200 ? this.valueOf(answer.body) : undefined;
    this.kept.delete(url.href);
    this.kept.set(url.href, { value, at: this.now() });
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT_MAX && oldest !== undefined) this.kept.delete(oldest);
    return value;
  }

  private valueOf(body: Buffer): T | undefined {
    try {
      return this.read(body);
    } catch {
      return undefined; // whatever it is, it is not what was looked for
    }
  }
}
