import { timingSafeEqual } from 'node:crypto';
import {
  createParamDecorator,
  Inject,
  Injectable,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { ApiKeyDocument, Scope } from '@tocsin/contracts';
import type { ConfigurationFeed } from '../configuration/feed.ts';
import { Problem } from '../http/problem.ts';
import type { KeyRing } from '../secrets/key-ring.ts';
import { CLOCK, CONFIGURATION_FEED, KEY_RING, type Clock } from '../tokens.ts';

/** Who calls, as proven by the key. The workspace comes from here only, never from a body or header. */
export interface Caller {
  workspaceId: string;
  keyId: string;
  name: string;
  scopes: readonly Scope[];
}

const SCOPES = 'tocsin:scopes';
/** Scopes of which the caller needs one. `admin` includes every other. */
export const Scopes = (...scopes: Scope[]) => SetMetadata(SCOPES, scopes);

type WithCaller = { headers: Record<string, string | string[] | undefined>; caller?: Caller };

/** The caller that ApiKeyGuard proved. */
export const CallerOf = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<WithCaller>();
  if (!caller) throw new Error('CallerOf() needs ApiKeyGuard on the same route');
  return caller;
});

const refused = () =>
  new Problem('authentication-failed', 'A valid API key is needed: Authorization: Bearer tsk_<id>_<secret>.', {
    headers: { 'www-authenticate': 'Bearer realm="tocsin"' },
  });

const KEY = /^Bearer tsk_([a-z2-7]{8,64})_([a-z2-7]{16,128})$/;

/** `Authorization: Bearer tsk_<id>_<secret>`: looked up by id, compared in constant time, then checked for scope. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    @Inject(CONFIGURATION_FEED) private readonly feed: ConfigurationFeed,
    @Inject(KEY_RING) private readonly keyRing: KeyRing,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WithCaller>();
    const key = await this.keyOf(request.headers.authorization);
    const needed = this.reflector.getAllAndOverride<Scope[] | undefined>(SCOPES, [
      context.getHandler(),
      context.getClass(),
    ]) ?? ['admin'];
    if (!needed.some((scope) => key.body.scopes.includes(scope)) && !key.body.scopes.includes('admin')) {
      throw new Problem('forbidden', `This needs a key with scope ${needed.join(' or ')}.`);
    }
    request.caller = { workspaceId: key.workspaceId, keyId: key.id, name: key.body.name, scopes: key.body.scopes };
    return true;
  }

  private async keyOf(header: string | string[] | undefined): Promise<ApiKeyDocument> {
    const [, id, secret] = KEY.exec(typeof header === 'string' ? header : '') ?? [];
    if (!id || !secret) throw refused();
    if (!this.feed.loaded())
      throw new Problem('unavailable', 'The configuration is not loaded yet.', { headers: { 'retry-after': '1' } });
    const key = this.feed.apiKey(id) ?? (await this.feed.refresh().then(() => this.feed.apiKey(id)));
    const given = Buffer.from(this.keyRing.pepperedHmac(secret), 'hex');
    const expected = Buffer.from(key?.body.secretHmac ?? '', 'hex');
    if (!key || expected.length !== given.length || !timingSafeEqual(expected, given)) throw refused();
    if (key.body.expiresAt !== null && key.body.expiresAt <= this.clock().toISOString()) throw refused();
    return key;
  }
}
