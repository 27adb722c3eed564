import type { Admin } from 'kafkajs';
import type { Client } from './client.ts';

/** Bounds how long `closing` may take; a client that cannot say goodbye is dropped. */
export async function within(ms: number, closing: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([closing.catch(() => undefined), enough]);
  clearTimeout(timer);
}

/** One administrative connection, made when it is first needed and replaced after any error. */
export class AdminClient {
  private current: Promise<{ admin: Admin; client: Client }> | undefined;

  constructor(private readonly create: () => Client) {}

  async run<T>(task: (admin: Admin) => Promise<T>): Promise<T> {
    const connection = (this.current ??= this.connect());
    try {
      return await task((await connection).admin);
    } catch (error) {
      if (this.current === connection) this.current = undefined;
      void this.drop(connection);
      throw error;
    }
  }

  private async connect(): Promise<{ admin: Admin; client: Client }> {
    const client = this.create();
    const admin = client.kafka.admin();
    try {
      await admin.connect();
    } catch (error) {
      client.gate.close();
      throw error;
    }
    return { admin, client };
  }

  private async drop(connection: Promise<{ admin: Admin; client: Client }>): Promise<void> {
    const found = await connection.catch(() => undefined);
    if (!found) return;
    await within(1_000, found.admin.disconnect());
    found.client.gate.close();
  }

  async close(): Promise<void> {
    const connection = this.current;
    this.current = undefined;
    if (connection) await this.drop(connection);
  }
}
