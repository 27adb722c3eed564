import type { DemoCredentials } from '@tocsin/control-plane';

/** What a new user sees: where it runs, the demo credentials, and two commands that work when pasted. */
export function banner(
  url: string,
  demo: DemoCredentials,
  parts: { database: string; log: string; dataDirectory: string },
): string {
  const alert = `{"title":"Checkout is slow","severity":"high","service":"checkout","dedup_key":"checkout-latency"}`;
  return `
Tocsin is ready at ${url}
  data        ${parts.dataDirectory} (database: ${parts.database}, log: ${parts.log})
  webhook     ${url}/webhook/${demo.token}/trigger
  token       ${demo.token}
  secret      ${demo.secret}   (Authorization: Bearer)
  API key     ${demo.apiKey}
  receiver    ${url}/sink   (shows what the demo subscription delivered, signatures verified)

Send an alert (again: deduplicated; with "status":"resolved": resolved):
curl -sS ${url}/webhook/${demo.token}/trigger -H 'Authorization: Bearer ${demo.secret}' -H 'Content-Type: application/json' -d '${alert}'

Read its incident:
curl -sS '${url}/api/v1/incidents?limit=1' -H 'Authorization: Bearer ${demo.apiKey}'

Ctrl-C stops everything; the next start goes on where this one stopped.
`;
}
