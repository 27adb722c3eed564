import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { Problem } from '@tocsin/nest-shell';
import type { FastifyReply } from 'fastify';
import { refusalOf } from './events-api.ts';

/** Tells senders of PagerDuty events about problems in the words of PagerDuty's API, with the headers that every answer has. */
@Catch(Problem)
export class EventsApiFilter implements ExceptionFilter<Problem> {
  catch(problem: Problem, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.sent) return;
    const { code, body } = refusalOf(problem);
    void reply
      .status(code)
      .headers({ ...problem.extra.headers, 'content-type': 'application/json; charset=utf-8' })
      .send(JSON.stringify(body));
  }
}
