import { Controller, Get, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { CLOCK, type Clock } from '@tocsin/nest-shell';
import type { FastifyRequest } from 'fastify';
import { SINK, type Sink } from './sink-store.ts';
import { verifySignatures } from './verify.ts';

const text = (value: string | string[] | undefined): string | null => (typeof value === 'string' ? value : null);

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return body.toString('utf8');
  }
}

/** A built-in receiver for the demo subscription: it shows what it got and whether the signatures hold. */
@Controller('sink')
export class SinkController {
  constructor(
    @Inject(SINK) private readonly sink: Sink,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(204)
  receive(@Req() request: FastifyRequest): void {
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { headers } = request;
    const signatures = verifySignatures(headers, this.sink.secret, raw);
    const body = parsed(raw);
    const verdicts = Object.values(signatures).filter((verdict) => verdict !== null);
    this.sink.store.add({
      received_at: this.clock().toISOString(),
      event: text(headers['x-webhook-event']),
      event_id: text(headers['webhook-id']),
      attempt: text(headers['x-tocsin-attempt']),
      incident_id: (body as { data?: { id?: string } } | null)?.data?.id ?? null,
      signatures,
      verified: verdicts.length > 0 && verdicts.every(Boolean),
      headers: Object.fromEntries(
        Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      ),
      body,
    });
  }

  @Get()
  @Header('cache-control', 'no-store')
  list() {
    return { items: this.sink.store.newestFirst() };
  }
}
