import { Controller, Delete, Get, Inject, Patch, Post, Put, Req, Res } from '@nestjs/common';
import { Problem } from '@tocsin/nest-shell';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { INGRESS, type Ingress } from './ingress.ts';
import { bodyBytesOf, checkFirst, receive } from './reception.ts';
import { checkPlatform } from './webhook-directory.ts';

const ADDRESS = 'api/integrations/:platform';

type IntegrationRequest = FastifyRequest<{ Params: { platform: string }; Querystring: { integrationId?: unknown } }>;

const onlyPost = () => new Problem('method-not-allowed', 'Alerts are sent with POST.', { headers: { allow: 'POST' } });

/** `POST /api/integrations/{platform}?integrationId={webhook id}`: the same, with an address that names the platform. */
@Controller()
export class IntegrationController {
  constructor(@Inject(INGRESS) private readonly ingress: Ingress) {}

  @Post(ADDRESS)
  async trigger(@Req() request: IntegrationRequest, @Res() reply: FastifyReply): Promise<void> {
    const { params, query } = request;
    const { directory } = this.ingress;
    const found = await directory.byPlatform(params.platform, query.integrationId, bodyBytesOf(request));
    const { webhook, connector } = found;
    await checkFirst(this.ingress, webhook, request, () => checkPlatform(webhook, connector));
    await receive(this.ingress, webhook, { request, reply });
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
