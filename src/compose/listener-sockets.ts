/** The listening sockets of all workers: opened once, kept open as long as their address is configured. */
import type { Bind, ListenerSettings } from "../config/settings.ts";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import type { SocketFile } from "../kernel/socket.ts";
import type { Heritage } from "../net/heritage.ts";
import { addressOfSocket, adoptSocket, bindSocketFile, bindSockets } from "../net/inherited-sockets.ts";
import type { BoundSocket } from "../net/inherited-sockets.ts";
import type { NextSocket } from "../net/keeper.ts";
import { changeSocketFile, isSocketFileGone } from "../net/unix-listen.ts";
import { SOCKETS } from "../net/tcp-listen.ts";

/** Beyond this many workers each has fewer sockets: all of a machine's connections are spread over hundreds anyway. */
const WORKERS_WITH_ALL = 8;
const SOCKETS_OF_MANY = 4;

export interface ListenerSockets {
  /** Where the listeners really listen. */
  readonly addresses: readonly Bind[];
  /** What one of so many workers inherits: for each listener so many descriptors, one after the other. */
  ofWorker(
    worker: number,
    workers: number,
  ): {
    readonly descriptors: readonly number[];
    readonly binds: readonly { readonly bind: Bind; readonly count: number }[];
  };
  /** What nobody accepts from while the worker is gone. None where all workers accept from the same. */
  handlesOf(worker: number, workers: number): readonly LentHandle[];
  /** While a change is under way: what of the worker's no listener is meant for any more. */
  leavingOf(worker: number, workers: number): readonly LentHandle[];
  /**
   * Opens what is listened on by other settings too; workers that begin from now on get these. Rejects as `listen`
   * does, and then nothing has changed.
   */
  change(listeners: readonly ListenerSettings[]): Promise<{
    /** What is not listened on any more is closed. */
    use(): void;
    /** Those before hold again, and what was opened is closed. */
    giveUp(): void;
  }>;
  /** Files of sockets that somebody removed. The next change makes them again. */
  goneFiles(): Promise<readonly string[]>;
  /** They belong to two processes from now on. */
  handOn(): NextSocket[];
  close(): void;
}

interface LentHandle {
  readonly bind: Bind;
  readonly handle: unknown;
}

interface Bound {
  readonly bind: Bind;
  /** Where they really listen. */
  readonly at: Bind;
  readonly sockets: readonly BoundSocket[];
  /** Of the file that they listen at. */
  socketFile: SocketFile;
}

