import { hash as sha } from 'node:crypto';

/** An event in the order in which the whole installation has committed. Positions begin at 1 and have no gaps. */
export interface CommittedEvent {
  position: bigint;
  stream: string;
  version: number;
  /** Of the event, in its stream's chain. */
  hash: string;
}

/** `chain` of the first position. */
export const GENESIS_CHAIN = '0'.repeat(64);

/** SHA-256 over the chain before and one line per field, hex: what was left out, put in or moved changes every later one. */
export const chainOf = (before: string, { position, stream, version, hash }: CommittedEvent): string =>
  sha('sha256', `${before}\n${position}\n${stream}\n${version}\n${hash}`, 'hex');

/** What a checkpoint signs. */
export interface Checkpoint {
  position: bigint;
  chain: string;
  at: string;
}

/** The exact text under the signature of a checkpoint. */
export const checkpointText = ({ position, chain, at }: Checkpoint): string =>
  `tocsin audit checkpoint v1\n${position}\n${chain}\n${at}\n`;
