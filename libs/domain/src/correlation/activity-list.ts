import type { Millis } from './moments.ts';
import { byActivity, type KnownIncident } from './state.ts';

/** An incident's place in the list of one term. */
export interface Node {
  readonly listed: Listed;
  readonly list: List;
  before: Node | undefined;
  after: Node | undefined;
}

/** The incidents under one term. In the order of their activity only as far as somebody asked for it. */
export interface List {
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
  /** Where it stands among all that are listed; -1 = it is not. */
  member: number;
  nodes: Node[];
  /** What its nodes are for; absent = it is not listed. */
  services: readonly string[] | undefined;
  terms: readonly string[] | undefined;

  constructor(incident: KnownIncident) {
    this.text = incident.incidentId;
    this.incident = incident;
    this.isPending = false;
    this.position = this.member = -1;
    this.nodes = [];
    this.services = this.terms = undefined;
  }
}

export function* nodesOf({ last }: List): Iterable<Node> {
  for (let node = last; node; node = node.before) yield node;
}

export function* walk({ last }: List, since: Millis): Iterable<KnownIncident> {
  for (let node = last; node; node = node.before) {
    const { incident } = node.listed;
    if (incident.lastAlertAt < since) return;
    yield incident;
  }
}

export function unlink(node: Node): void {
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

export function appended(listed: Listed, list: List): Node {
  const node: Node = { listed, list, before: undefined, after: undefined };
  link(node, list.last, undefined);
  return node;
}

/** From the end of its list to the first one that was active before. */
export function place(node: Node): void {
  let before = node.list.last;
  let after: Node | undefined;
  while (before && byActivity(before.listed.incident, node.listed.incident) > 0)
    [after, before] = [before, before.before];
  link(node, before, after);
}
