/** The listening sockets of a worker: its own, which it inherited, and those of siblings that are gone. */
import type { ToWorker, WorkerSockets as Inherited } from "../contract/worker-messages.ts";
import type { OpenListener, SocketKeeper } from "./tcp-listen.ts";

export interface WorkerSockets {
  readonly keeper: SocketKeeper;
  /** `handle`: came with the message. Undefined where the channel lost it. */
  cover(order: Cover, handle: unknown): void;
  uncover(worker: number): void;
}

type Cover = Extract<ToWorker, { kind: "cover" }>;

export function createWorkerSockets(inherited: readonly Inherited[]): WorkerSockets {
  const open = new Map<string, OpenListener>();
  const covered = new Map<number, (() => void)[]>();
  return {
    keeper: {
      given: (bind) =>
        // Their files are the supervisor's.
        inherited
          .find((one) => nameOf(one.bind) === nameOf(bind))
          ?.descriptors.map((descriptor) => ({ descriptor, file: null })) ?? null,
      listens: (listener) => void open.set(nameOf(listener.bind), listener),
    },
    cover({ bind, worker, isLeaving }, handle) {
      // One that has begun since knows nothing of a listener that has left.
      const stop = handle === undefined ? undefined : open.get(nameOf(bind))?.cover(handle);
      // Of those nobody else accepts any more: they end with the listener here.
      if (stop !== undefined && !isLeaving) covered.set(worker, [...(covered.get(worker) ?? []), stop]);
    },
    uncover(worker) {
      for (const stop of covered.get(worker) ?? []) stop();
      covered.delete(worker);
    },
  };
}

function nameOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host} ${port}`;
}
