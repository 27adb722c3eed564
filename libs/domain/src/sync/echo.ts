import { theirsWins } from './conflict.ts';

/** Id of what has changed on the other side, as the cause of what follows from it here. */
export const causeOf = (linkId: string, change: string): string => `${linkId}:${change}`;

/** Whether an event of an incident came in over this link: it is not sent back. */
export const cameOver = (linkId: string, causeId: string): boolean => causeId.startsWith(`${linkId}:`);

/** One value of an issue or record, as it is there. */
export interface RemoteValue {
  value: string;
  /** When it became this, as far as the other side says. */
  at: string;
  /** Whether our integration user set it; null where the other side does not say who. */
  own: boolean | null;
}

/** What is remembered of a value: how both sides last agreed, and what is being written at the moment. */
export interface KnownValue {
  agreed: string | null;
  /** When it was set there, where it came from there; null = we have set it. */
  takenAt: string | null;
  writing: string | null;
}

/**
 * What a value found on the other side is. `known`: the version that both sides have, or the one that we are writing. `echo`: ours, though we
 * do not remember it (the process ended between the write and its note). `news`: somebody else changed it.
 */
export function readRemote(remote: RemoteValue, known: KnownValue): 'known' | 'echo' | 'news' {
  if (remote.value === known.agreed) return 'known';
  // Somebody may set what we are writing, too, after another value: where the other side says that it was not us, it is theirs.
  if (remote.value === known.writing && remote.own !== false) return 'known';
  return remote.own === true ? 'echo' : 'news';
}

/**
 * What is known of a value after it was read. A write that has had its effect, or was followed by somebody's change, is none any more: the
 * same value later is a change of theirs.
 */
export function knownAfterReading(remote: RemoteValue, known: KnownValue): KnownValue {
  const news = readRemote(remote, known) === 'news';
  return {
    agreed: remote.value,
    takenAt: news ? remote.at : known.takenAt,
    writing: news || remote.value === known.writing ? null : known.writing,
  };
}

/** A value that shall be written to the other side. */
export interface WantedValue {
  /** Whether a value of theirs already means this. */
  isMet: (value: string) => boolean;
  /** When it was changed here. */
  at: string;
}

/**
 * What becomes of a write. `met`: it is so already. `theirs`: somebody changed it there later; that change comes in on its own. `write`;
 * `overwrite`: the same, and an older change of theirs is lost by it, which the timeline shall say.
 */
export function decideWrite(
  wanted: WantedValue,
  remote: RemoteValue,
  known: KnownValue,
): 'met' | 'theirs' | 'write' | 'overwrite' {
  if (wanted.isMet(remote.value)) return 'met';
  if (readRemote(remote, known) !== 'news') {
    const taken = remote.value === known.agreed ? known.takenAt : null;
    return taken !== null && theirsWins(wanted.at, taken) ? 'theirs' : 'write';
  }
  return theirsWins(wanted.at, remote.at) ? 'theirs' : 'overwrite';
}

/**
 * What is known of a value after a write was decided. What somebody has set there is known only once it was read as news: until then
 * nothing is agreed, so that not even going back to the former value is missed.
 */
export function knownAfter(
  verdict: ReturnType<typeof decideWrite>,
  remote: RemoteValue,
  known: KnownValue,
  written: string,
): KnownValue {
  if (verdict === 'write' || verdict === 'overwrite') return { agreed: written, takenAt: null, writing: null };
  const kind = readRemote(remote, known);
  if (kind === 'news') return { agreed: null, takenAt: null, writing: null };
  return remote.value === known.agreed
    ? { ...known, writing: null }
    : { agreed: remote.value, takenAt: null, writing: null };
}
