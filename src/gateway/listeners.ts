/**
 * The listeners of one gateway, as they are configured now: those that stay are given their new settings with their
 * connections, new ones are opened before anything else changes, and those that are gone finish what they have.
 *
 * A listener is the same one while its bind is: another port is another place for clients to go to.
 */
import type { ListenerSettings, Settings } from "../config/settings.ts";
import { Line } from "../kernel/line.ts";
import type { Listen, ListeningPort, SocketListener, SocketPort } from "../kernel/socket.ts";
import type { HandOver, ListenerRuntime } from "./listener-runtime.ts";
import type { Core } from "./core.ts";
import { identifyPeer, trustedProxies } from "./identify.ts";
import { listenOptions } from "./listen-options.ts";

/** Between two looks whether a drain is over. */
export const DRAIN_LOOK_MS = 50;

/** Of a listener that is gone: a connection that asks nothing for so long is closed; until then it is answered. */
const LEAVING_IDLE_MS = 5_000;

export interface ListenersParts {
  readonly core: Core;
  readonly listen: Listen;
  readonly accept: (listener: ListenerRuntime, socket: SocketPort) => SocketListener | null;
  readonly handOver: HandOver;
}

/** What is opened and not in use yet. */
export interface Opened {
  /** For each of the settings, in their order. */
  readonly all: readonly Listening[];
  readonly fresh: readonly Listening[];
  /** What was changed already, taken back. */
  readonly undo: readonly (() => Promise<void>)[];
}

interface Listening {
  readonly runtime: ListenerRuntime;
  readonly port: ListeningPort;
}

export class Listeners {
  /** In the order of the settings; the first two are one list by its halves. */
  readonly runtimes: ListenerRuntime[] = [];
  readonly ports: ListeningPort[] = [];
  readonly #parts: ListenersParts;
  readonly #leaving = new Set<ListenerRuntime>();
  #identity = "";

  constructor(parts: ListenersParts) {
    this.#parts = parts;
  }

  /** Opens what is not open yet. Rejects when one cannot be opened, and leaves nothing open of the others. */
  async open(settings: readonly ListenerSettings[]): Promise<Opened> {
    const left = this.runtimes.map((runtime, index) => ({ runtime, port: this.ports[index] }));
    const fresh: Listening[] = [];
    const all: Listening[] = [];
    const undo: (() => Promise<void>)[] = [];
    try {
      for (const listener of settings) {
        const at = left.findIndex(({ runtime }) => bindOf(runtime.settings) === bindOf(listener));
        const [known] = at === -1 ? [] : left.splice(at, 1);
        if (known?.port !== undefined) {
          all.push({ runtime: known.runtime, port: known.port });
          const { port, runtime } = known;
          if (port.changeFile !== undefined && fileOf(runtime.settings) !== fileOf(listener)) {
            // oxlint-disable-next-line no-await-in-loop -- The first that fails is the one to tell.
            undo.push(await port.changeFile(listener.socketFile));
          }
          continue;
        }
        const { core, listen, accept, handOver } = this.#parts;
        const runtime = runtimeOf(listener, handOver);
        const options = listenOptions(runtime, core);
        const port = await listen(listener.bind, (socket) => accept(runtime, socket), options);
        fresh.push({ runtime, port });
        all.push({ runtime, port });
      }
    } catch (error) {
      await this.abandon({ all, fresh, undo });
      throw error;
    }
    return { all, fresh, undo };
  }

  async abandon({ fresh, undo }: Opened): Promise<void> {
    await Promise.all([...fresh.map(({ port }) => port.close()), ...undo.map((back) => back().catch(() => undefined))]);
  }

