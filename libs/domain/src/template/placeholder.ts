import { filters, type FilterArgument } from './filters.ts';
import { templateLimits } from './limits.ts';

export interface FilterCall {
  name: string;
  args: readonly FilterArgument[];
}

/** `{{ path | filter: argument, … }}`. */
export interface Placeholder {
  path: readonly string[];
  filters: readonly FilterCall[];
}

/** What cannot be read, with its position (0-based) in the text. */
export interface PlaceholderProblem {
  at: number;
  message: string;
}

const NAME = /[A-Za-z_$][\w$-]*|\d+/y;
const INDEX = /\[\s*(?:(\d+)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*\]/y;
const SPACE = /\s*/y;
const LITERAL = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(-?\d+(?:\.\d+)?)|(true|false|null)/y;
const FILTER_NAME = /[a-z_]+/y;

class Failure extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/gs, '$1');

/** Reads one placeholder's inside from left to right; `offset` is where it stands in the whole text. */
class Reader {
  private at = 0;
  constructor(
    private readonly text: string,
    private readonly offset: number,
  ) {}

  placeholder(): Placeholder {
    this.skip();
    const path = this.path();
    const calls: FilterCall[] = [];
    for (this.skip(); this.at < this.text.length; this.skip()) {
      if (this.text[this.at] !== '|') throw this.failure('expected "|" and a filter, or the end');
      this.at += 1;
      calls.push(this.call());
      if (calls.length > templateLimits.filtersPerPlaceholder)
        throw this.failure(`at most ${templateLimits.filtersPerPlaceholder} filters`);
    }
    return { path, filters: calls };
  }

  private path(): string[] {
    const steps = [this.name()];
    for (;;) {
      const [whole, index, double, single] = this.match(INDEX) ?? [];
      if (whole !== undefined) steps.push(index ?? unescaped(double ?? single ?? ''));
      else if (this.text[this.at] === '.') {
        this.at += 1;
        steps.push(this.name());
      } else break;
      if (steps.length > templateLimits.pathSteps)
        throw this.failure(`a path has at most ${templateLimits.pathSteps} steps`);
    }
    return steps;
  }

  private name(): string {
    const [name] = this.match(NAME) ?? [];
    if (name === undefined) throw this.failure('expected a field name');
    return name;
  }

  private call(): FilterCall {
    this.skip();
    const start = this.at;
    const [name] = this.match(FILTER_NAME) ?? [];
    if (name === undefined || !Object.hasOwn(filters, name)) {
      this.at = start;
      throw this.failure(`expected a filter, one of ${Object.keys(filters).join(', ')}`);
    }
    const args = this.args();
    const definition = filters[name];
    const [least, most] = definition?.arity ?? [0, 0];
    if (args.length < least || args.length > most) {
      this.at = start;
      throw this.failure(`${name} takes ${least === most ? least : `${least} to ${most}`} arguments`);
    }
    const wrong = definition?.check?.(args);
    if (wrong !== undefined) {
      this.at = start;
      throw this.failure(`${name}: ${wrong}`);
    }
    return { name, args };
  }

  private args(): FilterArgument[] {
    this.skip();
    if (this.text[this.at] !== ':') return [];
    const args: FilterArgument[] = [];
    do {
      this.at += 1;
      this.skip();
      args.push(this.literal());
      this.skip();
    } while (this.text[this.at] === ',' && args.length < templateLimits.argumentsPerFilter);
    return args;
  }

  private literal(): FilterArgument {
    const found = this.match(LITERAL);
    if (!found) throw this.failure('expected a text in quotes, a number, true, false or null');
    const [, double, single, number, word] = found;
    if (number !== undefined) return Number(number);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    return unescaped(double ?? single ?? '');
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at += found[0].length;
    return found;
  }

  private skip(): void {
    this.match(SPACE);
  }

  private failure = (message: string): Failure => new Failure(this.offset + this.at, message);
}

/** Reads what stands between `{{` and `}}`. Never throws. */
export function readPlaceholder(text: string, offset: number): Placeholder | PlaceholderProblem {
  try {
    return new Reader(text, offset).placeholder();
  } catch (error) {
    if (error instanceof Failure) return { at: error.at, message: error.message };
    throw error;
  }
}

/** Where `}}` ends a placeholder that begins at `from`, past any quoted text; -1 where it does not end. */
export function endOfPlaceholder(text: string, from: number): number {
  let quote = '';
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote !== '') {
      if (character === '\\') at += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '}' && text.charAt(at + 1) === '}') return at;
  }
  return -1;
}
