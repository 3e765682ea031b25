/**
 * A network of virtual hosts, which are nothing but their addresses: who listens where, how the lines between them
 * are, and which of them are silent. It gives out the ports that `src/kernel/socket.ts` describes, to the gateway and
 * to the simulated clients and origins alike, and remembers who used them wrongly or left a socket open.
 */
import { DEAF } from "../src/kernel/socket.ts";
import type { Address, Dial, Listen, ListeningPort, SocketListener, SocketPort } from "../src/kernel/socket.ts";
import type { SeededChance } from "./chance.ts";
import { ReadBuffers } from "./read-buffers.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { VirtualSocket } from "./virtual-socket.ts";
import type { Line, Medium } from "./virtual-socket.ts";

/** Bounds between which the lines of a host are drawn. A line is that of the host that listens. */
export interface LineBounds {
  readonly latencyMs: readonly [least: number, most: number];
  readonly windowBytes: readonly [least: number, most: number];
  /** Kinds of cuts, each as likely as it is listed often. */
  readonly cuts: readonly Line["cut"][];
}

/**
 * `silent`: packets to and from it vanish until it speaks again (a firewall, a dead machine). `mute`: only those from
 * it do, `deaf`: only those to it (a route that was lost in one direction). `unroutable`: the dialling machine knows
 * no way to it.
 */
export type Reach = "reachable" | "silent" | "mute" | "deaf" | "unroutable";

export interface PortBreach {
  readonly socket: string;
  readonly what: string;
}

const USUAL: LineBounds = {
  latencyMs: [0.05, 2],
  windowBytes: [2_000, 400_000],
  cuts: ["whole", "whole", "whole", "pieces", "crumbs"],
};
/** A SYN that nobody answers is sent again after 1, 3, 7 … s, and given up after two minutes, as Linux does. */
const SYN_AGAIN_MS = 1_000;
const SYN_TRIES = 7;
const EPHEMERAL_FROM = 30_000;
const SENDS_NOTHING: ReadonlySet<Reach> = new Set(["silent", "mute"]);
const HEARS_NOTHING: ReadonlySet<Reach> = new Set(["silent", "deaf"]);

export class VirtualNetwork {
  readonly breaches: PortBreach[] = [];
  readonly buffers: ReadBuffers = new ReadBuffers();
  readonly #clock: VirtualClock;
  readonly #chance: SeededChance;
  readonly #trace: Trace;
  readonly #medium: Medium;
  readonly #listeners = new Map<string, (socket: SocketPort) => SocketListener | null>();
  readonly #lines = new Map<string, LineBounds>();
  readonly #reach = new Map<string, Reach>();
  readonly #waitedMost = new Map<string, number>();
  readonly #socketsMax = new Map<string, number>();
  readonly #wallHits = new Map<string, number>();
  readonly #open = new Set<VirtualSocket>();
  readonly #held = new Set<VirtualSocket>();
  #port = EPHEMERAL_FROM;

