/** The normalizer's own injection token; symbols, because all-in-one runs every service in one application. */
export const NORMALIZE_BATCH = Symbol('NORMALIZE_BATCH');
