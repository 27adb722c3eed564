import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { map, type Observable } from 'rxjs';

interface Reply {
  statusCode: number;
  header(name: string, value: string): Reply;
}

/**
 * Answers with one row carry its revision as ETag, and a new one its address. None may be kept by a cache: some show a
 * secret, all are for one caller.
 */
export class RevisionTag implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    return next.handle().pipe(
      map((answer: unknown) => {
        const reply = http.getResponse<Reply>().header('cache-control', 'no-store');
        if (!isRow(answer)) return answer;
        reply.header('etag', `"${answer.revision}"`);
        const { url } = http.getRequest<{ url: string }>();
        if (reply.statusCode === 201) reply.header('location', `${url.replace(/[?#].*$/, '')}/${answer.id}`);
        return answer;
      }),
    );
  }
}

const isRow = (answer: unknown): answer is { id: string; revision: number } =>
  typeof answer === 'object' && answer !== null && 'id' in answer && 'revision' in answer;
