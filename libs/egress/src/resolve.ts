import dns from 'node:dns';

export interface Resolved {
  address: string;
  family: number;
}

/** All addresses of a name, in the order in which they should be tried. Rejects with the error code of the resolver. */
export type Resolve = (host: string) => Promise<Resolved[]>;

/** The system's resolver: hosts file, search domains, everything that this machine knows. */
export const systemResolver: Resolve = (host) => dns.promises.lookup(host, { all: true, order: 'verbatim' });

/** Name servers of the administrator's choice, `address[:port]`. */
export function nameServers(servers: readonly string[]): Resolve {
  const resolver = new dns.promises.Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers(servers);
  return async (host) => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = [
      ...(four.status === 'fulfilled' ? four.value.map((address) => ({ address, family: 4 })) : []),
      ...(six.status === 'fulfilled' ? six.value.map((address) => ({ address, family: 6 })) : []),
    ];
    if (found.length === 0) throw withoutAddress(host, four);
    return found;
  };
}

/** An error as the system's resolver has it: servers that cannot be asked are not receivers that refuse. */
function withoutAddress(host: string, answer: PromiseSettledResult<unknown>): Error {
  const code = answer.status === 'rejected' ? (answer.reason as NodeJS.ErrnoException).code : 'ENODATA';
  const absent = code === 'ENODATA' || code === 'ENOTFOUND';
  return Object.assign(new Error(`${host} ${absent ? 'has no address' : 'could not be looked up'}`), {
    code: absent ? 'ENOTFOUND' : 'EAI_AGAIN',
  });
}

/**
 * One question per name at a time. The system's resolver has four threads for the whole process: a name whose servers do not answer
 * may hold one of them, not all.
 */
export function oneAtATime(resolve: Resolve): Resolve {
  const asked = new Map<string, Promise<Resolved[]>>();
  return (host) => {
    const known = asked.get(host);
    if (known) return known;
    const answer = resolve(host).finally(() => asked.delete(host));
    asked.set(host, answer);
    return answer;
  };
}