  /** Those that are gone get `settings.drainMs` to finish. */
  use({ all }: Opened, settings: Settings): void {
    const stays = new Set(all.map(({ runtime }) => runtime));
    this.runtimes.forEach((runtime, index) => {
      if (!stays.has(runtime)) this.#close(runtime, this.ports[index], settings.drainMs);
    });
    this.runtimes.splice(0, Infinity, ...all.map(({ runtime }) => runtime));
    this.ports.splice(0, Infinity, ...all.map(({ port }) => port));
    // Whom a client is taken for, besides what its listener says.
    const identity = JSON.stringify([settings.trusted, settings.limits.clientBits]);
    const isNewToAll = identity !== this.#identity;
    this.#identity = identity;
    this.runtimes.forEach((runtime, index) => {
      const next = settings.listeners[index];
      if (next !== undefined) this.#configure(runtime, this.ports[index], next, isNewToAll);
    });
  }

  /** Also of those that finish what they have. */
  all(): ListenerRuntime[] {
    return [...this.runtimes, ...this.#leaving];
  }

  /** No connection is kept from now on. */
  drain(): void {
    for (const runtime of this.runtimes) runtime.draining = true;
  }

  /** Whom its clients are taken for may follow from the new settings; who is connected already is no exception. */
  #configure(
    runtime: ListenerRuntime,
    port: ListeningPort | undefined,
    settings: ListenerSettings,
    isNewToAll: boolean,
  ): void {
    const { core } = this.#parts;
    if (runtime.settings === settings && !isNewToAll) return;
    const isAlike = String(runtime.settings.trustedProxies) === String(settings.trustedProxies);
    runtime.settings = settings;
    if (!isAlike) runtime.isTrusted = trustedProxies(settings.trustedProxies);
    port?.configure?.(listenOptions(runtime, core));
    if (isAlike && !isNewToAll) return;
    for (const connection of [...runtime.sessions, ...runtime.connections]) {
      const { socket, peer } = connection;
      connection.identifyAs(
        identifyPeer(socket.remoteAddress, runtime.isTrusted, core, socket.carrier.proxy, peer.scheme),
      );
    }
  }

  #close(runtime: ListenerRuntime, port: ListeningPort | undefined, drainMs: number): void {
    const { clock, every, soon } = this.#parts.core;
    runtime.draining = true;
    let areAllAccepted = port?.leave === undefined;
    if (port !== undefined)
      void leave(port).finally(() => {
        areAllAccepted = true;
      });
    tellTunnels(runtime);
    for (const session of runtime.sessions) session.drain();
    this.#leaving.add(runtime);
    const now = clock.monotonic();
    const until = now + drainMs;
    const idleMs = Math.min(LEAVING_IDLE_MS, drainMs);
    const stop = every(DRAIN_LOOK_MS, () => {
      // What was under way may have been an upgrade, and some were accepted since.
      tellTunnels(runtime);
      for (const session of runtime.sessions) session.drain();
      const since = clock.monotonic() - idleMs;
      // Not in this turn: what they have sent may not have been read.
      if (since >= now && clock.monotonic() < until) {
        soon(() => {
          for (const connection of runtime.connections) connection.closeIfIdle(since);
        });
      }
      if ((!isEmpty(runtime) || !areAllAccepted) && clock.monotonic() < until) return;
      for (const connection of runtime.connections) connection.cutForDrain();
      for (const session of runtime.sessions) session.cutForDrain();
      if (!isEmpty(runtime)) return;
      stop();
      this.#leaving.delete(runtime);
    });
  }
}

function runtimeOf(settings: ListenerSettings, handOver: HandOver): ListenerRuntime {
  const isTrusted = trustedProxies(settings.trustedProxies);
  const { name } = settings;
  return { name, settings, isTrusted, draining: false, connections: new Line(), sessions: new Set(), handOver };
}

/** Those who wait to be accepted are, and nobody after them. */
export function leave(port: ListeningPort): Promise<void> {
  return port.leave?.() ?? port.close();
}

function tellTunnels({ connections }: ListenerRuntime): void {
  for (const connection of connections) connection.tellTunnel();
}

function isEmpty({ connections, sessions }: ListenerRuntime): boolean {
  return connections.size + sessions.size === 0;
}

function fileOf({ socketFile }: ListenerSettings): string {
  return JSON.stringify(socketFile);
}

function bindOf({ bind }: ListenerSettings): string {
  return JSON.stringify(bind);
}
