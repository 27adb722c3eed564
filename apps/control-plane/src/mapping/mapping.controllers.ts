import { Body, Controller, HttpCode, Inject, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, body, type Caller, CallerOf, params, Scopes } from '@tocsin/nest-shell';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IdPath, invalidField } from '../fields.ts';
import { MAPPING_PREVIEWS, WEBHOOK_TESTS } from '../tokens.ts';
import { PreviewMapping } from './mapping.dto.ts';
import type { MappingPreviews } from './mapping-previews.ts';
import { inflated } from './payload-of.ts';
import { senderHeaders } from './trial-credential.ts';
import type { WebhookTest, WebhookTests } from './webhook-tests.ts';

@Controller('api/v1/mapping')
@UseGuards(ApiKeyGuard)
@Scopes('admin')
export class MappingController {
  constructor(@Inject(MAPPING_PREVIEWS) private readonly previews: MappingPreviews) {}

  @Post('preview')
  @HttpCode(200)
  preview(@CallerOf() { workspaceId }: Caller, @Body(body(PreviewMapping)) input: PreviewMapping) {
    return this.previews.run(workspaceId, input);
  }
}

/** The body of a test is the payload itself, in whatever form its sender has. */
@Controller('api/v1/webhooks')
@UseGuards(ApiKeyGuard)
@Scopes('admin')
export class WebhookTestController {
  constructor(@Inject(WEBHOOK_TESTS) private readonly tests: WebhookTests) {}

  @Post(':id/test')
  @HttpCode(200)
  async test(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(IdPath)) { id: webhookId }: IdPath,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { send, ...sent } = requestOf(request);
    const test: WebhookTest = {
      workspaceId,
      webhookId,
      ...sent,
      body: inflated(sent.sent, request.headers['content-encoding']),
    };
    if (!send) return this.tests.run(test);
    void reply.code(202);
    return this.tests.send(test);
  }
}

const NO_BODY = Buffer.alloc(0);

/** The request as its sender would have made it: the key of the API call and `send` are not the sender's. */
function requestOf({ url, body: sent, headers, raw }: FastifyRequest) {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const send = query.get('send') ?? 'false';
  if (send !== 'true' && send !== 'false') throw invalidField('send', 'is-in', 'must be true or false');
  query.delete('send');
  return {
    send: send === 'true',
    sent: Buffer.isBuffer(sent) ? sent : NO_BODY,
    contentType: headers['content-type'] ?? null,
    rawHeaders: senderHeaders(raw.rawHeaders),
    query: query.toString(),
  };
}
