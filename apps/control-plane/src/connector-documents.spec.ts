import { connectors } from '@tocsin/connectors';
import { describe, expect, it } from 'vitest';
import { guideOf, samplePayloadsOf, stepsIn } from './connector-documents.ts';

describe('the documents of a connector', () => {
  it.each(connectors.map(({ source }) => source.id))('%s has steps, a guide and samples', (id) => {
    const guide = guideOf(id);
    expect(guide.setupSteps.length).toBeGreaterThanOrEqual(1);
    for (const text of [guide.authentication, guide.resolves, guide.traps]) expect(text).not.toBe('');
    expect(samplePayloadsOf(id).length).toBeGreaterThanOrEqual(3);
  });

  it('knows nothing outside of the registry', () => {
    for (const id of ['kit', '..', '../../contracts', ''])
      expect(() => guideOf(id)).toThrow(`there is no connector "${id}"`);
  });

  it('splits a section into steps, each with its code and continuation lines', () => {
    const section = [
      'Before you begin.',
      '',
      '1. Open the page,',
      '   then scroll.',
      '2. Paste:',
      '',
      '```yaml',
      'a: 1',
      '',
      '1. not a step',
      '```',
      '',
      'Done.',
    ].join('\n');
    expect(stepsIn(section)).toEqual([
      'Before you begin.',
      'Open the page,\n   then scroll.',
      'Paste:\n\n```yaml\na: 1\n\n1. not a step\n```',
      'Done.',
    ]);
    expect(stepsIn('')).toEqual([]);
  });
});
