import { createHmac } from 'node:crypto';
import type { Site } from './sites.ts';

export interface Answer<T = Record<string, unknown>> {
  status: number;
  body: T;
}
export interface TriggerAnswer {
  receipt_id: string;
  status: string;
  incident_id: string | null;
  alerts: {
    alert_id: string;
    incident_id: string | null;
    outcome: string;
    reason: string;
    occurrence_count: number | null;
  }[];
  code?: string;
  detail?: string;
}
export interface MadeWebhook {
  id: string;
  token: string;
  secret: string;
}

/** What a sender, a subscriber and an operator do over HTTP. */
export class Client {
  private readonly site: Pick<Site, 'apiKey' | 'at'>;

  constructor(site: Pick<Site, 'apiKey' | 'at'>) {
    this.site = site;
  }

  async api<T = Record<string, unknown>>(
    method: string,
    path: string,
    content?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.site.at(path, method)}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.site.apiKey}`,
        ...(content === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : {}) as T };
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const { status, body } = await this.api<T>('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  async make<T>(path: string, content: unknown): Promise<T> {
    const { status, body } = await this.api<T>('POST', path, content);
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Sends raw bytes to a webhook. */
  async trigger(
    webhook: { token: string },
    raw: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Answer<TriggerAnswer>> {
    const path = `/webhook/${webhook.token}/trigger`;
    const response = await fetch(`${this.site.at(path)}${path}`, {
      method: 'POST',
      body: raw,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: response.status, body: (await response.json()) as TriggerAnswer };
  }

  bearer(webhook: MadeWebhook, payload: unknown, headers: Record<string, string> = {}) {
    return this.trigger(webhook, JSON.stringify(payload), {
      authorization: `Bearer ${webhook.secret}`,
      prefer: 'wait=10',
      ...headers,
    });
  }

  pagerDuty(webhook: MadeWebhook, payload: unknown, key = webhook.secret) {
    const raw = JSON.stringify(payload);
    const signature = createHmac('sha256', key).update(raw).digest('hex');
    return this.trigger(webhook, raw, {
      'x-pagerduty-signature': `v1=${'0'.repeat(64)},v1=${signature}`,
      prefer: 'wait=10',
    });
  }
}
