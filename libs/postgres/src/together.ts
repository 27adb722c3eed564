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
