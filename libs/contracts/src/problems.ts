/** RFC 9457 problem codes: the closed list that every HTTP door answers with. Code → HTTP status and title. */
export const problems = {
  'malformed-body': { status: 400, title: 'The body cannot be read' },
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  'authentication-failed': { status: 401, title: 'Authentication failed' },
  forbidden: { status: 403, title: 'The key lacks the scope for this' },
  'unknown-webhook': { status: 404, title: 'No such webhook' },
  'unknown-platform': { status: 404, title: 'No such platform' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'platform-mismatch': { status: 409, title: 'The webhook belongs to another platform' },
  'wrong-state': { status: 409, title: 'The incident is in another state' },
  'merge-cycle': { status: 409, title: 'The incidents would be merged in a circle' },
  conflict: { status: 409, title: 'Changed by somebody else meanwhile' },
  'over-broad': { status: 409, title: 'It matches too large a share of the live alerts' },
  'payload-not-kept': { status: 409, title: 'The payload of this request is not kept' },
  'payload-truncated': { status: 409, title: 'The payload of this request was cut when it was kept' },
  'precondition-failed': { status: 412, title: 'The version in If-Match is not the current one' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'validation-failed': { status: 422, title: 'Some fields are not valid' },
  'unrecognised-payload': { status: 422, title: 'The connector does not recognise this payload' },
  'url-not-allowed': { status: 422, title: 'This address is not allowed as a receiver' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'locked-out': { status: 429, title: 'Too many failed authentications' },
  internal: { status: 500, title: 'Unexpected error' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;
export interface ProblemDetail {
  /** Where: a JSON path such as `mapping.fields.title` or `$.alerts[3]`. */
  path: string;
  code: string;
  message: string;
}
