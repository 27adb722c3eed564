import { serviceTerm } from './facets.ts';
import type { Millis } from './moments.ts';
import { byActivity, type KnownIncident } from './state.ts';
import { TextTable } from './text-table.ts';

/** An incident's place in the list of one term. */
interface Node {
  readonly listed: Listed;
  readonly list: List;
  before: Node | undefined;
  after: Node | undefined;
}

/** The incidents under one term. In the order of their activity only as far as somebody asked for it. */
interface List {
  /** Its term. */
  readonly text: string;
  size: number;
  last: Node | undefined;
  /** The note up to which it is in order; -1 = it never was. */
  orderedTo: number;
}

/** An incident that the index knows. What every decision about it reads stands first, so that it lies together. */
export class Listed {
  /** Its id. */
  readonly text: string;
  /** As it was noted last. */
  incident: KnownIncident;
  /** Whether it was noted since somebody asked. */
  isPending: boolean;
  /** Its newest note, in the journal. */
  position: number;
  nodes: Node[];
  /** What its nodes are for; absent = it is not listed. */
  services: readonly string[] | undefined;
  terms: readonly string[] | undefined;

  constructor(incident: KnownIncident) {
    this.text = incident.incidentId;
    this.incident = incident;
    this.isPending = false;
    this.position = -1;
    this.nodes = [];
    this.services = this.terms = undefined;
  }
}

/** Lists up to this long are put in order whenever somebody asks; longer ones are kept in order from ask to ask. */
const SHORT = 16;
/** Up to so many terms are listed without a set of them. */
const FEW = 32;
/** Notes that are kept for lists that are asked later. */
const JOURNAL_MAX = 4_096;

/**
 * The open incidents of one scope per term, asked by activity. What changes is noted at once and costs no more than that, however many
 * terms list it: a list that somebody asks takes in what was noted since it was asked before. An incident that has just been active
 * goes to the end of a list, so that finding its place there takes a step or two however long it is.
 */
export class ActivityIndex<Incident extends Listed = Listed> {
  private readonly lists = new TextTable<List>();
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
    const list = this.lists.get(term);
    if (!list) return [];
    if (list.size <= SHORT) return this.membersSince(list, since);
    this.putInOrder(list);
    return walk(list, since);
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
  }

  private setTerms(listed: Listed): void {
    const { services, terms } = listed.incident;
    if (listed.services === services && listed.terms && isPrefix(listed.terms, terms)) this.add(listed, terms);
    else this.replaceTerms(listed);
    listed.services = services;
    listed.terms = terms;
  }

  /** Mostly an incident gets a tag or two. */
  private add(listed: Listed, terms: readonly string[]): void {
    for (let index = listed.terms?.length ?? 0; index < terms.length; index++)
      this.addTo(listed, terms[index] as string);
  }

  private replaceTerms(listed: Listed): void {
    const { services, terms } = listed.incident;
    if (listed.nodes.length === 0 && terms.length + services.length <= FEW) return this.listNew(listed);
    const wanted = new Set(terms);
    for (const service of services) wanted.add(serviceTerm(service));
    const kept = listed.nodes.filter((node) => wanted.delete(node.list.text) || this.remove(node));
    for (const term of wanted) kept.push(appended(listed, this.listOf(term)));
    listed.nodes = kept;
  }

  private listNew(listed: Listed): void {
    const { services, terms } = listed.incident;
    this.add(listed, terms);
    for (const service of services) this.addTo(listed, serviceTerm(service));
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

function* nodesOf({ last }: List): Iterable<Node> {
  for (let node = last; node; node = node.before) yield node;
}

function* walk({ last }: List, since: Millis): Iterable<KnownIncident> {
  for (let node = last; node; node = node.before) {
    const { incident } = node.listed;
    if (incident.lastAlertAt < since) return;
    yield incident;
  }
}

function unlink(node: Node): void {
  const { list, before, after } = node;
  if (before) before.after = after;
  if (after) after.before = before;
  else list.last = before;
  node.before = node.after = undefined;
  list.size -= 1;
}

function link(node: Node, before: Node | undefined, after: Node | undefined): void {
  node.before = before;
  node.after = after;
  if (before) before.after = node;
  if (after) after.before = node;
  else node.list.last = node;
  node.list.size += 1;
}

function appended(listed: Listed, list: List): Node {
  const node: Node = { listed, list, before: undefined, after: undefined };
  link(node, list.last, undefined);
  return node;
}

const isPrefix = (some: readonly string[], all: readonly string[]): boolean =>
  some.length <= all.length && some.every((one, index) => one === all[index]);

/** From the end of its list to the first one that was active before. */
function place(node: Node): void {
  let before = node.list.last;
  let after: Node | undefined;
  while (before && byActivity(before.listed.incident, node.listed.incident) > 0)
    [after, before] = [before, before.before];
  link(node, before, after);
}
