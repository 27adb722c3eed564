import { eventTypeNames } from '@tocsin/contracts';
import { vendorTemplateNames } from '@tocsin/domain/vendor-templates';
import Type from 'typebox';
import { anything, described, flag, free, headerMap, nullable, page, ref, text, texts, word } from './kit.ts';

const eventNames = Type.Array(word(...eventTypeNames));

export const templateSchemas = {
  Template: Type.Object({
    name: word(...vendorTemplateNames),
    title: text,
    description: text,
    documentation: described(text, 'The vendor’s page that the requests follow.'),
    platforms: described(texts, 'Connectors of the same platform: incidents that they opened are not sent back.'),
    parameters: Type.Array(
      Type.Object({
        name: text,
        type: word('text', 'url', 'number', 'boolean'),
        required: flag,
        secret: described(flag, 'Stored sealed, and shown to nobody.'),
        description: text,
        default: anything,
        values: nullable(texts),
        pattern: nullable(text),
        example: anything,
      }),
    ),
    default_events: eventNames,
    supported_events: eventNames,
    examples: Type.Array(
      Type.Object({
        event: word(...eventTypeNames),
        method: word('POST'),
        url: text,
        headers: headerMap,
        body: described(free, 'What the vendor gets, secrets masked.'),
      }),
    ),
  }),
  TemplatePage: page(ref('Template')),
};
