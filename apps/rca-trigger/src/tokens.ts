/** Injection tokens of the rca-trigger. */
export const RCA_CONFIG = Symbol('RCA_CONFIG');
export const RCA_PIPELINE = Symbol('RCA_PIPELINE');
export const RECORD_INCIDENTS = Symbol('RECORD_INCIDENTS');
export const RECORD_CHANGES = Symbol('RECORD_CHANGES');
export const INVESTIGATION_WORKER = Symbol('INVESTIGATION_WORKER');
export const INVESTIGATOR_SENDER = Symbol('INVESTIGATOR_SENDER');
export const INVESTIGATOR_CALLS = Symbol('INVESTIGATOR_CALLS');
export const ASK_INVESTIGATORS = Symbol('ASK_INVESTIGATORS');
export const REQUEST_INVESTIGATION = Symbol('REQUEST_INVESTIGATION');
export const RECOMMENDATIONS = Symbol('RECOMMENDATIONS');
