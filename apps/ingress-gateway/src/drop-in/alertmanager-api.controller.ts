import { Controller, Delete, Get, Inject, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { Problem } from '@tocsin/nest-shell';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptedAnswer } from '../answers.ts';
import { INGRESS, type Ingress } from '../ingress.ts';
import { bodyBytesOf, checkFirst, receive } from '../reception.ts';
import { checkPlatform } from '../webhook-directory.ts';
import { checkOpensList } from './request.ts';

const ADDRESS = 'prometheus/:token/api/v2/alerts';

const onlyPost = () => new Problem('method-not-allowed', 'Alerts are sent with POST.', { headers: { allow: 'POST' } });

/** `POST /prometheus/{token}/api/v2/alerts`: Alertmanager's API v2, with `/prometheus/{token}` as the `path_prefix` of a Prometheus. */
@Controller()
export class AlertmanagerApiController {
  constructor(@Inject(INGRESS) private readonly ingress: Ingress) {}

  @Post(ADDRESS)
  async alerts(
    @Req() request: FastifyRequest<{ Params: { token: string } }>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const webhook = await this.ingress.directory.byToken(request.params.token, bodyBytesOf(request));
    await checkFirst(this.ingress, webhook, request, () => {
      checkPlatform(webhook, 'prometheus');
      return checkOpensList(request);
    });
    const atOnce = (receiptId: string) => ({ ...acceptedAnswer(receiptId), status: 200 as const });
    await receive(this.ingress, webhook, { request, reply, atOnce });
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
