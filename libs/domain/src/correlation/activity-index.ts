import { serviceTerm } from './facets.ts';
import { fileUnder, type Millis } from './moments.ts';
import { byActivity, type KnownIncident } from './state.ts';

/** An incident's place in the list of one term. */
interface Node {
  readonly entry: Entry;
  readonly list: List;
  before: Node | undefined;
  after: Node | undefined;
}

/** The incidents under one term, least recently active first. */
interface List {
  last: Node | undefined;
}

/** An incident as it is listed, and where. */
interface Entry {
  incident: KnownIncident;
  readonly nodes: Map<string, Node>;
}

/**
 * Open incidents per scope and term, in the order of their activity. What changes is noted at once and listed when somebody asks:
 * a storm of repeats, which asks nobody, costs one note each. An incident that has just been active goes to the end of its lists,
 * so that finding its place takes a step or two however long they are.
 */
export class ActivityIndex {
  private readonly lists = new Map<string, List>();
  private readonly entries = new Map<string, Entry>();
  /** The newest form of incidents that are not listed so yet. */
  private readonly noted = new Map<string, KnownIncident>();

  /** `path` names the incident. */
  note(path: string, incident: KnownIncident): void {
    this.noted.set(path, incident);
  }

  /** Those that were active at or after `since`, the most recently active first. */
  *under(scope: string, term: string, since: Millis): Iterable<KnownIncident> {
    if (this.noted.size > 0) this.listNoted();
    for (let node = this.lists.get(fileUnder(scope, term))?.last; node; node = node.before) {
      const { incident } = node.entry;
      if (incident.lastAlertAt < since) return;
      yield incident;
    }
  }

  private listNoted(): void {
    const noted = [...this.noted];
    if (noted.length > 1) noted.sort(([, a], [, b]) => byActivity(a, b)); // so that each goes to the end
    this.noted.clear();
    for (const [path, incident] of noted)
      if (incident.closedAt === null) this.list(path, incident);
      else this.drop(path);
  }

  private drop(path: string): void {
    for (const node of this.entries.get(path)?.nodes.values() ?? []) unlink(node);
    this.entries.delete(path);
  }

  private list(path: string, incident: KnownIncident): void {
    let entry = this.entries.get(path);
    if (!entry) this.entries.set(path, (entry = { incident, nodes: new Map() }));
    const { services, terms } = entry.incident;
    const sameTerms = entry.nodes.size > 0 && services === incident.services && terms === incident.terms;
    entry.incident = incident;
    if (!sameTerms) this.setTerms(entry);
    for (const node of entry.nodes.values()) if (!isInPlace(node)) move(node);
  }

  private setTerms(entry: Entry): void {
    const wanted = new Set(termsIn(entry.incident));
    for (const [term, node] of entry.nodes) {
      if (wanted.has(term)) continue;
      unlink(node);
      entry.nodes.delete(term);
    }
    for (const term of wanted) {
      if (entry.nodes.has(term)) continue;
      const node: Node = { entry, list: this.listOf(entry.incident.scope, term), before: undefined, after: undefined };
      entry.nodes.set(term, node);
      place(node);
    }
  }

  private listOf(scope: string, term: string): List {
    const path = fileUnder(scope, term);
    let list = this.lists.get(path);
    if (!list) this.lists.set(path, (list = { last: undefined }));
    return list;
  }
}

/** Every term that lists the incident: its services, and the others. */
const termsIn = ({ services, terms }: KnownIncident): string[] => [...services.map(serviceTerm), ...terms];

const isInPlace = ({ entry, before, after }: Node): boolean =>
  (!before || byActivity(before.entry.incident, entry.incident) < 0) &&
  (!after || byActivity(entry.incident, after.entry.incident) < 0);

function unlink(node: Node): void {
  if (node.before) node.before.after = node.after;
  if (node.after) node.after.before = node.before;
  else if (node.list.last === node) node.list.last = node.before;
  node.before = undefined;
  node.after = undefined;
}

function move(node: Node): void {
  unlink(node);
  place(node);
}

/** From the end of its list to the first one that was active before. */
function place(node: Node): void {
  let before = node.list.last;
  let after: Node | undefined;
  while (before && byActivity(before.entry.incident, node.entry.incident) > 0)
    [after, before] = [before, before.before];
  node.before = before;
  node.after = after;
  if (before) before.after = node;
  if (after) after.before = node;
  else node.list.last = node;
}
