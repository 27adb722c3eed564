import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ApiDocument, apiDocumentText } from './document.ts';
import { apiPage } from './page.ts';

const document = JSON.parse(apiDocumentText()) as ApiDocument;
const { html, policy } = apiPage(document);

describe('the page of the API', () => {
  it('shows every operation and every schema once', () => {
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const wanted = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(ids).toEqual(expect.arrayContaining(wanted));
    expect(ids).toEqual(
      expect.arrayContaining(Object.keys(document.components.schemas).map((name) => `schema-${name}`)),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('links only to what is on it, or to the document', () => {
    const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => `#${id}`));
    const targets = [...html.matchAll(/href="([^"]+)"/g)].map(([, target]) => target ?? '');
    expect(targets.filter((target) => !ids.has(target) && target !== '/api/openapi.json')).toEqual([]);
  });

  it('loads nothing: no script, no address but its own; its policy lets in exactly its style sheet', () => {
    expect(html).not.toMatch(/<script|<link|<img|<iframe| style=| on\w+="| src="/i);
    const style = /<style>([^]*?)<\/style>/.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(policy).toContain(`default-src 'none'`);
  });

  it('shows text of the document as text', () => {
    const evil: ApiDocument = { ...document, info: { ...document.info, title: '<script>alert(1)</script>' } };
    expect(apiPage(evil).html).not.toContain('<script>');
  });
});
