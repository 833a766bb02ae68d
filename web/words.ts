import { WorkerLost } from './worker-client.ts';

const CSP =
  'WebAssembly is blocked by a content security policy. Whoever serves this page must allow script-src ‘wasm-unsafe-eval’, for the page and for worker.js.';

/** What went wrong, and what to do. */
export function inWords(error: unknown): string {
  if (error instanceof WorkerLost)
    return `${error.message} A new one starts with the next run; what was computed before is still here.`;
  if (!(error instanceof Error)) return String(error);
  const { name, message } = error;
  if (/wasm-unsafe-eval|unsafe-eval|Content Security Policy|\bCSP\b/i.test(message)) return CSP;
  if (/no WebAssembly/.test(message))
    return 'This browser has no WebAssembly, or it is switched off; the kernel needs it.';
  if (/^OUT_OF_MEMORY$/.test((error as { code?: string }).code ?? '') || name === 'RangeError')
    return `${sentence(message)} Take a smaller grid or fewer levels.`;
  return sentence(message);
}

/** Without the name of the function that it comes from, as a sentence; a file's name stays as it is. */
function sentence(message: string): string {
  const text = message
    .replace(/^[a-z]\w*: /, '')
    .replace(/^[a-z]+(?= )/, (word) => word[0].toUpperCase() + word.slice(1));
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

export const wasCancelled = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'AbortError';
