import type { ConditionDocument, ProblemDetail } from '@tocsin/contracts';
import { readCondition } from '@tocsin/domain/conditions';
import { nextPeriod } from '@tocsin/domain/schedule';
import type { MuteStatus } from './mute.dto.ts';
import type { MuteRow } from './mute-rows.ts';

export function statusOf({ schedule }: Pick<MuteRow, 'schedule'>, now: Date): MuteStatus {
  const period = nextPeriod(schedule, now.getTime());
  if (!period) return 'ended';
  return period.from <= now.getTime() ? 'active' : 'scheduled';
}

/** What matchers name in vain: it works, but perhaps not as it was meant. */
export const warningsOf = (matchers: ConditionDocument): ProblemDetail[] =>
  readCondition(matchers).warnings.map(({ path, code, message }) => ({
    ...{ path: path === '' ? 'matchers' : `matchers.${path}`, code, message },
  }));

/** A silence or a maintenance window as people see it, with the period that is running or comes next. */
export function muteView(row: MuteRow, now: Date) {
  const { from, to, timeZone, recurrence } = row.schedule;
  const period = nextPeriod(row.schedule, now.getTime());
  return {
    ...{ id: row.id, workspace_id: row.workspaceId, name: row.name, comment: row.comment },
    ...{ status: statusOf(row, now), created_by: row.createdBy, matchers: row.matchers },
    ...{ from, to, time_zone: timeZone },
    recurrence: recurrence && {
      frequency: recurrence.frequency,
      interval: recurrence.interval,
      weekdays: recurrence.weekdays,
      month_days: recurrence.monthDays,
      until: recurrence.until,
    },
    period: period && { from: new Date(period.from).toISOString(), to: new Date(period.to).toISOString() },
    warnings: warningsOf(row.matchers),
    revision: row.revision,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
