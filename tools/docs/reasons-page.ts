import {
  decisionReasons,
  haltReasons,
  lifecycleReasons,
  outcomes,
  poisonReasons,
  retryReasons,
  scopes,
  skipReasons,
} from '@tocsin/contracts';
import { rejectionReasons } from '@tocsin/domain/authentication';
import { attemptReasons, finalReasons, urlRefusals } from '@tocsin/domain/delivery';
import { noteCodes } from '@tocsin/domain/mapping';
import { rcaCauses, rcaRefusals } from '@tocsin/domain/rca';
import { code, table } from './markdown.ts';
import * as meanings from './meanings.ts';

interface Section {
  title: string;
  intro: string;
  names: readonly string[];
  meanings: Readonly<Record<string, string>>;
}

export const sections: readonly Section[] = [
  {
    title: 'Outcomes',
    intro: 'What became of an alert or a receipt: in answers, receipts and "why".',
    names: outcomes,
    meanings: meanings.outcomeMeanings,
  },
  {
    title: 'Decision reasons',
    intro: 'Why an alert had its outcome.',
    names: decisionReasons,
    meanings: meanings.decisionMeanings,
  },
  {
    title: 'Reasons of people and timers',
    intro: 'Why an event is on an incident that no alert brought; the timeline has these beside decision reasons.',
    names: lifecycleReasons,
    meanings: meanings.lifecycleMeanings,
  },
  {
    title: 'Skip reasons',
    intro: 'Why the pipeline passed over a record without effect.',
    names: skipReasons,
    meanings: meanings.skipMeanings,
  },
  {
    title: 'Dead-letter reasons',
    intro: 'What is reproducibly wrong with a record itself, so that it goes to `dead-letters`.',
    names: poisonReasons,
    meanings: meanings.poisonMeanings,
  },
  {
    title: 'Retry reasons',
    intro: 'Why a batch is tried again, for as long as it lasts.',
    names: retryReasons,
    meanings: meanings.retryMeanings,
  },
  {
    title: 'Halt reasons',
    intro: 'Why a partition stops until a person has looked. Readiness says so; `tocsin positions` is the way out.',
    names: haltReasons,
    meanings: meanings.haltMeanings,
  },
  {
    title: 'Rejected credentials',
    intro: 'Why a sender got 401. It is in the log; the sender sees one answer for all.',
    names: rejectionReasons,
    meanings: meanings.rejectionMeanings,
  },
  {
    title: 'Delivery attempts',
    intro: 'Why an outbound attempt ended as it did.',
    names: attemptReasons,
    meanings: meanings.attemptMeanings,
  },
  {
    title: 'Ended deliveries',
    intro: 'Why a delivery is not tried again, or was never sent.',
    names: finalReasons,
    meanings: meanings.finalMeanings,
  },
  {
    title: 'Refused receiver URLs',
    intro: 'Why a URL may not be a receiver.',
    names: urlRefusals,
    meanings: meanings.urlMeanings,
  },
  {
    title: 'Notes',
    intro: 'What was changed or guessed while an alert was read.',
    names: noteCodes,
    meanings: meanings.noteMeanings,
  },
  {
    title: 'Why an investigation is asked for',
    intro: 'Causes.',
    names: rcaCauses,
    meanings: meanings.rcaCauseMeanings,
  },
  {
    title: 'Why no investigation is asked for',
    intro: 'The first that holds, in this order.',
    names: rcaRefusals,
    meanings: meanings.rcaRefusalMeanings,
  },
  { title: 'Scopes', intro: 'What an API key may do.', names: scopes, meanings: meanings.scopeMeanings },
];

const rowOf = ({ title, meanings: known }: Section, name: string): [string, string] => {
  const meaning = known[name];
  if (meaning === undefined) throw new Error(`${title}: ${name} has no meaning in tools/docs/meanings.ts`);
  return [code(name), meaning];
};

export const reasonsPage = (): string =>
  sections
    .map(
      (section) =>
        `## ${section.title}\n\n${section.intro}\n\n${table(
          ['code', 'meaning'],
          section.names.map((name) => rowOf(section, name)),
        )}`,
    )
    .join('\n\n');
