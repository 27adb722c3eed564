import type { PoisonReason } from '@tocsin/contracts';
import type { Input, Stage } from './pipeline.ts';
import { POISON_LIMIT } from './poison-rate.ts';

/** An input, or some alerts of it, that fails reproducibly and alone. */
export interface Finding {
  input: Input;
  reason: PoisonReason;
  detail: string;
  parts?: number[];
}

export interface Suspicion {
  reason: PoisonReason;
  detail: string;
}

/** Applies these inputs for trial and takes everything back; says what is wrong, if it is the records' fault. Throws for any other failure. */
export type Trial = (inputs: Input[]) => Promise<Suspicion | undefined>;

type Parts = Stage<unknown>['parts'];

const countOf = (parts: Parts, input: Input): number => {
  try {
    return parts?.count(input) ?? 1;
  } catch {
    return 1; // it cannot even be unpacked: the whole record is wrong
  }
};

/** Halves what fails until single ones are left: one bad among n costs about 2·log2(n) trials. */
async function bisect<T>(
  items: readonly T[],
  suspicion: Suspicion,
  attempt: (items: readonly T[]) => Promise<Suspicion | undefined>,
  found: (item: T, suspicion: Suspicion) => Promise<boolean>,
): Promise<boolean> {
  if (items.length === 1) return found(items[0]!, suspicion);
  const middle = Math.ceil(items.length / 2);
  for (const half of [items.slice(0, middle), items.slice(middle)]) {
    const failed = await attempt(half);
    if (failed && !(await bisect(half, failed, attempt, found))) return false;
  }
  return true;
}

async function brokenParts(
  input: Input,
  parts: NonNullable<Parts>,
  suspicion: Suspicion,
  trial: Trial,
): Promise<number[]> {
  const indexes = Array.from({ length: parts.count(input) }, (_, index) => index);
  const broken: number[] = [];
  await bisect(
    indexes,
    suspicion,
    (some) => trial([parts.keep(input, some)]),
    async (index) => broken.push(index) > 0,
  );
  return broken.length === indexes.length ? [] : broken;
}

/**
 * Which of these inputs, known to fail together, are poison: each is reproduced alone. Empty when the failure needs several
 * of them. Stops early once there are more findings than a partition may have.
 */
export async function isolatePoison(
  inputs: readonly Input[],
  parts: Parts,
  suspicion: Suspicion,
  trial: Trial,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = async (input: Input, { reason, detail }: Suspicion): Promise<boolean> => {
    const broken = countOf(parts, input) > 1 ? await brokenParts(input, parts!, { reason, detail }, trial) : [];
    findings.push({ input, reason, detail, ...(broken.length > 0 ? { parts: broken } : {}) });
    return findings.length <= POISON_LIMIT;
  };
  const reproduced = inputs.length === 1 ? await trial([...inputs]) : suspicion;
  if (reproduced) await bisect(inputs, reproduced, (some) => trial([...some]), add);
  return findings;
}

/** The inputs without what was found: whole records dropped, packed ones reduced to their good alerts. */
export function withoutPoison(inputs: readonly Input[], findings: readonly Finding[], parts: Parts): Input[] {
  return inputs.flatMap((input) => {
    const finding = findings.find((each) => each.input.offset === input.offset);
    if (!finding) return input;
    if (!finding.parts || !parts) return [];
    const good = Array.from({ length: parts.count(input) }, (_, index) => index).filter(
      (index) => !finding.parts!.includes(index),
    );
    return parts.keep(input, good);
  });
}