/** `workers`: how many there are to begin with; when there are others, they share what is open. Rejects as `listen` does. */
export async function bindListeners(
  listeners: readonly ListenerSettings[],
  workers: number,
  heritage: Heritage,
): Promise<ListenerSockets> {
  const each = workers <= WORKERS_WITH_ALL ? SOCKETS : SOCKETS_OF_MANY;
  let bound = await bindAll(listeners, []);
  let leaving: readonly Bound[] = [];

  /** Those that are open stay so. */
  async function bindAll(wanted: readonly ListenerSettings[], before: readonly Bound[]): Promise<readonly Bound[]> {
    const all: Bound[] = [];
    try {
      for (const { bind, name, socketFile } of wanted) {
        // One whose file somebody removed is of use to nobody.
        // oxlint-disable-next-line no-await-in-loop -- One after the other, as they are opened.
        const known = await thereAmong(before, bind);
        const found = known === undefined ? heritage.take(bind, name) : null;
        if (known !== undefined) all.push(known);
        else if (found !== null) {
          all.push(toBound(bind, found.map(adoptSocket), socketFile));
          // oxlint-disable-next-line no-await-in-loop -- As below.
          for (const { file } of found) if (file !== null) await changeSocketFile(file, socketFile);
        }
        // oxlint-disable-next-line no-await-in-loop -- The first that fails is the one to tell.
        else all.push(toBound(bind, await open(bind, socketFile, workers * each), socketFile));
      }
    } catch (error) {
      closeBut(all, before);
      throw error;
    }
    return all;
  }
  /** Fewer sockets than workers: all accept from all. */
  const shareOf = ({ sockets }: Bound, worker: number, workers: number): readonly BoundSocket[] =>
    sockets.length < workers ? sockets : sockets.filter((_, index) => index % workers === worker - 1);
  const handlesOf = (all: readonly Bound[], worker: number, workers: number): readonly LentHandle[] =>
    all.flatMap((one) =>
      one.sockets.length < workers
        ? []
        : shareOf(one, worker, workers).map(({ handle }) => ({ bind: one.bind, handle })),
    );
  return {
    get addresses() {
      return bound.map(({ at }) => at);
    },
    ofWorker(worker, workers) {
      const shares = bound.map((one) => ({ bind: one.bind, sockets: shareOf(one, worker, workers) }));
      return {
        descriptors: shares.flatMap(({ sockets }) => sockets.map(({ descriptor }) => descriptor)),
        binds: shares.map(({ bind, sockets }) => ({ bind, count: sockets.length })),
      };
    },
    handlesOf: (worker, workers) => handlesOf(bound, worker, workers),
    leavingOf: (worker, workers) => handlesOf(leaving, worker, workers),
    async goneFiles() {
      const there = await Promise.all(bound.map((one) => isThere(one)));
      return bound.flatMap(({ bind }, index) => (there[index] === true ? [] : [bind.host]));
    },
    handOn: () =>
      bound.flatMap(({ bind: { host, port }, sockets }) =>
        sockets.map((socket) => ({ ...socket.handOn(), host, port })),
      ),
    async change(next) {
      const before = bound;
      const after = await bindAll(next, before);
      let undo: () => void;
      try {
        undo = await changeFiles(next, before);
      } catch (error) {
        closeBut(after, before);
        throw error;
      }
      bound = after;
      leaving = before.filter((one) => !after.includes(one));
      return {
        use() {
          leaving = [];
          closeBut(before, after);
          for (const one of after) one.socketFile = fileOf(next, one) ?? one.socketFile;
        },
        giveUp() {
          bound = before;
          leaving = [];
          closeBut(after, before);
          undo();
        },
      };
    },
    close: () => closeBut(bound, []),
  };
}

function toBound(bind: Bind, sockets: readonly BoundSocket[], socketFile: SocketFile): Bound {
  const [first] = sockets;
  return { bind, at: first === undefined || isUnix(bind.host) ? bind : addressOfSocket(first), sockets, socketFile };
}

function closeBut(bound: readonly Bound[], kept: readonly Bound[]): void {
  for (const one of bound) if (!kept.includes(one)) for (const socket of one.sockets) socket.close();
}

/** Of sockets that stay. Rejects when one cannot be changed, and then none has been. */
async function changeFiles(listeners: readonly ListenerSettings[], bound: readonly Bound[]): Promise<() => void> {
  const undo: (() => Promise<void>)[] = [];
  const undoAll = (): void => {
    for (const back of undo) void back().catch(() => undefined);
  };
  try {
    for (const one of bound) {
      const file = one.sockets[0]?.file ?? null;
      const next = fileOf(listeners, one);
      if (file === null || next === null || JSON.stringify(next) === JSON.stringify(one.socketFile)) continue;
      // oxlint-disable-next-line no-await-in-loop -- The first that fails is the one to tell.
      undo.push(await changeSocketFile(file, next));
    }
  } catch (error) {
    undoAll();
    throw error;
  }
  return undoAll;
}

async function thereAmong(bound: readonly Bound[], bind: Bind): Promise<Bound | undefined> {
  const one = bound.find((each) => isSame(each.bind, bind));
  return one !== undefined && (await isThere(one)) ? one : undefined;
}

async function isThere({ sockets: [first] }: Bound): Promise<boolean> {
  return first === undefined || first.file === null || !(await isSocketFileGone(first.file));
}

function fileOf(listeners: readonly ListenerSettings[], { bind }: Bound): SocketFile | null {
  return listeners.find((listener) => isSame(listener.bind, bind))?.socketFile ?? null;
}

function isSame(one: Bind, other: Bind): boolean {
  return one.host === other.host && one.port === other.port;
}

async function open(bind: Bind, file: SocketFile, count: number): Promise<readonly BoundSocket[]> {
  return isUnix(bind.host) ? [await bindSocketFile(bind.host.slice(UNIX.length), file)] : bindSockets(bind, count);
}
