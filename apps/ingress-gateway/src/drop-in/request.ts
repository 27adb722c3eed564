import { Problem } from '@tocsin/nest-shell';
import type { FastifyRequest } from 'fastify';
import { checkJson, inflated, withoutMark } from '../body.ts';
import { bodyOf } from '../reception.ts';

const NO_LIST = Buffer.alloc(0);
const plainBodyOf = async (request: FastifyRequest): Promise<Buffer> =>
  withoutMark(await inflated(bodyOf(request), request.headers['content-encoding']));

/**
 * The JSON of a request whose webhook is named inside it. It has shown no credential yet, so the body is checked against the caps
 * before anything is built of it.
 * @throws Problem 400, 413, 415
 */
export async function jsonOf(request: FastifyRequest): Promise<unknown> {
  const body = await plainBodyOf(request);
  checkJson(body, NO_LIST);
  return JSON.parse(body.toString('utf8')) as unknown;
}

/** @throws Problem 400 where the body opens as something else than a list */
export async function checkOpensList(request: FastifyRequest): Promise<void> {
  const [opening] = (await plainBodyOf(request)).toString('latin1', 0, 1_024).trimStart();
  if (opening === undefined || opening === '[') return; // an empty body is told so with every other check
  throw new Problem(
    'malformed-body',
    'API v2 takes a list of alerts; a webhook of Alertmanager goes to its own address.',
    {
      errors: [
        { path: '$', code: 'not-a-list', message: 'a list of {labels, annotations, startsAt, endsAt, generatorURL}' },
      ],
    },
  );
}
