import type { Replayed, Simulation } from './simulation.ts';

/** What becomes of incidents under another configuration. */
export const changeKinds = ['split', 'join', 'regroup', 'appear', 'vanish', 'change'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** An incident of a replay, with the alerts that fired into it. */
export interface ReplayedIncident {
  id: string;
  title: string;
  severity: string;
  openedAt: string;
  status: string;
  alertIds: string[];
}

/** An alert about which both configurations say something else. */
export interface DecidingAlert {
  now: Replayed;
  proposed: Replayed;
}

/** Incidents that share alerts, before and after. */
export interface ChangedGroup {
  kind: ChangeKind;
  now: ReplayedIncident[];
  proposed: ReplayedIncident[];
  /** The first ones; what follows is often their consequence. */
  deciding: DecidingAlert[];
  /** How many alerts differ in all. */
  differing: number;
}

export interface Comparison {
  alerts: number;
  incidents: { now: number; proposed: number; unchanged: number };
  groups: ChangedGroup[];
}

const DECIDING_MAX = 5;

/** Which incidents would be others. Two incidents are the same where the same alerts fired into them. */
export function compare(now: Simulation, proposed: Simulation): Comparison {
  const [before, after] = [incidentsOf(now), incidentsOf(proposed)];
  const groups = componentsOf(before, after);
  const changed = groups.flatMap((group) => {
    const kind = kindOf(group);
    return kind ? [{ kind, ...group, ...decidingOf(group, now, proposed) }] : [];
  });
  return {
    alerts: now.replayed.size,
    incidents: { now: before.size, proposed: after.size, unchanged: groups.length - changed.length },
    groups: changed.sort((a, b) => (openingOf(a) < openingOf(b) ? -1 : 1)),
  };
}

type Incidents = Map<string, ReplayedIncident>;
type Group = Pick<ChangedGroup, 'now' | 'proposed'>;

const openingOf = ({ now, proposed }: Group): string =>
  [...now, ...proposed].map(({ openedAt, id }) => `${openedAt} ${id}`).sort()[0] ?? '';

function incidentsOf({ replayed, incidents }: Simulation): Incidents {
  const found: Incidents = new Map();
  for (const { alert, incidentId } of replayed.values()) {
    if (incidentId === null || alert.status !== 'triggered') continue;
    const incident = found.get(incidentId);
    if (incident) incident.alertIds.push(alert.id);
    else found.set(incidentId, { ...shownOf(incidents.incident(incidentId)), alertIds: [alert.id] });
  }
  return found;
}

function shownOf(incident: ReturnType<Simulation['incidents']['incident']>): Omit<ReplayedIncident, 'alertIds'> {
  if (incident.status === 'none') return { id: incident.id, title: '', severity: '', openedAt: '', status: 'none' };
  const { id, title, severity, openedAt, status } = incident;
  return { id, title, severity, openedAt, status };
}

/** Incidents that hang together because an alert is in both. */
function componentsOf(before: Incidents, after: Incidents): Group[] {
  const holding = new Map<string, ReplayedIncident[]>();
  for (const incident of [...before.values(), ...after.values()])
    for (const id of incident.alertIds) holding.set(id, [...(holding.get(id) ?? []), incident]);
  const seen = new Set<ReplayedIncident>();
  return [...before.values(), ...after.values()].flatMap((first) => {
    if (seen.has(first)) return [];
    const group = connected(first, holding);
    for (const incident of group) seen.add(incident);
    const members = [...group];
    const now = members.filter((incident) => before.get(incident.id) === incident);
    return [{ now, proposed: members.filter((incident) => after.get(incident.id) === incident) }];
  });
}

function connected(
  first: ReplayedIncident,
  holding: ReadonlyMap<string, readonly ReplayedIncident[]>,
): Set<ReplayedIncident> {
  const group = new Set([first]);
  // A set is walked to its end, the incidents that are added meanwhile included.
  for (const { alertIds } of group)
    for (const other of alertIds.flatMap((id) => holding.get(id) ?? [])) group.add(other);
  return group;
}

/** Null where nothing changes. */
function kindOf({ now, proposed }: Group): ChangeKind | null {
  if (now.length === 0) return 'appear';
  if (proposed.length === 0) return 'vanish';
  if (now.length === 1 && proposed.length > 1) return 'split';
  if (now.length > 1 && proposed.length === 1) return 'join';
  if (now.length > 1) return 'regroup';
  return now[0]?.alertIds.length === proposed[0]?.alertIds.length ? null : 'change';
}

/** The alerts on which the configurations differ, in their order. */
function decidingOf(group: Group, now: Simulation, proposed: Simulation): Pick<ChangedGroup, 'deciding' | 'differing'> {
  const ids = new Set([...group.now, ...group.proposed].flatMap(({ alertIds }) => alertIds));
  const differing: DecidingAlert[] = [];
  for (const [id, was] of now.replayed) {
    const is = ids.has(id) ? proposed.replayed.get(id) : undefined;
    if (is && differ(was, is)) differing.push({ now: was, proposed: is });
  }
  return { deciding: differing.slice(0, DECIDING_MAX), differing: differing.length };
}

const differ = (a: Replayed, b: Replayed): boolean =>
  a.decision.kind !== b.decision.kind || a.incidentId !== b.incidentId;
