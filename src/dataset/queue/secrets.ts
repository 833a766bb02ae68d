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

/** An address of a queue as it may be shown: without user and password, and only as far as it is understood. */
export function redact(url: string): string {
  const hidden = '(not shown)';
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return hidden;
  }
  const { protocol, username, password, host, pathname } = parsed;
  // A slash too many makes user and password a part of the path.
  if (protocol === 'unix:') return withoutSecrets(`unix://${pathname}`);
  if (protocol !== 'redis:' && protocol !== 'rediss:') return hidden;
  const login = username === '' && password === '' ? '' : '***@';
  return `${protocol}//${login}${host}${/^\/\d+$/.test(pathname) ? pathname : ''}`;
}
