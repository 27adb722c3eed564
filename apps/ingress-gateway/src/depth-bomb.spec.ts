import { afterAll, beforeAll, expect, it } from 'vitest';
import { SECRET, startGateway, type Gateway } from './spec/gateway.ts';

/** The bounds of the product, and how far beyond them a busy machine may be. */
const BOUND_MS = 50;
const GUARD = 10;
const GROWTH_BYTES = 20 * 1024 * 1024;

let gateway: Gateway;
beforeAll(async () => void (gateway = await startGateway()));
afterAll(() => gateway.application.close());

const held = (): number => {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};

it('a megabyte of brackets is refused at once, and costs no memory', async () => {
  const { token } = gateway.addWebhook();
  const bomb = Buffer.alloc(1024 * 1024, '[');
  const once = async () => {
    const [began, before] = [performance.now(), held()];
    const response = await fetch(`${gateway.url}/webhook/${token}/trigger`, {
      method: 'POST',
      body: bomb,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}` },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'malformed-body', errors: [{ code: 'too-deep' }] });
    return { ms: performance.now() - began, grown: held() - before };
  };
  await once(); // what is compiled and allocated once is not the bomb's
  const runs = [await once(), await once(), await once(), await once(), await once()];
  expect(Math.min(...runs.map(({ ms }) => ms))).toBeLessThan(BOUND_MS * GUARD);
  // Client and gateway share this process, and nobody collects garbage for the spec: the least of the runs is what one costs.
  expect(Math.min(...runs.map(({ grown }) => grown))).toBeLessThan(GROWTH_BYTES);
});
