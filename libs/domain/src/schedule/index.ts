export { compileSchedule, nextPeriod, type Period, type PeriodAt } from './periods.ts';
export { readSchedule, SCHEDULE_LIMITS, type GivenSchedule, type ReadSchedule } from './read-schedule.ts';
export { isTimeZone } from './time-zone.ts';
