import type { MuteDocument, MuteKind } from '@tocsin/contracts';
import { evaluate, readCondition, shareOf, type CompiledCondition, type Explanation } from '../conditions/index.ts';
import { compileSchedule, type PeriodAt } from '../schedule/index.ts';
import type { Case } from './correlate.ts';
import { instantOf } from './moments.ts';

/** Of those that do not match so many are explained; the others are only counted. */
const EXPLAINED_MAX = 20;

/** A silence or a maintenance window, compiled. */
export interface CompiledMute {
  kind: MuteKind;
  id: string;
  revision: number;
  name: string;
  comment: string;
  condition: CompiledCondition;
  periodAt: PeriodAt;
}

/** Compiles one, once per revision. Documents were checked when they were saved; one that cannot be read all the same mutes nothing. */
export function compileMute({ kind, id, revision, body }: MuteDocument): CompiledMute | null {
  const read = readCondition(body.matchers);
  if (!read.ok) return null;
  const { name, comment, schedule } = body;
  return { kind, id, revision, name, comment, condition: read.condition, periodAt: compileSchedule(schedule) };
}

/** Maintenance windows are asked before silences, each in the order of their ids: every replay names the same one. */
export const inOrder = (mutes: readonly CompiledMute[]): CompiledMute[] =>
  [...mutes].sort((a, b) => (a.kind === b.kind ? (a.id < b.id ? -1 : 1) : a.kind < b.kind ? -1 : 1));

/**
 * Which kind of them keeps the alert, by the time of its receipt, from opening anything; null = none. Records a step per kind that
 * there is, with what matched, or the nearest miss and the condition that failed. Source: architecture §9.4.
 */
export function mutedBy(one: Case): MuteKind | null {
  const { mutes = [] } = one.config;
  if (mutes.length === 0) return null;
  for (const kind of ['maintenance-window', 'silence'] as const) {
    const ofKind = mutes.filter((mute) => mute.kind === kind);
    if (ofKind.length > 0 && matches(one, kind, ofKind)) return kind;
  }
  return null;
}

function matches(one: Case, kind: MuteKind, mutes: readonly CompiledMute[]): boolean {
  let active = 0;
  let nearest: { mute: CompiledMute; explained: Explanation } | undefined;
  for (const mute of mutes) {
    const period = mute.periodAt(one.receivedAt);
    if (!period) continue;
    active += 1;
    const explained = evaluate(mute.condition, { alert: one.subject });
    if (explained.holds) {
      const { id, name, comment, revision } = mute;
      const [from, to] = [instantOf(period.from), instantOf(period.to)];
      const { receivedAt } = one.alert;
      one.trail.hit(kind, { id, name, comment, revision, from, to, receivedAt, conditions: explained.decided });
      return true;
    }
    if (active <= EXPLAINED_MAX && (!nearest || shareOf(explained) > shareOf(nearest.explained)))
      nearest = { mute, explained };
  }
  if (active === 0) one.trail.miss(kind, 'none-active', { of: mutes.length });
  else one.trail.miss(kind, 'no-match', { active, ...(nearest && { nearest: missOf(nearest) }) });
  return false;
}

const missOf = ({ mute, explained }: { mute: CompiledMute; explained: Explanation }) => ({
  ...{ id: mute.id, name: mute.name, revision: mute.revision },
  ...{ held: explained.held, of: explained.conditions, failed: explained.decided },
});
