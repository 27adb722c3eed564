import { Controller, Delete, Get, Inject, Patch, Post, Put, Req, Res, UseFilters } from '@nestjs/common';
import { Problem } from '@tocsin/nest-shell';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { INGRESS, type Ingress } from '../ingress.ts';
import { bodyBytesOf, checkFirst, receive } from '../reception.ts';
import { checkPlatform } from '../webhook-directory.ts';
import { EventsApiFilter } from './events-api.filter.ts';
import { invalidEvent, processed, readEvent } from './events-api.ts';
import { jsonOf } from './request.ts';

const ADDRESS = 'v2/enqueue';

const onlyPost = () => new Problem('method-not-allowed', 'Events are sent with POST.', { headers: { allow: 'POST' } });

/** `POST /v2/enqueue`: PagerDuty's Events API v2. The routing key names the webhook; it is no credential (product P2). */
@Controller()
@UseFilters(EventsApiFilter)
export class EventsApiController {
  constructor(@Inject(INGRESS) private readonly ingress: Ingress) {}

  @Post(ADDRESS)
  async enqueue(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const verdict = readEvent(await jsonOf(request));
    if (!verdict.ok) {
      const { code, body } = invalidEvent(verdict.errors);
      return void reply.code(code).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
    }
    const { routingKey, dedupKey } = verdict.event;
    const webhook = await this.ingress.directory.byToken(routingKey, bodyBytesOf(request));
    await checkFirst(this.ingress, webhook, request, () => checkPlatform(webhook, 'pagerduty'));
    await receive(this.ingress, webhook, { request, reply, atOnce: (receiptId) => processed(dedupKey ?? receiptId) });
  }

  @Get(ADDRESS) get(): never {
    throw onlyPost();
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
