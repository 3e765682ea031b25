/**
 * A network in memory: the socket port on one side, a peer that a test plays by hand on the other. Everything that
 * a peer does is heard by the port before the call returns, in order, so a test reads as a list of what happens.
 *
 * It is strict where a real network is lenient. The buffer of a read is overwritten as soon as `onData` returns,
 * bytes that a write could not get rid of are looked at only when the peer takes them, and a write behind one's own
 * FIN throws. No call comes from inside a call that the owner made, as the port promises.
 */
import { DEAF, HEAD_ROOM, PLAIN, TAIL_ROOM } from "../../src/kernel/socket.ts";
import type { Address, Carrier, Dial, Listen, SocketListener, SocketPort, TlsView } from "../../src/kernel/socket.ts";

const READ_BYTES = 128 * 1024;
const GARBAGE = 0x9d;

/** The other end of a connection, played by a test. */
export interface Peer {
  /** The address that was dialled, `10.0.0.1:80`; of an accepted connection its own. */
  readonly address: string;
  /** Everything that came, one character for each byte. */
  readonly received: string;
  /** What came since the last call. */
  take(): string;
  /** How the port's side ended: `fin` when it sent FIN, `rst`, or `closed` when it closed without either; empty while it has not. */
  readonly ended: "" | "fin" | "rst" | "closed";
  /** True while the port does not read. */
  readonly stalled: boolean;
  /** Bytes as one segment, or more when they are more than a read takes. */
  send(bytes: string | Buffer): void;
  fin(): void;
  rst(): void;
  /** Of an accepted connection to a listener with TLS: its handshake is done, or has come to nothing. */
  secure(tls: TlsView): void;
  unsecure(code: string, detail?: string): void;
  /** From now on the kernel between both takes so many bytes in all and no more, until `takeAll`. */
  takeOnly(bytes: number): void;
  takeAll(): void;
  /** So many more bytes than until now, of those that wait first. */
  takeMore(bytes: number): void;
  /** Of a dialled connection that is held: the answer to SYN, or an error instead. */
  accept(): void;
  refuse(code: string): void;
}

export interface MemoryNetwork {
  readonly dial: Dial;
  readonly listen: Listen;
  /** A client that connects to a listener, the newest if no port is said, from an address. Null when it is turned away. */
  connect(from?: string, port?: number): Peer | null;
  /** Ports that are listened on. */
  readonly listening: readonly number[];
  /** Ports that cannot be listened on. */
  readonly taken: Set<number>;
  /** Dialled connections in their order. */
  readonly dialled: readonly Peer[];
  /** False: a dialled connection waits for `accept` or `refuse`. */
  acceptAtOnce: boolean;
  /** Calls `run` when what is being delivered has been heard. */
  readonly later: (run: () => void) => void;
  /** Runs what calls on ports have set going. Peers' calls do it by themselves. */
  settle(): void;
  /** Delivers these peers' bytes in one turn: events are put in a row first, and heard then. */
  together(run: () => void): void;
}

