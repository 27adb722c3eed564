/** What was changed or guessed while an alert was read: a closed list; also the rows of the notes table in the docs. */
export const noteCodes = [
  'text-cleaned',
  'text-truncated',
  'list-truncated',
  'depth-truncated',
  'fields-truncated',
  'key-dropped',
  'first-of-list',
  'severity-missing',
  'severity-unknown',
  'status-unknown',
  'title-missing',
  'time-unreadable',
  'time-clamped',
  'dedup-key-hashed',
  'alerts-truncated-by-source',
  'end-not-set',
  'invalid-utf8',
  'json-repaired',
  'placeholder-unfilled',
  'path-found-nothing',
  'value-not-converted',
  'mapping-limited',
  'mapping-failed',
  'service-missing',
  'config-behind',
  'config-missing',
] as const;
export type NoteCode = (typeof noteCodes)[number];

export interface Note {
  code: NoteCode;
  /** Which field, e.g. `title` or `$.labels.team`. */
  path?: string;
  detail?: string;
}

/** Far more than a person reads; a hostile payload must not turn into a record of notes. */
const MAX_NOTES = 30;
const MAX_DETAIL = 200;

/** Collects the notes of one alert, each (code, path) once. */
export class Notes {
  /** Made with the first note: most alerts have none. */
  private seen: Set<string> | undefined;
  private readonly notes: Note[] = [];

  add(code: NoteCode, path?: string, detail?: string): void {
    const at = path?.slice(0, MAX_DETAIL).toWellFormed().replaceAll('\0', '\uFFFD');
    const key = `${code} ${at ?? ''}`;
    this.seen ??= new Set();
    if (this.seen.has(key)) return;
    // Thirty of one kind must not hide that there is another kind.
    if (this.notes.length >= MAX_NOTES && this.notes.some((note) => note.code === code)) return;
    this.seen.add(key);
    const text = detail?.slice(0, MAX_DETAIL).toWellFormed().replaceAll('\0', '\uFFFD');
    this.notes.push({
      code,
      ...(at === undefined ? {} : { path: at }),
      ...(text === undefined ? {} : { detail: text }),
    });
  }

  addAll(others: Notes): void {
    for (const { code, path, detail } of others.notes) this.add(code, path, detail);
  }

  all(): Note[] {
    return [...this.notes];
  }
}
