import { parseJson } from '@tocsin/domain/mapping';

/** More documents than a template with a loop makes of one event. */
const MAX_DOCUMENTS = 10_000;

/**
 * The values of several JSON objects or lists back to back, with white space or commas between them. The list of a single one is not
 * made: it is the value itself, as `json` reads it.
 * @throws SyntaxError
 */
export function parseSequence(text: string): unknown {
  const documents = documentsOf(text).map(parseJson);
  return documents.length === 1 ? documents[0] : documents;
}

/** Cuts where the outermost bracket closes, strings aside: one pass. */
function documentsOf(text: string): string[] {
  const found: string[] = [];
  let from = -1;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '{' || char === '[') {
      if (depth === 0) from = at;
      depth += 1;
    } else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth < 0) throw new SyntaxError(`Unexpected "${char}" at position ${at}`);
      if (depth === 0) found.push(text.slice(from, at + 1));
      if (found.length > MAX_DOCUMENTS) throw new SyntaxError(`more than ${MAX_DOCUMENTS} documents`);
    } else if (depth > 0) {
      if (char === '"') inString = true;
    } else if (!/[\s,]/.test(char ?? '')) {
      throw new SyntaxError(`Unexpected character between documents at position ${at}`);
    }
  }
  if (depth > 0 || found.length === 0) throw new SyntaxError('Unexpected end of the documents');
  return found;
}
