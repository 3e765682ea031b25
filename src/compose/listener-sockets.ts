/** The listening sockets of all workers: opened once, kept open as long as their address is configured. */
import type { Bind, ListenerSettings } from "../config/settings.ts";
import { addressOfSocket, bindSockets } from "../net/inherited-sockets.ts";
import type { BoundSocket } from "../net/inherited-sockets.ts";
import { SOCKETS } from "../net/tcp-listen.ts";

/** Beyond this many workers each has fewer sockets: all of a machine's connections are spread over hundreds anyway. */
const WORKERS_WITH_ALL = 8;
const SOCKETS_OF_MANY = 4;

export interface ListenerSockets {
  /** Where the listeners really listen. */
  readonly addresses: readonly Bind[];
  /** What a worker inherits: for each listener so many descriptors, one after the other. */
  ofWorker(worker: number): {
    readonly descriptors: readonly number[];
    readonly binds: readonly { readonly bind: Bind; readonly count: number }[];
  };
  /** What nobody accepts from while the worker is gone. None where all workers accept from the same. */
  handlesOf(worker: number): readonly { readonly listener: number; readonly handle: unknown }[];
  close(): void;
}

interface Bound {
  readonly bind: Bind;
  readonly sockets: readonly BoundSocket[];
}

/** Rejects as `listen` does. */
export async function bindListeners(listeners: readonly ListenerSettings[], workers: number): Promise<ListenerSockets> {
  const each = workers <= WORKERS_WITH_ALL ? SOCKETS : SOCKETS_OF_MANY;
  const bound: Bound[] = [];
  const close = (): void => {
    for (const { sockets } of bound) for (const socket of sockets) socket.close();
  };
  try {
    for (const { bind } of listeners) {
      // oxlint-disable-next-line no-await-in-loop -- The first that fails is the one to tell.
      bound.push({ bind, sockets: await bindSockets(bind, workers * each) });
    }
  } catch (error) {
    close();
    throw error;
  }
  /** Fewer sockets than workers: all accept from all. */
  const shareOf = ({ sockets }: Bound, worker: number): readonly BoundSocket[] =>
    sockets.length < workers ? sockets : sockets.filter((_, index) => index % workers === worker - 1);
  return {
    addresses: bound.map(({ bind, sockets: [first] }) => (first === undefined ? bind : addressOfSocket(first))),
    ofWorker(worker) {
      const shares = bound.map((one) => ({ bind: one.bind, sockets: shareOf(one, worker) }));
      return {
        descriptors: shares.flatMap(({ sockets }) => sockets.map(({ descriptor }) => descriptor)),
        binds: shares.map(({ bind, sockets }) => ({ bind, count: sockets.length })),
      };
    },
    handlesOf: (worker) =>
      bound.flatMap((one, listener) =>
        one.sockets.length < workers ? [] : shareOf(one, worker).map(({ handle }) => ({ listener, handle })),
      ),
    close,
  };
}
