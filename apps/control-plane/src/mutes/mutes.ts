import { deriveId, mintId } from '@tocsin/contracts';
import { type Caller, Problem, type Random } from '@tocsin/nest-shell';
import type { ConfigurationStore, ConfigurationTx } from '../configuration-store.ts';
import type { Page } from '../pages.ts';
import { cursorOf, readCursor } from '../pages.ts';
import type { CreateMaintenanceWindow, CreateSilence, ListMutes, PreviewMute, UpdateMute } from './mute.dto.ts';
import { previewMatchers, refuseOverBroad } from './mute-previews.ts';
import type { MuteRow } from './mute-rows.ts';
import { statusOf } from './mute-views.ts';
import { checkedMatchers, endedAt, endOfSchedule, newSchedule, scheduleAfter } from './read-mute.ts';

/** More at a time would make every decision slow, and nobody would know any more what is muted. */
const CURRENT_MAX = 500;
/** Those that are over are listed this long. */
const KEPT_DAYS = 30;
/** How many of those go with a new one. */
const PRUNED_MAX = 50;
const DAY_MS = 86_400_000;

/** Which of the two it is: where its rows are, and how its ids begin. */
export interface MuteResource<Row extends MuteRow> {
  Row: new () => Row;
  prefix: string;
}

type CreateMute = CreateSilence | CreateMaintenanceWindow;

/** Creates, changes and ends silences or maintenance windows. Every change is one transaction and one feed revision. */
export class Mutes<Row extends MuteRow> {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly random: Random,
    private readonly resource: MuteResource<Row>,
  ) {}

  get = (workspaceId: string, id: string): Promise<Row> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.find(this.resource.Row, id));

  list = (workspaceId: string, query: ListMutes): Promise<Page<Row>> =>
    this.store.inWorkspace(workspaceId, (tx) => listMutes(tx, this.resource.Row, query));

  preview = (workspaceId: string, { matchers, hours }: PreviewMute) => {
    const checked = checkedMatchers(matchers);
    return this.store.inWorkspace(workspaceId, (tx) => previewMatchers(tx, checked, hours));
  };

  /** Sent again with the same key it answers with what it made. @throws Problem over-broad, conflict, validation-failed */
  create(caller: Caller, input: CreateMute, idempotencyKey?: string): Promise<Row> {
    const { Row, prefix } = this.resource;
    const matchers = checkedMatchers(input.matchers);
    const { workspaceId } = caller;
    const id =
      idempotencyKey === undefined
        ? mintId(prefix, this.random(16))
        : deriveId(prefix, workspaceId, caller.keyId, idempotencyKey);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const before = idempotencyKey === undefined ? null : await readOne(tx, Row, id);
      if (before) return before;
      const schedule = newSchedule(input, tx.now);
      await refuseOverBroad(tx, matchers, input.force);
      await makeRoom(tx, Row);
      const comment = input.comment ?? '';
      const row = Object.assign(new Row(), {
        ...{ id, workspaceId, comment, matchers, schedule },
        name: input.name ?? nameOf(comment),
        createdBy: { id: caller.keyId, name: caller.name },
        endsAt: endOfSchedule(schedule),
      });
      return tx.save(row);
    });
  }

  update(workspaceId: string, id: string, input: UpdateMute, revision?: number): Promise<Row> {
    const matchers = input.matchers === undefined ? undefined : checkedMatchers(input.matchers);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(this.resource.Row, id, revision);
      if (matchers) await refuseOverBroad(tx, matchers, input.force);
      row.name = input.name ?? row.name;
      row.comment = input.comment ?? row.comment;
      row.matchers = matchers ?? row.matchers;
      row.schedule = scheduleAfter(row.schedule, input);
      row.endsAt = endOfSchedule(row.schedule);
      return tx.save(row);
    });
  }

  /** Ends it now. Alerts that were received before stay what they were. */
  expire(workspaceId: string, id: string, revision?: number): Promise<Row> {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(this.resource.Row, id, revision);
      if (statusOf(row, tx.now) === 'ended') return row;
      row.schedule = endedAt(row.schedule, tx.now);
      row.endsAt = endOfSchedule(row.schedule);
      return tx.save(row);
    });
  }

  remove = (workspaceId: string, id: string, revision?: number): Promise<void> =>
    this.store.inWorkspace(workspaceId, async (tx) => tx.remove(await tx.lock(this.resource.Row, id, revision)));
}

const nameOf = (comment: string): string => {
  const [line = ''] = comment.split(/[\p{Cc}]/u);
  return line.trim().slice(0, 100).toWellFormed() || 'Silence';
};

const rowsOf = <Row extends MuteRow>(tx: ConfigurationTx, Target: new () => Row) =>
  tx.manager.createQueryBuilder(Target, 'row').where('row.workspaceId = :workspaceId', { workspaceId: tx.workspaceId });

const readOne = <Row extends MuteRow>(tx: ConfigurationTx, Target: new () => Row, id: string): Promise<Row | null> =>
  rowsOf(tx, Target).andWhere('row.id = :id', { id }).getOne();

/** Removes some that have long been over. @throws Problem conflict where too many are not */
async function makeRoom<Row extends MuteRow>(tx: ConfigurationTx, Target: new () => Row): Promise<void> {
  const current = await rowsOf(tx, Target)
    .andWhere('(row.endsAt is null or row.endsAt > :now)', { now: tx.now })
    .getCount();
  if (current >= CURRENT_MAX)
    throw new Problem(
      'conflict',
      `There are ${current} that are not over; at most ${CURRENT_MAX} can be. End some first.`,
    );
  const before = new Date(tx.now.getTime() - KEPT_DAYS * DAY_MS);
  const old = await rowsOf(tx, Target)
    .andWhere('row.endsAt < :before', { before })
    .orderBy('row.endsAt')
    .take(PRUNED_MAX)
    .getMany();
  for (const row of old) await tx.remove(row);
}

/** In the order in which they were made. What is active now, the calendar says: those that are not over are few enough to be asked. */
async function listMutes<Row extends MuteRow>(
  tx: ConfigurationTx,
  Target: new () => Row,
  { status, limit, cursor }: ListMutes,
): Promise<Page<Row>> {
  const query = rowsOf(tx, Target).orderBy('row.createdAt').addOrderBy('row.id');
  const after = readCursor(cursor);
  if (after) query.andWhere('(row.createdAt, row.id) > (cast(:at as timestamptz), :id)', after);
  if (status !== undefined && status !== 'ended')
    query.andWhere('(row.endsAt is null or row.endsAt > :now)', { now: tx.now });
  if (status === undefined) query.take(limit + 1);
  const rows = (await query.getMany()).filter((row) => status === undefined || statusOf(row, tx.now) === status);
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: last && rows.length > limit ? cursorOf(last) : null };
}
