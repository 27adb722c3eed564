const MASK = '***';
/** Shorter texts are words like any other: taking them out of an answer would hide what it says. */
const SHORTEST = 6;

/** Takes secrets out of what a receiver answered: some echo the request, and the log is for more people than the secret is. */
export function masking(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    .filter((form) => form.length >= SHORTEST);
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((clean, form) => clean.replaceAll(form, MASK), text);
}
