/** Why an attempt ended as it did: a closed list, metric label and log column. */
export const attemptReasons = [
  'delivered',
  'redirect',
  'gone',
  'rate-limited',
  'client-error',
  'server-error',
  'unexpected-status',
  'timeout',
  'name-not-found',
  'connection-refused',
  'connection-failed',
  'connection-reset',
  'tls-failed',
  'address-not-allowed',
  'url-not-allowed',
  'header-not-allowed',
  'protocol-error',
  'proxy-failed',
  'secret-unreadable',
] as const;
export type AttemptReason = (typeof attemptReasons)[number];

/** Why a delivery is not tried (again) although the schedule might allow it, or was never sent. */
export const finalReasons = [
  'gone',
  'url-not-allowed',
  'header-not-allowed',
  'schedule-exhausted',
  'subscription-deleted',
  'subscription-paused',
  'subscription-disabled',
] as const;
export type FinalReason = (typeof finalReasons)[number];

/** 2xx is success; a redirect is a failure and is never followed; 410 means "never again". */
export function reasonOfStatus(status: number): AttemptReason {
  if (status >= 200 && status < 300) return 'delivered';
  if (status >= 300 && status < 400) return 'redirect';
  if (status === 410) return 'gone';
  if (status === 429) return 'rate-limited';
  if (status >= 400 && status < 500) return 'client-error';
  return status >= 500 && status < 600 ? 'server-error' : 'unexpected-status';
}

const byCode: Readonly<Record<string, AttemptReason>> = {
  ENOTFOUND: 'name-not-found',
  EAI_AGAIN: 'name-not-found',
  EAI_NODATA: 'name-not-found',
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-reset',
  EPIPE: 'connection-reset',
  UND_ERR_SOCKET: 'connection-reset',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'protocol-error',
  ETIMEDOUT: 'timeout',
  OUTBOUND_ADDRESS_REFUSED: 'address-not-allowed',
  OUTBOUND_RESPONSE_TIMEOUT: 'timeout',
  OUTBOUND_PROXY_FAILED: 'proxy-failed',
  OUTBOUND_PROXY_REFUSED: 'address-not-allowed',
  OUTBOUND_PROXY_UNREACHED: 'connection-failed',
};

/** Reason of a request that got no response, from the error code of the socket, TLS or HTTP layer. */
export function reasonOfErrorCode(code: string | undefined): AttemptReason {
  if (code === undefined) return 'connection-failed';
  if (byCode[code]) return byCode[code];
  if (code.startsWith('HPE_')) return 'protocol-error';
  if (/CERT|_TLS_|SSL|SELF_SIGNED|UNABLE_TO_VERIFY|EPROTO/.test(code)) return 'tls-failed';
  return 'connection-failed';
}
