import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch } from '@tocsin/postgres';
import type { NormalizeBatch } from './normalize-batch.ts';
import { NORMALIZE_BATCH } from './tokens.ts';

@Controller()
export class WebhookReceivedConsumer {
  constructor(@Inject(NORMALIZE_BATCH) private readonly normalize: NormalizeBatch) {}

  @Hears('normalizer', 'webhook.received', { gatherMs: 10 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.normalize(batch);
  }
}
