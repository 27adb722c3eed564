import { deriveId, mintId } from '@tocsin/contracts';
import {
  declareIncident,
  exists,
  initialState,
  publicIncident,
  type IncidentDeclared,
  type IncidentDraft,
} from '@tocsin/domain/incident';
import type { Caller } from '@tocsin/nest-shell';
import { actorOf, eventsOfCause, otherBody } from './command-causes.ts';
import { eventOutputs } from './event-outputs.ts';
import { factOutput } from './fact-outputs.ts';
import type { CommandAnswer, CommandParts } from './incident-commands.ts';
import { append, lockStreams } from './incident-log.ts';

export interface DeclareRequest {
  caller: Caller;
  idempotencyKey: string | undefined;
  /** The workspace is the caller's. */
  draft: Omit<IncidentDraft, 'workspace_id' | 'scope'>;
}

/** Opens incidents by hand. The id derives from the Idempotency-Key: the same key is the same incident. */
export class DeclareIncident {
  constructor(private readonly parts: CommandParts) {}

  /** @throws Problem conflict where the key said something else */
  run({ caller, idempotencyKey, draft }: DeclareRequest): Promise<CommandAnswer> {
    const { pipeline, clock, random } = this.parts;
    const { workspaceId } = caller;
    const causeId =
      idempotencyKey === undefined
        ? mintId('cmd', random(16))
        : deriveId('cmd', workspaceId, caller.keyId, 'declare', idempotencyKey);
    const incidentId = deriveId('inc', workspaceId, causeId);
    const at = clock().toISOString();
    const event = declareIncident(
      { ...draft, workspace_id: workspaceId, scope: workspaceId },
      { at, actor: actorOf(caller), causeId, configRevision: 0 },
    );
    return pipeline.commitCommand(async (tx) => {
      const heads = await lockStreams(tx, [incidentId]);
      const before = heads.get(incidentId)?.incident ?? initialState(incidentId);
      if (exists(before)) {
        const written = (await eventsOfCause(tx, incidentId, causeId)) ?? [];
        if (!written.some(({ body }) => saysTheSame(event, body))) throw otherBody();
        const events = written.map(({ body: _body, ...one }) => one);
        return { result: { incident: publicIncident(before), events }, outputs: [] };
      }
      const [stream] = await append(tx, [{ before, events: [event] }], heads, random);
      if (!stream) throw new Error('nothing was appended');
      const events = stream.events.map(({ id, version, event: { type } }) => ({ id, type, version, at }));
      const fact = factOutput(stream.after, [], at, { stream: incidentId, version: BigInt(stream.after.version) });
      return { result: { incident: publicIncident(stream.after), events }, outputs: [...eventOutputs(stream), fact] };
    });
  }
}

/** Apart from the number, which is allotted. */
function saysTheSame({ data }: IncidentDeclared, body: Buffer): boolean {
  const said = JSON.parse(body.toString('utf8')) as IncidentDeclared['data'];
  return JSON.stringify({ ...said, number: 0 }) === JSON.stringify(data);
}
