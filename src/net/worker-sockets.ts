/** The listening sockets of a worker: its own, which it inherited, and those of siblings that are gone. */
import type { WorkerSockets as Inherited } from "../contract/worker-messages.ts";
import type { OpenListener, SocketKeeper } from "./tcp-listen.ts";

export interface WorkerSockets {
  readonly keeper: SocketKeeper;
  /** `handle`: came with the message. Undefined where the channel lost it. */
  cover(listener: number, worker: number, handle: unknown): void;
  uncover(worker: number): void;
}

export function createWorkerSockets(inherited: readonly Inherited[]): WorkerSockets {
  const numberOf = ({ host, port }: Inherited["bind"]): number =>
    inherited.findIndex(({ bind }) => bind.host === host && bind.port === port);
  const open = new Map<number, OpenListener>();
  const covered = new Map<number, (() => void)[]>();
  return {
    keeper: {
      given: (bind) =>
        // Their files are the supervisor's.
        inherited[numberOf(bind)]?.descriptors.map((descriptor) => ({ descriptor, file: null })) ?? null,
      listens: (listener) => void open.set(numberOf(listener.bind), listener),
    },
    cover(listener, worker, handle) {
      const stop = handle === undefined ? undefined : open.get(listener)?.cover(handle);
      if (stop !== undefined) covered.set(worker, [...(covered.get(worker) ?? []), stop]);
    },
    uncover(worker) {
      for (const stop of covered.get(worker) ?? []) stop();
      covered.delete(worker);
    },
  };
}