export function memoryNetwork(): MemoryNetwork {
  const due: (() => void)[] = [];
  const readBuffer = Buffer.alloc(HEAD_ROOM + READ_BYTES + TAIL_ROOM, GARBAGE);
  const dialled: MemorySocket[] = [];
  /** By port, the newest last. */
  const accepting = new Map<number, (socket: SocketPort) => SocketListener | null>();
  let running = false;
  let held = false;
  let ports = 40_000;

  function later(run: () => void): void {
    due.push(run);
  }

  function settle(): void {
    if (running || held) return;
    running = true;
    try {
      for (let run = due.shift(); run !== undefined; run = due.shift()) run();
    } finally {
      running = false;
    }
  }

  const medium: Medium = { later, settle, readBuffer };
  const network: MemoryNetwork = {
    acceptAtOnce: true,
    dialled,
    later,
    settle,
    together(run) {
      held = true;
      run();
      held = false;
      settle();
    },
    dial(address: Address, listener, opening) {
      const text = address.family === 6 ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
      const socket = new MemorySocket(medium, listener, text, address.ip, address.port);
      if (opening !== undefined) socket.received = opening.latin1Slice();
      dialled.push(socket);
      if (network.acceptAtOnce) later(() => socket.connectNow());
      return socket;
    },
    get listening() {
      return [...accepting.keys()];
    },
    taken: new Set(),
    listen({ port }, onSocket) {
      if (network.taken.has(port)) return Promise.reject(Object.assign(new Error("taken"), { code: "EADDRINUSE" }));
      accepting.set(port, onSocket);
      return Promise.resolve({
        address: "127.0.0.1",
        port,
        close: () => {
          accepting.delete(port);
          return Promise.resolve();
        },
      });
    },
    connect(from = "192.0.2.7", port = [...accepting.keys()].at(-1) ?? 0) {
      const accept = accepting.get(port);
      if (accept === undefined) return null;
      ports += 1;
      const socket = new MemorySocket(medium, DEAF, `${from}:${ports}`, from, ports);
      socket.connected = true;
      const listener = accept(socket);
      if (listener === null) return null;
      socket.listener = listener;
      settle();
      return socket;
    },
  };
  return network;
}

interface Medium {
  readonly readBuffer: Buffer;
  later(run: () => void): void;
  settle(): void;
}

/** Bytes that wait because the peer takes none: kept as they were given, as a real socket does. */
interface Queued {
  readonly bytes: Buffer;
  from: number;
}

class MemorySocket implements SocketPort, Peer {
  listener: SocketListener;
  carrier: Carrier = PLAIN;
  readonly address: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 8080;
  connected = false;
  writing = false;
  received = "";
  ended: Peer["ended"] = "";
  stalled = false;
  readonly #medium: Medium;
  #taken = 0;
  #room = Infinity;
  readonly #queue: Queued[] = [];
  #arrived: Buffer[] = [];
  #finArrived = false;
  #finHeard = false;
  #finAsked = false;
  #over = false;

  constructor(medium: Medium, listener: SocketListener, address: string, ip: string, port: number) {
    this.#medium = medium;
    this.listener = listener;
    this.address = address;
    this.remoteAddress = ip;
    this.remotePort = port;
  }

  // ------------------------------------------------------------------ the port

