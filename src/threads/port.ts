/** A worker as both kinds have it: Node's `worker_threads` and the web's. */
export interface Port {
  post(message: unknown): void;
  /** Resolves when it has ended. */
  end(): Promise<void>;
}

export interface PortHooks {
  onMessage: (message: unknown) => void;
  /** It has ended, or is of no more use. */
  onDeath: (cause: Error) => void;
}

/** How workers are started here. */
export interface Launcher {
  launch(hooks: PortHooks): Port;
  /** To be called when no more are to be launched. */
  close(): void;
}

/** What is used of `node:worker_threads`. */
interface NodeThreads {
  Worker: new (
    script: string | URL,
    options: { eval: boolean; execArgv: string[] },
  ) => {
    on(event: string, listener: (value: never) => void): void;
    postMessage(message: unknown): void;
    terminate(): Promise<number>;
  };
}

/** Deno and Bun have the web's workers, too. */
const isNode =
  globalThis.process?.versions?.node !== undefined && !('Deno' in globalThis) && !('Bun' in globalThis);

/** Loads a module of Node's that bundlers for browsers are not to look for. */
async function nodeModule<T>(name: string): Promise<T> {
  return (await import(/* webpackIgnore: true */ /* @vite-ignore */ `node:${name}`)) as T;
}

/** How many threads can run at once. */
export async function availableCores(): Promise<number> {
  const told = globalThis.navigator?.hardwareConcurrency;
  if (told !== undefined) return Math.max(1, told);
  if (!isNode) return 1;
  const { availableParallelism } = await nodeModule<{ availableParallelism(): number }>('os');
  return availableParallelism();
}

/** @param url - of the script, for the web's workers; without it, the script that comes with the package. */
export async function makeLauncher(url: string | URL | undefined): Promise<Launcher> {
  if (!isNode && url !== undefined) return webLauncher(String(url), () => {});
  const { default: script } = await import('../../build/worker/seedspan.worker.js');
  if (isNode) return nodeLauncher(await nodeModule<NodeThreads>('worker_threads'), script);
  const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  return webLauncher(address, () => URL.revokeObjectURL(address));
}

/** Node's threads, of a script that is a file. */
export async function makeFileLauncher(script: URL): Promise<Launcher> {
  return nodeLauncher(await nodeModule<NodeThreads>('worker_threads'), script);
}

/** @param script - its text, or where it is. */
function nodeLauncher({ Worker }: NodeThreads, script: string | URL): Launcher {
  return {
    launch({ onMessage, onDeath }) {
      // Hooks and flags that the process was started with are not for this script.
      const worker = new Worker(script, { eval: typeof script === 'string', execArgv: [] });
      worker.on('message', onMessage);
      worker.on('messageerror', onDeath);
      worker.on('error', onDeath);
      worker.on('exit', (code: number) => onDeath(new Error(`it ended with code ${code}`)));
      return {
        post: (message) => worker.postMessage(message),
        end: async () => void (await worker.terminate()),
      };
    },
    close: () => {},
  };
}

function webLauncher(address: string, close: () => void): Launcher {
  const options: WorkerOptions = 'Deno' in globalThis ? { type: 'module' } : {};
  return {
    launch({ onMessage, onDeath }) {
      const worker = new Worker(address, options);
      worker.onmessage = ({ data }) => onMessage(data);
      worker.onmessageerror = () => onDeath(new Error('a message could not be read'));
      worker.onerror = (event) => {
        event.preventDefault();
        onDeath(new Error(event.message || 'it could not be started'));
      };
      return { post: (message) => worker.postMessage(message), end: async () => worker.terminate() };
    },
    close,
  };
}
