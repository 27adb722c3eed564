import { Validator as OpenApiValidator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { gaps, openApiDocument } from './document.ts';
import { exampleRequests, operationsOf } from './requests.ts';
import { unservedRoutes } from './routes.ts';
import { Validator } from './validate.ts';

const document = openApiDocument();
const operations = operationsOf(document);

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1', async () => {
    const validator = new OpenApiValidator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    expect({ errors, valid }).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('describes every route (else: add it to a file of tools/openapi/operations; describe.ts says what is needed)', () => {
    expect(gaps().undescribed).toEqual([]);
  });

  it('describes no route that is gone', () => expect(gaps().stale).toEqual([]));

  it('is about routes that are served (else: name the controller in a module)', () =>
    expect(unservedRoutes()).toEqual([]));

  it('names every operation once', () => {
    const names = operations.map(({ operation }) => (operation as unknown as { operationId: string }).operationId);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('gives every operation with a body an example', () => {
    const without = operations.filter(
      ({ operation }) =>
        operation.requestBody &&
        !Object.values(operation.requestBody.content).some(({ examples = {} }) => Object.keys(examples).length > 0),
    );
    expect(without.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });
});

describe('an example body', () => {
  const validator = new Validator(document);
  const bodies = exampleRequests(document).filter(({ body }) => body !== undefined);

  it.each(bodies.map((one) => [one.name, one] as const))(
    '%s fits its schema',
    (_name, { operation, headers, body }) => {
      const media = operation.requestBody?.content[headers['content-type'] ?? ''];
      const value: unknown = media?.schema?.type === 'string' ? body : JSON.parse(body ?? '');
      expect(validator.errors(media?.schema ?? {}, value)).toEqual([]);
    },
  );
});

describe('what is read from class-validator', () => {
  const schema = (name: string) =>
    document.components.schemas[name] as unknown as {
      properties: Record<string, Record<string, unknown>>;
      required?: string[];
      additionalProperties: boolean;
    };

  it('limits, choices, defaults and what may be null', () => {
    const { dedup, name, severity_profile } = schema('CreateWebhook').properties;
    expect(dedup).toEqual({ $ref: '#/components/schemas/DedupInput' });
    expect(name).toMatchObject({ type: 'string', minLength: 1, maxLength: 200 });
    expect(severity_profile).toMatchObject({ enum: ['tocsin', 'opsknight'] });
    expect(schema('DedupInput').properties.window_hours).toMatchObject({ type: 'integer', minimum: 1, maximum: 168 });
    expect(schema('RotateCredential').properties.overlap_hours).toMatchObject({ default: 24 });
    expect(schema('CreateApiKey').properties.expires_at).toMatchObject({ type: ['string', 'null'] });
  });

  it('lists with their entries, comments, and what is required', () => {
    expect(schema('CreateApiKey').properties.scopes).toMatchObject({
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: ['ingest', 'read', 'respond', 'admin'] },
    });
    expect(schema('CreateWorkspace').properties.slug?.description).toBe('Default: made from the name.');
    expect(schema('CreateWebhook')).toMatchObject({ required: ['name', 'connector'], additionalProperties: false });
    expect(schema('UpdateWebhook').required).toBeUndefined();
  });
});
