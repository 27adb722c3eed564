import type { InvestigatorSettings, SealedSecret } from '@tocsin/contracts';
import type { AllowList } from '@tocsin/domain/delivery';
import { Problem } from '@tocsin/nest-shell';
import type { ConfigurationStore, ConfigurationTx } from '../configuration-store.ts';
import { type Credentials, newOutboundSecret, rotated, sealedSecret } from '../credentials.ts';
import { WorkspaceRow } from '../entities.ts';
import { checkedUrl } from '../subscription-target.ts';
import type { PutInvestigator } from './investigator.dto.ts';

const DEFAULT_TIMEOUT_SECONDS = 30;
const DEFAULT_RESULT_MINUTES = 60;
const OVERLAP_HOURS = 24;

/** The workspace's own investigator over HTTP. Every change is one transaction and one feed revision. */
export class Investigators {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly credentials: Credentials,
    private readonly allow: AllowList,
  ) {}

  get = (workspaceId: string, id: string) =>
    this.store.inWorkspace(workspaceId, async (tx) => investigatorView(await tx.find(WorkspaceRow, id)));

  /** @throws Problem url-not-allowed */
  put(workspaceId: string, id: string, input: PutInvestigator, revision?: number) {
    const url = checkedUrl(input.url, this.allow).href;
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WorkspaceRow, id, revision);
      const before = row.investigator;
      // A secret is for the address that it was made for: another one gets a new one.
      const kept = before?.url === url ? before.secrets : [];
      const fresh = input.secret ?? (kept.length === 0 ? newOutboundSecret(this.credentials.random) : undefined);
      row.investigator = {
        url,
        secrets: fresh === undefined ? kept : this.rotatedTo(fresh, kept, row, tx),
        timeoutSeconds: input.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS,
        resultMinutes: input.result_minutes ?? DEFAULT_RESULT_MINUTES,
      };
      const view = investigatorView(await tx.save(row));
      return fresh === undefined || input.secret !== undefined ? view : { ...view, secret: fresh };
    });
  }

  /** Investigations are Tocsin's own again. */
  remove(workspaceId: string, id: string, revision?: number): Promise<void> {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WorkspaceRow, id, revision);
      if (row.investigator === null) throw new Problem('not-found', 'The workspace has no investigator of its own.');
      row.investigator = null;
      await tx.save(row);
    });
  }

  private rotatedTo(text: string, kept: SealedSecret[], row: WorkspaceRow, tx: ConfigurationTx): SealedSecret[] {
    return rotated(kept, sealedSecret(this.credentials, row, row.id, text), OVERLAP_HOURS, tx.now);
  }
}

const investigatorView = ({ id, revision, investigator }: WorkspaceRow) => ({
  ...{ id, revision },
  investigator: investigator && shown(investigator),
});

const shown = ({ url, timeoutSeconds, resultMinutes }: InvestigatorSettings) => ({
  ...{ url, timeout_seconds: timeoutSeconds, result_minutes: resultMinutes },
});
