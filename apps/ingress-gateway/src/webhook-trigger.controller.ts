import { Controller, Delete, Get, Inject, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { Problem } from '@tocsin/nest-shell';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { INGRESS, type Ingress } from './ingress.ts';
import { bodyKindsOf } from './platforms.ts';
import { bodyBytesOf, checkFirst, receive } from './reception.ts';

const ADDRESS = 'webhook/:token/trigger';

const onlyPost = () => new Problem('method-not-allowed', 'Alerts are sent with POST.', { headers: { allow: 'POST' } });

/** `POST /webhook/{token}/trigger`: any platform; the token names the webhook. `GET` for platforms with nothing but a query. */
@Controller()
export class WebhookTriggerController {
  constructor(@Inject(INGRESS) private readonly ingress: Ingress) {}

  @Post(ADDRESS)
  async trigger(
    @Req() request: FastifyRequest<{ Params: { token: string } }>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const webhook = await this.ingress.directory.byToken(request.params.token, bodyBytesOf(request));
    await receive(this.ingress, webhook, { request, reply });
  }

  /** For senders that can only put everything into the query string (UptimeRobot, Uptime Kuma). */
  @Get(ADDRESS)
  async get(@Req() request: FastifyRequest<{ Params: { token: string } }>, @Res() reply: FastifyReply): Promise<void> {
    const webhook = await this.ingress.directory.byToken(request.params.token, 0);
    const { connector } = webhook.body;
    await checkFirst(this.ingress, webhook, request, () => {
      if (!bodyKindsOf(connector).query) throw onlyPost();
    });
    await receive(this.ingress, webhook, { request, reply });
  }
  @Put(ADDRESS) put(): never {
    throw onlyPost();
  }
  @Patch(ADDRESS) patch(): never {
    throw onlyPost();
  }
  @Delete(ADDRESS) delete(): never {
    throw onlyPost();
  }
}