  write(bytes: Buffer): boolean {
    if (this.#over) return true;
    if (!this.connected) throw new Error("wrote before the connection was made");
    if (this.#finAsked) throw new Error("wrote behind its own FIN");
    const fits = this.writing ? 0 : Math.min(this.#room, bytes.length);
    this.#arrive(bytes.subarray(0, fits));
    if (fits === bytes.length) return !this.writing;
    const rest = bytes.subarray(fits);
    // Bytes of the read buffer are copied by the real socket too; all others stay where their owner has them.
    this.#queue.push({ bytes: bytes.buffer === this.#medium.readBuffer.buffer ? Buffer.from(rest) : rest, from: 0 });
    this.writing = true;
    return false;
  }

  get waitingBytes(): number {
    return this.#queue.reduce((sum, { bytes, from }) => sum + bytes.length - from, 0);
  }

  pause(): void {
    this.stalled = true;
  }

  resume(): void {
    if (!this.stalled) return;
    this.stalled = false;
    this.#medium.later(() => this.#deliver());
  }

  end(): void {
    if (this.#over || this.#finAsked) return;
    this.#finAsked = true;
    // A real FIN leaves a turn later, too: what resets a socket right behind its `end` takes the last bytes back.
    this.#medium.later(() => this.#medium.later(() => this.#sendFin()));
  }

  reset(): void {
    this.#leave("rst");
  }

  probePeer(): void {
    // Peers do not vanish here.
  }

  destroy(): void {
    this.#leave("closed");
  }

  // ------------------------------------------------------------------ the peer

  take(): string {
    const part = this.received.slice(this.#taken);
    this.#taken = this.received.length;
    return part;
  }

  send(bytes: string | Buffer): void {
    if (this.#over) return;
    this.#arrived.push(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    this.#medium.later(() => this.#deliver());
    this.#medium.settle();
  }

  fin(): void {
    this.#finArrived = true;
    this.#medium.later(() => this.#deliver());
    this.#medium.settle();
  }

  rst(): void {
    this.#medium.later(() => this.#fail({ code: "ECONNRESET", syscall: "read" }));
    this.#medium.settle();
  }

  secure(tls: TlsView): void {
    this.carrier = { ...this.carrier, tls };
    this.#medium.later(() => this.#hear(() => this.listener.onConnect()));
    this.#medium.settle();
  }

  unsecure(code: string, detail?: string): void {
    const error = detail === undefined ? { code, syscall: "tls" } : { code, syscall: "tls", detail };
    this.#medium.later(() => this.#hear(() => this.listener.onError(error)));
    this.#medium.settle();
  }

  takeOnly(bytes: number): void {
    this.#room = bytes;
  }

  takeAll(): void {
    this.#room = Infinity;
    this.#medium.later(() => this.#flush());
    this.#medium.settle();
  }

  takeMore(bytes: number): void {
    this.#room += bytes;
    this.#medium.later(() => this.#flush());
    this.#medium.settle();
  }

  accept(): void {
    this.#medium.later(() => this.connectNow());
    this.#medium.settle();
  }

  refuse(code: string): void {
    this.#medium.later(() => this.#fail({ code, syscall: "connect" }));
    this.#medium.settle();
  }

  connectNow(): void {
    if (this.#over || this.connected) return;
    this.connected = true;
    this.#hear(() => this.listener.onConnect());
  }

  // ------------------------------------------------------------------ inside

  #arrive(bytes: Buffer): void {
    this.#room -= bytes.length;
    this.received += bytes.latin1Slice();
  }

  #deliver(): void {
    while (!this.stalled && !this.#over) {
      const segment = this.#arrived.shift();
      if (segment === undefined) break;
      const piece = segment.subarray(0, READ_BYTES);
      if (segment.length > READ_BYTES) this.#arrived.unshift(segment.subarray(READ_BYTES));
      const { readBuffer } = this.#medium;
      piece.copy(readBuffer, HEAD_ROOM);
      this.#hear(() => this.listener.onData(readBuffer, HEAD_ROOM, HEAD_ROOM + piece.length));
      readBuffer.fill(GARBAGE);
    }
    if (this.stalled || this.#over || !this.#finArrived || this.#finHeard || this.#arrived.length > 0) return;
    this.#finHeard = true;
    this.#hear(() => this.listener.onFin());
    this.#closeWhenBothEnded();
  }

  #flush(): void {
    for (let first = this.#queue[0]; first !== undefined && !this.#over; first = this.#queue[0]) {
      const piece = first.bytes.subarray(first.from, first.from + Math.min(this.#room, first.bytes.length));
      if (piece.length === 0) return;
      this.#arrive(piece);
      first.from += piece.length;
      if (first.from === first.bytes.length) this.#queue.shift();
    }
    if (!this.writing || this.#over) return;
    this.writing = false;
    this.#hear(() => this.listener.onDrain());
    this.#sendFin();
  }

  #sendFin(): void {
    if (!this.#finAsked || this.#queue.length > 0 || this.#over || this.ended !== "") return;
    this.ended = "fin";
    this.#closeWhenBothEnded();
  }

  /** As a real socket does: with both sides ended in order there is nothing left to keep. */
  #closeWhenBothEnded(): void {
    if (this.ended === "fin" && this.#finHeard) this.#leave("fin");
  }

  #fail(error: { code: string; syscall: string }): void {
    if (this.#over) return;
    this.#leave("closed", () => this.listener.onError(error));
  }

  #leave(how: Peer["ended"], before: () => void = () => undefined): void {
    if (this.#over) return;
    this.#over = true;
    if (this.ended === "" || how === "rst") this.ended = how;
    this.#queue.length = 0;
    this.writing = false;
    this.#medium.later(() => {
      this.#hear(before);
      this.#hear(() => this.listener.onClose());
    });
  }

  #hear(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.listener.onFault(error);
    }
  }
}
