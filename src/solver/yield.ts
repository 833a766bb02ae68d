/** Lets timers, input and other tasks run before going on: a task, not a microtask. */
export function yieldToHost(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else if (typeof MessageChannel === 'function' && !messagesStarveTimers()) viaMessage(resolve);
    else setTimeout(resolve, 0);
  });
}

/** Cloudflare's runtime goes from message to message without letting timers fire, and does not slow timers down. */
function messagesStarveTimers(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers';
}

/** Browsers slow repeated timers down to 4 ms; messages they do not. */
function viaMessage(resolve: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(undefined);
}
