/**
 * Statements of one transaction that do not need each other's answers: called one after the other without waiting, they are sent, and run,
 * in this order. Whatever happens, all of them are answered before this returns or throws: nobody goes on in a transaction that is over.
 * @throws the first failure in their order, which is the one that the others followed from
 */
export async function together<Answers extends readonly unknown[]>(
  ...statements: { readonly [Place in keyof Answers]: Promise<Answers[Place]> }
): Promise<Answers> {
  const settled = await Promise.allSettled(statements);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as Answers;
}

/** So long is worked on statements before what is ready goes out. */
const TURN_MS = 1;
/** Lets what was sent go out, and answers come in. */
export const turn = (): Promise<void> => new Promise<void>((resolve) => void setImmediate(resolve));

/**
 * The same for parts that take time to make ready, as statements with many rows do: what is ready is on its way to the server, which works on
 * it while the next is being made. A part may also be work of this process alone.
 */
export async function inTurns(...parts: (() => unknown)[]): Promise<void> {
  const begun: Promise<unknown>[] = [];
  let since = performance.now();
  for (const part of parts) {
    if (performance.now() - since >= TURN_MS) {
      await turn();
      since = performance.now();
    }
    const one = (async () => part())(); // what fails while it is made ready fails as a statement does
    one.catch(() => undefined); // told below, when all are answered
    begun.push(one);
  }
  await together(...begun);
}