  constructor(clock: VirtualClock, chance: SeededChance, trace: Trace) {
    this.#clock = clock;
    this.#chance = chance;
    this.#trace = trace;
    this.#medium = {
      clock,
      chance,
      buffers: this.buffers,
      trace,
      breach: (socket, what) => {
        trace.note("network", `${socket.name} ${what}`);
        this.breaches.push({ socket: socket.name, what });
      },
      waits: ({ localAddress }, bytes) => {
        this.#waitedMost.set(localAddress, Math.max(bytes, this.waitedMost(localAddress)));
      },
      isSilent: (from, to) => SENDS_NOTHING.has(this.#reachOf(from)) || HEARS_NOTHING.has(this.#reachOf(to)),
      holdsBack: (socket) => this.#held.add(socket),
      isHostUp: (ip) => !["silent", "unroutable"].includes(this.#reachOf(ip)),
      closed: (socket) => this.#open.delete(socket),
    };
  }

  // ------------------------------------------------------------------ the ports

  /** Dialling, from the host at `ip`. */
  dialFrom(ip: string): Dial {
    return (address, listener) => this.#dial(ip, address, listener);
  }

  readonly listen: Listen = async (bind, onSocket): Promise<ListeningPort> => {
    const stop = this.listenNow(bind, onSocket);
    const close = (): Promise<void> => {
      stop();
      return Promise.resolve();
    };
    return Promise.resolve({ address: bind.host, port: bind.port, close });
  };

  /** The same without a promise: from now on, and until the returned function is called. */
  listenNow(bind: Parameters<Listen>[0], onSocket: Parameters<Listen>[1]): () => void {
    const key = `${bind.host}:${bind.port}`;
    if (this.#listeners.has(key)) throw Object.assign(new Error(`${key} is in use`), { code: "EADDRINUSE" });
    this.#listeners.set(key, onSocket);
    return () => {
      if (this.#listeners.get(key) === onSocket) this.#listeners.delete(key);
    };
  }

  // ------------------------------------------------------------------ the world's hand

  setLines(ip: string, bounds: Partial<LineBounds>): void {
    this.#lines.set(ip, { ...USUAL, ...bounds });
  }

  setReach(ip: string, reach: Reach): void {
    this.#reach.set(ip, reach);
    this.#trace.note("network", `${ip} is ${reach}`);
    for (const socket of this.#held) {
      if (this.#medium.isSilent(socket.localAddress, socket.remoteAddress)) continue;
      this.#held.delete(socket);
      socket.release();
    }
  }

  /** How many sockets a host may have open, as `ulimit -n` says it. */
  setSocketsMax(ip: string, most: number): void {
    this.#socketsMax.set(ip, most);
  }

  /** How often a host had no descriptor for a socket (EMFILE). */
  wallHits(ip: string): number {
    return this.#wallHits.get(ip) ?? 0;
  }

  /** The machine loses its power: its connections are gone without a word. */
  cutPower(ip: string): void {
    for (const socket of this.#open) if (socket.localAddress === ip) socket.vanish();
    this.setReach(ip, "silent");
  }

  /** The one process at this host ends; its kernel ends its connections, and it hears of nothing any more. */
  killProcess(ip: string, how: "fin" | "rst"): void {
    for (const bind of this.#listeners.keys()) if (bind.startsWith(`${ip}:`)) this.#listeners.delete(bind);
    for (const socket of this.#open) {
      if (socket.localAddress !== ip) continue;
      socket.listener = DEAF;
      if (how === "rst") socket.reset();
      else socket.destroy();
    }
  }

  /** The most bytes that ever waited in a process at this host on one of its sockets. */
  waitedMost(ip: string): number {
    return this.#waitedMost.get(ip) ?? 0;
  }

  /** Sockets of a host whose `onClose` has not come. */
  openAt(ip: string): string[] {
    return [...this.#open].filter((socket) => socket.localAddress === ip).map((socket) => socket.name);
  }

  // ------------------------------------------------------------------ connecting

  #reachOf(ip: string): Reach {
    return this.#reach.get(ip) ?? "reachable";
  }

  #dial(from: string, address: Address, listener: SocketListener): VirtualSocket {
    const line = this.#drawLine(address.ip);
    this.#port += 1;
    const local = [from, this.#port] as const;
    const remote = [address.ip, address.port] as const;
    const dialler = new VirtualSocket(this.#medium, line, { local, remote }, listener);
    if (this.#isFull(from)) {
      this.#clock.schedule(0, () => dialler.fail("EMFILE", "connect"));
      return dialler;
    }
    this.#open.add(dialler);
    if (this.#reachOf(address.ip) === "unroutable")
      this.#clock.schedule(0, () => dialler.fail("EHOSTUNREACH", "connect"));
    else this.#sendSyn(dialler, line, 1);
    return dialler;
  }

  #sendSyn(dialler: VirtualSocket, line: Line, number: number): void {
    this.#clock.schedule(line.latencyMs, () => {
      const { localAddress, remoteAddress } = dialler;
      // Without the answer to it a SYN makes no connection: it is sent again.
      const isCut = [
        this.#medium.isSilent(localAddress, remoteAddress),
        this.#medium.isSilent(remoteAddress, localAddress),
      ];
      if (!isCut.includes(true)) {
        this.#synArrives(dialler, line);
      } else if (!dialler.over) {
        if (number < SYN_TRIES)
          this.#clock.schedule(SYN_AGAIN_MS * 2 ** (number - 1), () => this.#sendSyn(dialler, line, number + 1));
        else dialler.fail("ETIMEDOUT", "connect");
      }
    });
  }

  #synArrives(dialler: VirtualSocket, line: Line): void {
    const { localAddress, localPort, remoteAddress, remotePort } = dialler;
    const onSocket = this.#listeners.get(`${remoteAddress}:${remotePort}`);
    // Really such a connection would wait in the backlog; for whoever dials it comes to the same.
    if (onSocket === undefined || this.#isFull(remoteAddress)) {
      this.#clock.schedule(line.latencyMs, () => dialler.fail("ECONNREFUSED", "connect"));
      return;
    }
    const ends = { local: [remoteAddress, remotePort], remote: [localAddress, localPort] } as const;
    const accepted = new VirtualSocket(this.#medium, line, ends, DEAF);
    this.#open.add(accepted);
    accepted.establish(dialler);
    const listener = onSocket(accepted);
    if (listener === null) accepted.destroy();
    else accepted.listener = listener;
    this.#clock.schedule(line.latencyMs, () => {
      dialler.establish(accepted);
      // A dialler that gave up meanwhile answers the connection with RST.
      if (dialler.over) accepted.refuse();
      else dialler.tellConnected();
    });
  }

  #isFull(ip: string): boolean {
    const most = this.#socketsMax.get(ip);
    if (most === undefined || this.openAt(ip).length < most) return false;
    this.#wallHits.set(ip, this.wallHits(ip) + 1);
    return true;
  }

  #drawLine(ip: string): Line {
    const { latencyMs, windowBytes, cuts } = this.#lines.get(ip) ?? USUAL;
    return {
      latencyMs: this.#chance.between(latencyMs[0], latencyMs[1]),
      windowBytes: Math.ceil(this.#chance.spread(windowBytes[0], windowBytes[1])),
      cut: this.#chance.pick(cuts),
    };
  }
}
