import { encodeRecord } from '@tocsin/contracts';
import {
  digestOf,
  erasedEvents,
  fold,
  initialState,
  publicIncident,
  redactEvent,
  SALT_BYTES,
  toErase,
  withErased,
  type Erasure,
  type ErasureRefusal,
  type ExistingIncident,
  type KeptEvent,
} from '@tocsin/domain/incident';
import { Problem, type Random } from '@tocsin/nest-shell';
import type { Output, Tx } from '@tocsin/postgres';
import { actorOf, causeOf, eventsOfCause, type Asking } from '../command-causes.ts';
import { checkVersion, invalidField } from '../command-problems.ts';
import { eventOutputs } from '../event-outputs.ts';
import type { CommandAnswer, CommandParts } from '../incident-commands.ts';
import { lockedIncident, lockIncidents } from '../incident-locks.ts';
import { append, type AppendedStream, type StreamHead } from '../incident-log.ts';
import { SAID_BY } from '../receipt-outputs.ts';
import {
  alertIdsOf,
  eraseAlerts,
  erasePayloads,
  keptEvents,
  rewriteProjections,
  type Replacement,
} from './erasure-store.ts';

export type EraseRequest = Asking & Erasure;
export interface EraseAnswer extends CommandAnswer {
  /** Versions of the events that lost their content by this command. */
  erased: number[];
}

interface Erasing {
  request: EraseRequest;
  incident: ExistingIncident;
  heads: Map<string, StreamHead>;
  kept: KeptEvent[];
  chosen: KeptEvent[];
}

/** So many receipts go into one record. */
const RECEIPTS_MAX = 1_000;

/**
 * Takes personal data out of an incident: contents of its events give way to ones without texts, whatever is projected or kept of them
 * beside the stream likewise. An event says who did it and vouches for what stands there now, so the chain stays whole.
 */
export class EraseIncident {
  constructor(private readonly parts: CommandParts) {}

  /** @throws Problem not-found, wrong-state, validation-failed, precondition-failed */
  run(request: EraseRequest): Promise<EraseAnswer> {
    const { pipeline, clock, random } = this.parts;
    const causeId = causeOf(request, 'erase', random);
    const at = clock().toISOString();
    return pipeline.commitCommand(async (tx) => {
      const { incidentId, caller } = request;
      const heads = await lockIncidents(tx, [], [incidentId]);
      const incident = lockedIncident(heads, incidentId, caller.workspaceId);
      const before = await eventsOfCause(tx, incidentId, causeId);
      if (before) return { result: repeated(incident, before), outputs: [] };
      checkVersion(incident, request.expectedVersion);
      const kept = await keptEvents(tx, incidentId);
      const chosen = toErase(request, incident, kept);
      if (!Array.isArray(chosen)) throw problemOf(chosen, incident);
      if (chosen.length === 0)
        return { result: { incident: publicIncident(incident), events: [], erased: [] }, outputs: [] };
      const context = { at, actor: actorOf(caller), causeId, configRevision: 0 };
      return erase(tx, { request, incident, heads, kept, chosen }, { context, random });
    });
  }
}

async function erase(
  tx: Tx,
  erasing: Erasing,
  { context, random }: { context: Parameters<typeof erasedEvents>[2]; random: Random },
): Promise<{ result: EraseAnswer; outputs: Output[] }> {
  const { request, incident, heads, kept, chosen } = erasing;
  const replacements = new Map(chosen.map((one) => [one.version, replacementOf(one, random(SALT_BYTES))]));
  const said = [...replacements.values()].map(({ version, salt, digest }) => ({ version, salt, digest }));
  const events = erasedEvents(said, request.note, context);
  const history = withErased(kept, chosen);
  // The state from which the stream goes on is that of the events as they are from now on.
  const before = fold(initialState(incident.id), history);
  const [stream] = await append(tx, [{ before, events }], heads, random);
  if (!stream) throw new Error('an erasure wrote no event');
  for (const [index, { version }] of stream.events.entries())
    await erasePayloads(tx, incident.id, version, { said: events[index]!.data.payloads, replacements });
  const whole = [...history, ...events].map((event) => ({ event }));
  await rewriteProjections(tx, { before: initialState(incident.id), after: stream.after, events: whole });
  const receipts = await eraseAlerts(tx, alertIdsOf(chosen.map(({ event }) => event)));
  const written = stream.events.map(({ id, version, event }) => ({ id, type: event.type, version, at: event.at }));
  return {
    result: { incident: publicIncident(stream.after), events: written, erased: chosen.map(({ version }) => version) },
    outputs: [...eventOutputs(asItWas(stream, incident)), ...receiptOutputs(stream.after, receipts, context.at)],
  };
}

function replacementOf({ version, event }: KeptEvent, salt: Buffer): Replacement {
  const body = JSON.stringify(redactEvent(event).data);
  return { version, body, salt: salt.toString('hex'), digest: digestOf(salt, Buffer.from(body, 'utf8')) };
}

/** Subscribers are told what has changed since they last heard: the texts. */
const asItWas = (stream: AppendedStream, incident: ExistingIncident): AppendedStream => ({
  ...stream,
  events: stream.events.map((event, index) => (index === 0 ? { ...event, before: incident } : event)),
});

/** Whoever keeps payloads of these receipts is told to forget them. */
function receiptOutputs(incident: ExistingIncident, receipts: ReadonlyMap<string, string[]>, at: string): Output[] {
  return [...receipts].flatMap(([webhookId, all]) =>
    Array.from({ length: Math.ceil(all.length / RECEIPTS_MAX) }, (_, part): Output => {
      const receiptIds = all.slice(part * RECEIPTS_MAX, (part + 1) * RECEIPTS_MAX);
      const { workspaceId, id: incidentId, version } = incident;
      return {
        ...{
          topic: 'webhook.outcomes',
          key: webhookId,
          type: 'receipts.erased.v1',
          headers: { [SAID_BY]: 'incident-store' },
        },
        value: encodeRecord('receipts.erased.v1', { workspaceId, webhookId, incidentId, at, receiptIds }),
        by: { stream: incidentId, version: BigInt(version) },
      };
    }),
  );
}

function repeated(
  incident: ExistingIncident,
  events: NonNullable<Awaited<ReturnType<typeof eventsOfCause>>>,
): EraseAnswer {
  const erased = events.flatMap(({ body }) =>
    (JSON.parse(body.toString('utf8')) as { payloads: { version: number }[] }).payloads.map(({ version }) => version),
  );
  return { incident: publicIncident(incident), events: events.map(({ body: _body, ...event }) => event), erased };
}

function problemOf(refusal: ErasureRefusal, { id, status, version }: ExistingIncident): Problem {
  if (refusal.refused === 'no-such-version')
    return invalidField('versions', 'no-such-version', `the incident has no event of version ${refusal.version}`);
  return new Problem('wrong-state', 'The incident is open: resolve it first. Comments can be erased at any time.', {
    body: { incident_id: id, current_status: status, version },
  });
}
