import {
  type Answer,
  type Call,
  type Opened,
  postError,
  type Reply,
  type Session,
} from '../threads/messages.ts';
import { Kernel } from '../wasm/kernel.ts';

/** The other side: the web's worker scope has it as its own, Node's worker as `parentPort`. */
export interface Parent {
  postMessage(message: Answer, transfer?: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  /** Node's: its messages are held back until then. */
  start?(): void;
}

/** What a worker can do, by the name that sessions have for it. */
export type Tasks = Readonly<Record<string, (kernel: Kernel, data: unknown) => Opened | Promise<Opened>>>;

/** Answers the calls of a `WorkerPool`. */
export function serve(parent: Parent, tasks: Tasks): void {
  const sessions = new Map<number, Opened>();
  /** Of the jobs at work, by the ids of their calls. */
  const controllers = new Map<number, AbortController>();

  async function open(number: number, session: Session): Promise<Reply> {
    const { task, build, module, memoryLimit, data } = session;
    const kernel = await Kernel.instantiate(build, module);
    if (memoryLimit !== undefined) kernel.setMemoryLimit(memoryLimit);
    sessions.set(number, await tasks[task](kernel, data));
    return { result: undefined };
  }

  async function answer(id: number, call: Call): Promise<{ reply: Reply; transfer?: ArrayBuffer[] }> {
    if ('open' in call) return { reply: await open(call.open, call.session) };
    if ('close' in call) {
      await sessions.get(call.close)?.close?.();
      sessions.delete(call.close);
    }
    if (!('run' in call)) return { reply: { result: undefined } };
    const session = sessions.get(call.run);
    if (session === undefined) return { reply: { missing: true } };
    const controller = new AbortController();
    controllers.set(id, controller);
    const onEvent = (event: unknown) => parent.postMessage({ id, event });
    try {
      const { result, transfer } = await session(call.input, { signal: controller.signal, onEvent });
      return { reply: { result }, transfer };
    } finally {
      controllers.delete(id);
    }
  }

  async function take({ id, call }: { id: number; call: Call }): Promise<void> {
    if ('abort' in call) {
      controllers.get(id)?.abort();
      return;
    }
    try {
      const { reply, transfer } = await answer(id, call);
      parent.postMessage({ id, reply }, transfer ?? []);
    } catch (error) {
      parent.postMessage({ id, reply: { failure: postError(error) } });
    }
  }

  parent.addEventListener('message', ({ data }) => {
    void take(data as { id: number; call: Call });
  });
  parent.start?.();
}
