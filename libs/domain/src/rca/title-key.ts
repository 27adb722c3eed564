/** Numbers, ids and hosts' counters differ between two occurrences of one thing; the words around them do not. */
export function titleWords(title: string): string[] {
  const words = title
    .normalize('NFKC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}_.-]+/u)
    .map((word) => (/\d/.test(word) ? '#' : word.replace(/^[.-]+|[.-]+$/g, '')))
    .filter((word) => word !== '');
  return [...new Set(words)];
}

/** Equal for titles that differ only in numbers, order and case. At most 500 characters. */
export const titleKey = (title: string): string => titleWords(title).sort().join(' ').slice(0, 500);

/** Share of common members: 1 = the same, 0 = nothing in common, also where both are empty. */
export function overlap(a: readonly string[], b: readonly string[]): number {
  const left = new Set(a);
  const right = new Set(b);
  const common = [...left].filter((member) => right.has(member)).length;
  const all = left.size + right.size - common;
  return all === 0 ? 0 : common / all;
}
