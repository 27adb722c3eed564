import { Agent, request } from 'undici';

export interface VendorAnswer {
  status: number;
  body: Buffer;
}

/** Reads one of a vendor's own addresses (certificates, keys, confirmations). Rejects where the vendor cannot be reached. */
export type VendorFetch = (url: URL) => Promise<VendorAnswer>;

/** The vendor could not be asked: nobody's credential is wrong for that, and the sender is asked to come again. */
export class VendorAway extends Error {
  readonly code = 'vendor-away';
}

const ANSWER_BYTES_MAX = 256 * 1024;
const TOTAL_MS = 4_000;

/** Callers pin host and path; here answers are capped in size and time, and redirects are never followed. */
export function vendorFetch(): VendorFetch & { close(): Promise<void> } {
  const dispatcher = new Agent({ connect: { timeout: 2_000 }, maxResponseSize: ANSWER_BYTES_MAX, connections: 4 });
  const fetchOne: VendorFetch = async (url) => {
    const { statusCode, body } = await request(url, { dispatcher, signal: AbortSignal.timeout(TOTAL_MS) });
    return { status: statusCode, body: Buffer.from(await body.arrayBuffer()) };
  };
  return Object.assign(fetchOne, { close: () => dispatcher.destroy() });
}
