import 'reflect-metadata';
import { IsEmail, IsInt, IsOptional, IsString, Matches, Min } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { DtoSchemas } from './dto-schema.ts';
import { Components } from './json-schema.ts';

class Plain {
  @IsOptional() @IsString() @Matches(/^a/) @Matches(/b$/) text?: string;
  @IsInt({ each: true }) @Min(1, { each: true }) numbers!: number[];
}
class WithEmail {
  @IsEmail() address!: string;
}
class WithFlag {
  @Matches(/^a/i) word!: string;
}

const schemaOf = (Class: new () => object) => {
  const components = new Components();
  new DtoSchemas(components).component(Class, 'control-plane');
  return components.sorted()[Class.name];
};

describe('a class-validator class as JSON Schema', () => {
  it('keeps constraints of one kind side by side, and entries of lists apart from the list', () => {
    expect(schemaOf(Plain)).toEqual({
      type: 'object',
      properties: {
        text: {
          type: ['string', 'null'],
          pattern: expect.any(String) as unknown,
          allOf: [{ pattern: expect.any(String) as unknown }],
        },
        numbers: { type: 'array', items: { type: 'integer', minimum: 1 } },
      },
      required: ['numbers'],
      additionalProperties: false,
    });
  });

  it('says so where a decorator is not known, or an expression cannot be said, instead of leaving it out', () => {
    expect(() => schemaOf(WithEmail)).toThrow(
      'WithEmail.address: tools/openapi/dto-schema.ts does not know what @isEmail',
    );
    expect(() => schemaOf(WithFlag)).toThrow('JSON Schema knows no flags');
  });

  it('refuses two classes of one name that differ', () => {
    const components = new Components();
    components.add('Same', { type: 'string' });
    expect(() => components.add('Same', { type: 'integer' })).toThrow('two schemas are called Same');
  });
});
