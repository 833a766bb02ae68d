/** The scheme of a queue's address, and whatever stands before the last `@` of the same word. */
const CREDENTIALS = /\b((?:rediss?|valkeys?|unix):\/\/)\S*@/gi;

/**
 * Takes user and password out of all addresses of queues in a text. Both: many write a password where the user
 * belongs. What is not understood is taken out rather than shown.
 */
export function withoutSecrets(text: string, ...secrets: readonly (string | undefined)[]): string {
  let shown = text.replace(CREDENTIALS, '$1***@');
  for (const secret of secrets) {
    if (secret === undefined || secret === '') continue;
    for (const form of [secret, encodeURIComponent(secret)]) shown = shown.replaceAll(form, '***');
  }
  return shown;
}

/** An address of a queue as it may be shown: without user and password. */
export function redact(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return '(an address that cannot be read)';
  }
  const login = parsed.username === '' && parsed.password === '' ? '' : '***@';
  return `${parsed.protocol}//${login}${parsed.host}${parsed.pathname}`;
}
