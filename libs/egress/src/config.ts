import { isIP } from 'node:net';
import { ValidateBy, IsOptional, IsString } from 'class-validator';
import { parseAllowList } from '@tocsin/domain/delivery';
import { readProxy } from './proxy-tunnel.ts';

const refusalOf = (read: () => unknown): string | undefined => {
  try {
    read();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

/** A text that `read` takes; what it throws is the message. */
const Readable = (name: string, read: (text: string) => unknown): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value) => value === undefined || refusalOf(() => read(String(value))) === undefined,
      defaultMessage: (given) => refusalOf(() => read(String(given?.value))) ?? `is not readable (${name})`,
    },
  });

export const IsAllowList = (): PropertyDecorator => Readable('isAllowList', parseAllowList);

/** @throws RangeError that names the entry */
function readNameServers(text: string): void {
  for (const entry of text.split(',').map((one) => one.trim())) {
    const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+|[0-9a-f:]+?))(?::(\d{1,5}))?$/i.exec(entry) ?? [];
    if (isIP(entry) === 0 && isIP(bracketed ?? plain ?? '') === 0)
      throw new RangeError(`OUTBOUND_DNS: "${entry}" is not an address with an optional port`);
  }
}

/** What every process that dials addresses of users reads from its environment. Property names are the variables. */
export class EgressEnvironment {
  /** Receivers outside the public internet that may be reached: `host|cidr[+http],…`; `+http` also allows them without TLS. */
  @IsString() @IsAllowList() OUTBOUND_ALLOW = '';
  /** Forward proxy for everything that is sent to users' addresses, `http[s]://[user:password@]host:port`. Addresses are checked before it is asked. */
  @IsOptional() @IsString() @Readable('isProxy', readProxy) OUTBOUND_PROXY: string | undefined = undefined;
  /** PEM file with further certificate authorities for receivers. */
  @IsOptional() @IsString() OUTBOUND_CA_FILE: string | undefined = undefined;
  /** Name servers for receivers' names instead of the system's resolver, `address[:port],…`. */
  @IsOptional() @IsString() @Readable('isNameServers', readNameServers) OUTBOUND_DNS: string | undefined = undefined;
}
