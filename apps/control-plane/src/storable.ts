/** PostgreSQL cannot hold U+0000 in jsonb, nor half characters. */
export const isStorable = (document: unknown): boolean => {
  const text = JSON.stringify(document);
  return !/(?<!\\)(\\\\)*\\u0000/.test(text) && !/(?<!\\)(\\\\)*\\ud[89a-f]/i.test(text);
};
