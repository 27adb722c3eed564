import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch } from '@tocsin/postgres';
import { NOTICE_BOARD, type NoticeBoard } from './notice-board.ts';

/** Hears what could not be processed, and tells its workspace. */
@Controller()
export class OutboundDeadLettersConsumer {
  constructor(@Inject(NOTICE_BOARD) private readonly board: NoticeBoard) {}

  @Hears('outbound-dispatcher', 'dead-letters')
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.board.hearDeadLetters(batch);
  }
}
