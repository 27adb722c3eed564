import {
  type Candidate,
  type Evidence,
  instant,
  type OtherIncident,
  type RecentChange,
  round,
  serviceKey,
  serviceKeys,
  span,
} from './evidence.ts';
import { overlap, titleKey, titleWords } from './title-key.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** How strongly a change of this service is suspected before its age counts. */
const CHANGE_WEIGHT = { same: 0.9, neighbour: 0.55, unknown: 0.35 } as const;
/** Half of the suspicion is gone after this long. */
const CHANGE_HALF_LIFE = 120 * MINUTE;
const AROUND_HALF_LIFE = 10 * MINUTE;
/** Less than this is noise. */
const FLOOR = 0.05;
/** Titles and services together must agree this much. */
const SIMILAR_ENOUGH = 0.4;
/** The same title this often in 30 days is a pattern of its own. */
const RECURRENCES = 2;

const halved = (age: number, halfLife: number): number => 0.5 ** (Math.max(0, age) / halfLife);

/** Changes that took effect before the incident, newest and closest service first. */
export function fromChanges({ incident, changes, neighbours }: Evidence): Candidate[] {
  const own = new Set(serviceKeys(incident.services));
  const near = new Set(serviceKeys(neighbours));
  return changes.flatMap((change): Candidate[] => {
    const age = incident.openedAt - change.at;
    if (age < 0) return []; // what came after is not the cause
    const place =
      own.size === 0
        ? 'unknown'
        : own.has(serviceKey(change.service))
          ? 'same'
          : near.has(serviceKey(change.service))
            ? 'neighbour'
            : undefined;
    if (!place) return [];
    const failed = /fail|error|abort|cancel|rolled/i.test(change.status ?? '');
    const score = round(CHANGE_WEIGHT[place] * halved(age, CHANGE_HALF_LIFE) + (failed ? 0.05 : 0));
    if (score < FLOOR) return [];
    const where = place === 'neighbour' ? ', which has had incidents together with this one' : '';
    return [
      {
        kind: 'change',
        score,
        summary: `${nameOf(change)} on ${change.service}${where}, ${span(age)} before the incident opened`,
        evidence: [{ kind: 'change', id: change.id, at: instant(change.at), detail: detailOf(change) }],
      },
    ];
  });
}

const nameOf = (change: RecentChange): string =>
  change.title ?? [change.kind, change.version].filter(Boolean).join(' ');
const detailOf = (change: RecentChange): string =>
  [
    change.kind,
    change.version && `version ${change.version}`,
    change.environment && `in ${change.environment}`,
    change.status && `status ${change.status}`,
    change.actor && `by ${change.actor}`,
  ]
    .filter(Boolean)
    .join(', ');

/** Incidents that opened close in time on the same or a neighbouring service; the earlier one is the likelier cause. */
export function fromIncidentsAround({ incident, around, neighbours }: Evidence): Candidate[] {
  const own = serviceKeys(incident.services);
  const near = serviceKeys(neighbours);
  return around.flatMap((other): Candidate[] => {
    const services = serviceKeys(other.services);
    const shared = services.filter((service) => own.includes(service));
    const weight = shared.length > 0 ? 0.6 : services.some((service) => near.includes(service)) ? 0.4 : 0;
    const gap = incident.openedAt - other.openedAt;
    const score = round(weight * halved(Math.abs(gap), AROUND_HALF_LIFE) * (gap >= 0 ? 1 : 0.6));
    if (score < FLOOR) return [];
    const when = gap >= 0 ? `${span(gap)} before` : `${span(gap)} after`;
    return [
      {
        kind: 'related-alert',
        score,
        summary: `Incident #${other.number} "${other.title}" opened ${when} on ${other.services.join(', ')}: one of the two may follow from the other`,
        evidence: [
          {
            kind: 'incident',
            id: other.id,
            at: instant(other.openedAt),
            detail: `severity ${other.severity}, ${endOf(other)}`,
          },
        ],
      },
    ];
  });
}

const endOf = ({ openedAt, resolvedAt }: OtherIncident): string =>
  resolvedAt === null ? 'not resolved' : `resolved after ${span(resolvedAt - openedAt)}`;

function recurrences(incident: Evidence['incident'], past: readonly OtherIncident[]): OtherIncident[] {
  const key = titleKey(incident.title);
  return past
    .filter((other) => titleKey(other.title) === key && incident.openedAt - other.openedAt <= 30 * DAY)
    .sort(newestFirst);
}

/** The same title again and again: something was never repaired. */
export function fromRecurrence({ incident, past }: Evidence): Candidate[] {
  const same = recurrences(incident, past);
  const [latest] = same;
  if (!latest || same.length < RECURRENCES) return [];
  return [
    {
      kind: 'recurrence',
      score: round(Math.min(0.7, 0.3 + 0.08 * same.length)),
      summary: `This has happened ${same.length} times in the 30 days before, last ${span(incident.openedAt - latest.openedAt)} ago: its cause was not removed`,
      evidence: same.slice(0, 5).map(evidenceOf),
    },
  ];
}

/** Earlier incidents that read alike: what ended them may end this one. */
export function fromSimilarIncidents({ incident, past }: Evidence): Candidate[] {
  const words = titleWords(incident.title);
  const services = serviceKeys(incident.services);
  const recurring = recurrences(incident, past);
  const alike = past
    .filter((other) => recurring.length < RECURRENCES || !recurring.includes(other)) // those make a hypothesis of their own
    .map((other) => ({
      other,
      likeness: 0.7 * overlap(words, titleWords(other.title)) + 0.3 * overlap(services, serviceKeys(other.services)),
    }))
    .filter(({ likeness }) => likeness >= SIMILAR_ENOUGH)
    .sort((a, b) => b.likeness - a.likeness || newestFirst(a.other, b.other));
  const [best] = alike;
  if (!best) return [];
  return [
    {
      kind: 'similar-incident',
      score: round(0.5 * best.likeness),
      summary: `Reads like incident #${best.other.number} "${best.other.title}" of ${span(incident.openedAt - best.other.openedAt)} ago (${endOf(best.other)})`,
      evidence: alike.slice(0, 5).map(({ other }) => evidenceOf(other)),
    },
  ];
}

const newestFirst = (a: OtherIncident, b: OtherIncident): number => b.openedAt - a.openedAt || (a.id < b.id ? -1 : 1);
const evidenceOf = (other: OtherIncident) => ({
  kind: 'incident',
  id: other.id,
  at: instant(other.openedAt),
  detail: `#${other.number} "${other.title}" on ${other.services.join(', ') || 'no service'}, ${endOf(other)}`,
});

/** What is left when too little was found, said as it is; never above what was found. */
export function notKnown({ incident, changes, around, past }: Evidence, ceiling: number): Candidate[] {
  const where =
    incident.services.length > 0 ? incident.services.join(', ') : 'this workspace (the incident names no service)';
  const searched = { kind: 'search', id: null, at: null };
  return [
    {
      kind: 'unknown',
      score: Math.min(0.1, ceiling),
      summary: `A cause inside ${where} that nothing recorded here shows`,
      evidence: [
        {
          ...searched,
          detail: `looked at ${around.length} incidents within 30 min and ${past.length} earlier ones within 90 days`,
        },
      ],
    },
    {
      kind: 'unknown',
      score: Math.min(0.05, ceiling),
      summary: `A change or dependency of ${where} that was not reported`,
      evidence: [
        {
          ...searched,
          detail: `looked at ${changes.length} changes within 24 h; deployments are reported with POST /api/v1/changes`,
        },
      ],
    },
  ];
}
