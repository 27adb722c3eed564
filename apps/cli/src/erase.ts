import { parseArgs } from 'node:util';
import { isId } from '@tocsin/contracts';
import { Api } from './dead-letters-api.ts';
import { type Terminal, UsageError } from './terminal.ts';

interface Erased {
  id: string;
  version: number;
  erased_versions: number[];
}

/** `tocsin erase`: takes personal data out of an incident. */
export async function erase(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      version: { type: 'string', multiple: true },
      note: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [incident = ''] = positionals;
  if (positionals.length !== 1 || !isId('inc', incident)) throw new UsageError('erase: one incident (inc_…)');
  const versions = values.version?.map(versionOf);
  const content = {
    ...(versions === undefined ? {} : { versions }),
    ...(values.note === undefined ? {} : { note: values.note }),
  };
  const answer = await new Api(terminal).post<Erased>(`incidents/${incident}/erase`, content);
  const erased = answer.erased_versions;
  if (values.json)
    terminal.out(`${JSON.stringify({ id: answer.id, version: answer.version, erased_versions: erased })}\n`);
  else if (erased.length === 0) terminal.out(`${incident}: there was nothing left to erase\n`);
  else
    terminal.out(`${incident}: erased the content of version${erased.length === 1 ? '' : 's'} ${erased.join(', ')}\n`);
}

function versionOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new UsageError('--version: the version of an event, as its timeline gives it');
  return Number(text);
}
