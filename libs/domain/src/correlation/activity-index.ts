import { appended, nodesOf, place, unlink, walk, type List, type Listed, type Node } from './activity-list.ts';
import { serviceTerm, sortOf } from './facets.ts';
import type { Millis } from './moments.ts';
import { byActivity, type KnownIncident } from './state.ts';
import { TextTable } from './text-table.ts';

/** Lists up to this long are put in order whenever somebody asks; longer ones are kept in order from ask to ask. */
const SHORT = 16;
/** Up to so many terms are listed without a set of them. */
const FEW = 32;
const SERVICES = sortOf(serviceTerm(''));
/** Notes that are kept for lists that are asked later. */
const JOURNAL_MAX = 4_096;

/**
 * The open incidents of one scope per term, asked by activity. What changes is noted at once and costs no more than that, however many
 * terms list it: a list that somebody asks takes in what was noted since it was asked before. An incident that has just been active
 * goes to the end of a list, so that finding its place there takes a step or two however long it is. Terms of a sort that nobody has
 * asked for (titles, where no rule is about titles) are not listed at all.
 */
export class ActivityIndex<Incident extends Listed = Listed> {
  private readonly lists = new TextTable<List>();
  /** All that are listed, under whatever. */
  private readonly members: Listed[] = [];
  /** Sorts of terms that are listed, as bits. */
  private sorts = 0;
  private pending: Listed[] = [];
  private journal: Listed[] = [];
  /** How many notes were dropped from the journal. */
  private dropped = 0;
  /** One of those that were found last: mostly it is the one that is asked for next. */
  found: Incident | undefined;

  note(listed: Incident, incident: KnownIncident): void {
    listed.incident = incident;
    if (listed.isPending) return;
    listed.isPending = true;
    this.pending.push(listed);
  }

  /** Those that were active at or after `since`, the most recently active first. */
  under(term: string, since: Millis): Iterable<KnownIncident> {
    if (this.pending.length > 0) this.takeIn();
    const sort = sortOf(term);
    if ((this.sorts & sort) === 0) this.listSort(sort);
    const list = this.lists.get(term);
    if (!list) return [];
    if (list.size <= SHORT) return this.membersSince(list, since);
    this.putInOrder(list);
    return walk(list, since);
  }

  /** Somebody asks for terms of this sort for the first time. */
  private listSort(sort: number): void {
    this.sorts |= sort;
    for (const listed of this.members) this.addAll(listed, sort);
  }

  private membersSince({ last }: List, since: Millis): KnownIncident[] {
    let members: KnownIncident[] | undefined; // mostly there is one, and a list that grows takes room for many
    for (let node = last; node; node = node.before) {
      const { incident } = node.listed;
      if (incident.lastAlertAt < since) continue;
      if (members) members.push(incident);
      else {
        members = [incident];
        this.found = node.listed as Incident;
      }
    }
    if (!members) return [];
    return members.length > 1 ? members.sort((a, b) => byActivity(b, a)) : members;
  }

  private takeIn(): void {
    for (const listed of this.pending) {
      listed.isPending = false;
      const { closedAt, services, terms } = listed.incident;
      if (closedAt !== null) this.drop(listed);
      else {
        if (listed.services !== services || listed.terms !== terms) this.setTerms(listed);
        listed.position = this.dropped + this.journal.length;
        this.journal.push(listed);
      }
    }
    this.pending = [];
    if (this.journal.length <= 2 * JOURNAL_MAX) return;
    this.dropped += this.journal.length - JOURNAL_MAX;
    this.journal = this.journal.slice(-JOURNAL_MAX);
  }

  private drop(listed: Listed): void {
    for (const node of listed.nodes) this.remove(node);
    listed.nodes = [];
    listed.services = listed.terms = undefined;
    listed.position = -1;
    if (listed.member < 0) return;
    const last = this.members.pop() as Listed;
    if (last !== listed) this.members[listed.member] = last;
    last.member = listed.member;
    listed.member = -1;
  }

  private setTerms(listed: Listed): void {
    const { services, terms } = listed.incident;
    const before = listed.terms;
    const isKnown = listed.services === services && before && isPrefix(before, terms);
    listed.services = services;
    listed.terms = terms;
    if (listed.member < 0) listed.member = this.members.push(listed) - 1;
    if (isKnown) this.add(listed, this.sorts, before.length);
    else if (listed.nodes.length === 0 && terms.length + services.length <= FEW) this.addAll(listed, this.sorts);
    else this.replaceTerms(listed);
  }

  /** Mostly an incident gets a tag or two. */
  private add(listed: Listed, sorts: number, from = 0): void {
    const { terms = [] } = listed;
    for (let index = from; index < terms.length; index++) {
      const term = terms[index] as string;
      if ((sortOf(term) & sorts) !== 0) this.addTo(listed, term);
    }
  }

  private addAll(listed: Listed, sorts: number): void {
    this.add(listed, sorts);
    if ((SERVICES & sorts) === 0) return;
    for (const service of listed.services ?? []) this.addTo(listed, serviceTerm(service));
  }

  private replaceTerms(listed: Listed): void {
    const { sorts } = this;
    const { services = [], terms = [] } = listed;
    const wanted = new Set(terms.filter((term) => (sortOf(term) & sorts) !== 0));
    if ((SERVICES & sorts) !== 0) for (const service of services) wanted.add(serviceTerm(service));
    const kept = listed.nodes.filter((node) => wanted.delete(node.list.text) || this.remove(node));
    for (const term of wanted) kept.push(appended(listed, this.listOf(term)));
    listed.nodes = kept;
  }

  private addTo(listed: Listed, term: string): void {
    const list = this.listOf(term);
    if (!listed.nodes.some((node) => node.list === list)) listed.nodes.push(appended(listed, list));
  }

  private listOf(term: string): List {
    let list = this.lists.get(term);
    if (!list) this.lists.add((list = { text: term, size: 0, last: undefined, orderedTo: -1 }));
    return list;
  }

  private remove(node: Node): false {
    unlink(node);
    if (node.list.size === 0) this.lists.remove(node.list);
    return false;
  }

  /** Takes in what was noted since: each to its place, the least recently active first. */
  private putInOrder(list: List): void {
    const end = this.dropped + this.journal.length;
    const moving = list.orderedTo < this.dropped ? [...nodesOf(list)] : this.notedSince(list);
    for (const node of moving) unlink(node);
    moving.sort((a, b) => byActivity(a.listed.incident, b.listed.incident));
    for (const node of moving) place(node);
    list.orderedTo = end;
  }

  private notedSince(list: List): Node[] {
    const nodes: Node[] = [];
    for (let index = list.orderedTo - this.dropped; index < this.journal.length; index++) {
      const listed = this.journal[index] as Listed;
      if (listed.position !== this.dropped + index) continue; // noted again since, or closed
      const node = listed.nodes.find((one) => one.list === list);
      if (node) nodes.push(node);
    }
    return nodes;
  }
}

const isPrefix = (some: readonly string[], all: readonly string[]): boolean =>
  some.length <= all.length && some.every((one, index) => one === all[index]);
