import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from './health.ts';

/** `/health/live` and `/health/ready` on a port of their own, where services run apart. */
export async function startAdminServer(
  health: Health,
  host: string,
  port: number,
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/health/live') return void answer(200, { status: 'live' });
    if (request.url !== '/health/ready') return void answer(404, { status: 'unknown' });
    health.checks().then(
      (checks) => {
        const ok = checks.every((check) => check.ok);
        answer(ok ? 200 : 503, { status: ok ? 'ready' : 'not-ready', checks });
      },
      () => answer(503, { status: 'not-ready', checks: [] }),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
