import type { SyncLinkDocument } from '@tocsin/contracts';
import type { AllowList } from '@tocsin/domain/delivery';
import type { Sender } from '@tocsin/egress';
import type { ConfigurationFeed, KeyRing } from '@tocsin/nest-shell';
import { JiraSystem } from './jira-system.ts';
import { LinkHttp } from './link-http.ts';
import { ServiceNowSystem } from './servicenow-system.ts';
import { SyncFailure, type TicketSystem } from './ticket-system.ts';

export interface SyncSystemsParts {
  feed: Pick<ConfigurationFeed, 'workspace'>;
  keyRing: Pick<KeyRing, 'open'>;
  sender: Pick<Sender, 'send'>;
  allow: AllowList;
  clock: () => Date;
  userAgent: string;
}

/** The systems of links: one client each, which keeps its token and what it has learned, until the link changes. */
export function syncSystemsOf(parts: SyncSystemsParts): (link: SyncLinkDocument) => TicketSystem {
  const known = new Map<string, { revision: number; system: TicketSystem }>();
  return (link) => {
    const before = known.get(link.id);
    if (before?.revision === link.revision) return before.system;
    const system = systemFor(link, parts);
    known.set(link.id, { revision: link.revision, system });
    return system;
  };
}

function systemFor(link: SyncLinkDocument, parts: SyncSystemsParts): TicketSystem {
  const { sender, allow, clock, userAgent } = parts;
  const http = new LinkHttp({ sender, allow, clock, userAgent, body: link.body, secret: secretOf(link, parts) });
  return link.body.system === 'jira' ? new JiraSystem(http, link) : new ServiceNowSystem(http, link);
}

/** @throws SyncFailure without the error itself, which may hold what it could not open */
function secretOf(link: SyncLinkDocument, { feed, keyRing }: SyncSystemsParts): string {
  const workspace = feed.workspace(link.workspaceId);
  try {
    if (workspace) return keyRing.open(workspace, link.id, link.body.auth.secret);
  } catch {
    // said below
  }
  throw new SyncFailure('refused', 'the credential of the link cannot be opened with the key ring of this process');
}
