/** Whether a subscription's event list (`*`, `family.*` or exact names) takes an event. */
export const matchesEvent = (patterns: readonly string[], name: string): boolean =>
  patterns.some(
    (pattern) =>
      pattern === '*' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1))),
  );
