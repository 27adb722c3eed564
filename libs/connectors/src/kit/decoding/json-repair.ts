/**
 * Mends what templates break that put texts between quotes without escaping them: raw line breaks and control characters in a text,
 * quotes in a text, backslashes that escape nothing, a comma before a closing bracket, nothing where a value belongs. A quote ends a
 * text only where what follows it can follow a text. One pass; what is beyond this stays broken, and the parser says so.
 *
 * With `openQuoted`, a document between quotes (`"payload": "{"id":7}"`) takes the place of the text: a quote can then be read in two
 * ways, so it is for what the plain repair could not mend.
 */
export function repairJson(text: string, { openQuoted = false }: { openQuoted?: boolean } = {}): string {
  const out: string[] = [];
  const closers: ('}' | ']')[] = [];
  /** How deep each document that stood between quotes lies. */
  const quoted: number[] = [];
  let at = 0;
  /** The last character that was not white space, outside of texts. */
  let before = '';
  while (at < text.length) {
    const char = text[at] as string;
    if (char === '"') {
      const isKey = closers.at(-1) === '}' && before !== ':';
      if (openQuoted && !isKey && beginsDocument(text, at + 1)) {
        quoted.push(closers.length);
        at += 1;
        continue;
      }
      const end = endOfText(text, at + 1, { isKey, closer: closers.at(-1) });
      out.push(`"${escaped(text.slice(at + 1, end))}"`);
      at = end + 1;
      before = '"';
      continue;
    }
    if (char === '{' || char === '[') closers.push(char === '{' ? '}' : ']');
    if (char === '}' || char === ']') {
      closers.pop();
      if (before === ',') dropComma(out);
    }
    if (before === ':' && (char === ',' || char === '}')) out.push('null');
    out.push(char);
    if (!isSpace(char)) before = char;
    at += 1;
    if ((char === '}' || char === ']') && quoted.at(-1) === closers.length) {
      quoted.pop();
      const next = nextAfter(text, at);
      if (text[next] === '"') at = next + 1;
    }
  }
  return out.join('');
}

/** Brackets and then a bare quote: in a text that was escaped there would be a backslash. */
function beginsDocument(text: string, at: number): boolean {
  let next = nextAfter(text, at);
  if (text[next] !== '{' && text[next] !== '[') return false;
  while (text[next] === '{' || text[next] === '[') next = nextAfter(text, next + 1);
  return text[next] === '"';
}

const isSpace = (char: string): boolean => char === ' ' || char === '\n' || char === '\r' || char === '\t';

function dropComma(out: string[]): void {
  for (let at = out.length - 1; at >= 0; at -= 1) {
    if (out[at] !== ',') continue;
    out[at] = '';
    return;
  }
}

interface Place {
  isKey: boolean;
  closer: '}' | ']' | undefined;
}

/** Index of the quote that ends the text which begins at `from`. */
function endOfText(text: string, from: number, place: Place): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"' && endsText(text, at, place)) return at;
  }
  return text.length;
}

function endsText(text: string, at: number, { isKey, closer }: Place): boolean {
  const next = nextAfter(text, at + 1);
  const char = text[next];
  if (isKey) return char === ':';
  if (char === undefined) return true;
  if (char === '}' || char === ']') return char === closer && mayFollowBracket(text[nextAfter(text, next + 1)]);
  if (char !== ',') return false;
  const following = text[nextAfter(text, next + 1)];
  // After the comma comes the next key, the next item, or the bracket before which a template left a comma.
  return closer === ']'
    ? following !== undefined && /["{[\]\d\-tfn]/.test(following)
    : following === '"' || following === '}';
}

const mayFollowBracket = (char: string | undefined): boolean => char === undefined || /[,}\]{[]/.test(char);

function nextAfter(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text[at] as string)) at += 1;
  return at;
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\|"|[\u0000-\u001f]/g;

const escaped = (text: string): string =>
  text.replace(ESCAPE, (found) => {
    if (found.length > 1) return found;
    if (found === '\\') return '\\\\';
    if (found === '"') return '\\"';
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
