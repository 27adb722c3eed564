import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { decodeRecord } from '@tocsin/contracts';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch } from '@tocsin/postgres';
import { INGRESS, type Ingress } from './ingress.ts';

/** Hears what became of receipts; every gateway hears all of it and keeps what its own senders wait for. */
@Controller()
export class ReceiptRepliedConsumer {
  constructor(@Inject(INGRESS) private readonly ingress: Ingress) {}

  @Hears('ingress-gateway', 'webhook.replies', { mode: 'broadcast-from-end' })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    const { room } = this.ingress;
    for (const { key, value } of batch.inputs)
      if (room.awaits(key)) room.hear(decodeRecord('receipt.replied.v1', value));
    return Promise.resolve({ kind: 'committed', next: (batch.inputs.at(-1)?.offset ?? -1n) + 1n });
  }
}
