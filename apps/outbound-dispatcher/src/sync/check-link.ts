import type { SyncLinkDocument } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import { looked } from './check-items.ts';
import { SyncFailure, type CheckItem, type TicketSystem } from './ticket-system.ts';

/** Tests reach, rights and maps of a link without changing anything there. `ok` = nothing is wrong. @throws Problem unavailable */
export async function checkLink(
  link: SyncLinkDocument,
  systemOf: (link: SyncLinkDocument) => TicketSystem,
): Promise<{ ok: boolean; items: CheckItem[] }> {
  const items: CheckItem[] = [];
  try {
    const look = looked(items);
    let system: TicketSystem | undefined;
    const opened = await look('credential', () => {
      system = systemOf(link);
      return 'the stored credential can be opened';
    });
    if (opened && system) items.push(...(await system.check()));
  } catch (error) {
    if (error instanceof SyncFailure && error.kind === 'given-back')
      throw new Problem('unavailable', 'This process is going down.', { headers: { 'retry-after': '5' } });
    throw error;
  }
  return { ok: items.every(({ result }) => result !== 'wrong'), items };
}
