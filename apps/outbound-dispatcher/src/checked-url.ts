import { checkUrl, type AllowList } from '@tocsin/domain/delivery';

type Checked = ReturnType<typeof checkUrl>;

/** Verdicts that are kept; addresses that templates make may be many. */
const KEPT_MAX = 1_000;
const kept = new WeakMap<AllowList, Map<string, Checked>>();

/** `checkUrl`, remembered: the same few addresses are checked for each attempt. What they lead to is judged anew for each connection. */
export function checkedUrl(text: string, allow: AllowList): Checked {
  let known = kept.get(allow);
  if (!known) kept.set(allow, (known = new Map<string, Checked>()));
  let checked = known.get(text);
  if (checked === undefined) {
    if (known.size >= KEPT_MAX) known.clear();
    known.set(text, (checked = checkUrl(text, allow)));
  }
  return checked;
}
