/** Injection tokens of this service; in all-in-one they live beside those of the others. */
export const DEDUP_CORRELATOR_PIPELINE = Symbol('DEDUP_CORRELATOR_PIPELINE');
export const CORRELATE_STAGE = Symbol('CORRELATE_STAGE');
