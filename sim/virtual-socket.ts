/**
 * One end of a virtual connection: what a process sees of TCP. Bytes leave into a window of limited size, what does
 * not fit stays where its owner has it and is watched; they arrive in order, are read in pieces that chance cuts,
 * and the end of a connection is FIN or RST with the differences between the two that make failures hard to tell.
 *
 * Not here: loss and reordering inside a stream, which TCP hides; only what of it shows, as time.
 */
import { PLAIN } from "../src/kernel/socket.ts";
import type { Carrier, SocketListener, SocketPort } from "../src/kernel/socket.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { SeededChance } from "./chance.ts";
import type { ReadBuffers } from "./read-buffers.ts";
import { READ_BYTES } from "./read-buffers.ts";
import type { Trace } from "./trace.ts";

/** How one connection carries bytes; drawn when it is made. */
export interface Line {
  /** One way, without jitter. */
  readonly latencyMs: number;
  /** Bytes on their way or unread; more waits at the sender. */
  readonly windowBytes: number;
  /** How reads are cut: as things come, in pieces, or a few bytes at a time. */
  readonly cut: "whole" | "pieces" | "crumbs";
}

/** What sockets share of the network they are in. */
export interface Medium {
  readonly clock: VirtualClock;
  readonly chance: SeededChance;
  readonly buffers: ReadBuffers;
  readonly trace: Trace;
  /** A use of the port that its contract forbids. */
  breach(socket: VirtualSocket, what: string): void;
  /** So many bytes wait in the process because its kernel does not take them. */
  waits(socket: VirtualSocket, bytes: number): void;
  isSilent(from: string, to: string): boolean;
  /** Its packets wait for the silence to end. */
  holdsBack(socket: VirtualSocket): void;
  isHostUp(ip: string): boolean;
  closed(socket: VirtualSocket): void;
}

type Packet = { readonly kind: "bytes"; readonly bytes: Buffer } | { readonly kind: "fin" } | { readonly kind: "rst" };

const FIN: Packet = { kind: "fin" };
const RST: Packet = { kind: "rst" };
/** Beyond this much that waits to be read, reading a few bytes at a time would only cost time. */
const CRUMBS_UP_TO_BYTES = 700;

/** Bytes that a write could not hand over, and what they were then. */
interface Kept {
  readonly bytes: Buffer;
  readonly asGiven: Buffer;
  sent: number;
}

export class VirtualSocket implements SocketPort {
  listener: SocketListener;
  readonly carrier: Carrier = PLAIN;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly name: string;
  peer: VirtualSocket | null = null;
  connected = false;
  writing = false;
  readonly #medium: Medium;
  readonly #line: Line;
  #lastArrival = 0;
  readonly #kept: Kept[] = [];
  #outstanding = 0;
  #held: Packet[] = [];
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  #finArrived = false;
  #finHeard = false;
  #rstArrived = false;
  #finAsked = false;
  #finSent = false;
  #paused = false;
  #readDue = false;
  #drainDue = false;
  #over = false;

  constructor(
    medium: Medium,
    line: Line,
    ends: { readonly local: readonly [string, number]; readonly remote: readonly [string, number] },
    listener: SocketListener,
  ) {
    this.#medium = medium;
    this.#line = line;
    [this.localAddress, this.localPort] = ends.local;
    [this.remoteAddress, this.remotePort] = ends.remote;
    this.name = `${this.localAddress}:${this.localPort}>${this.remoteAddress}:${this.remotePort}`;
    this.listener = listener;
  }

  /** Destroyed, reset or failed: nothing more is heard but `onClose`. */
  get over(): boolean {
    return this.#over;
  }

  // ------------------------------------------------------------------ the port

  write(bytes: Buffer): boolean {
    if (this.#over || bytes.length === 0) return !this.writing;
    if (!this.connected) this.#medium.breach(this, "wrote before the connection was made");
    if (this.#finAsked) {
      this.#medium.breach(this, "wrote behind its own FIN");
      return true;
    }
    if (this.#rstArrived) {
      // The kernel knows already: the write fails, and that is told later.
      this.#medium.clock.schedule(0, () => this.#fail("EPIPE", "write"));
      return true;
    }
    const room = this.#kept.length > 0 ? 0 : Math.max(0, this.#line.windowBytes - this.#outstanding);
    const taken = Math.min(room, bytes.length);
    if (taken > 0) this.#sendBytes(bytes.subarray(0, taken));
    if (taken === bytes.length) return !this.writing;
    const rest = bytes.subarray(taken);
    this.#kept.push({ bytes: rest, asGiven: Buffer.from(rest), sent: 0 });
    this.#medium.buffers.lend(rest);
    this.#medium.waits(this, this.waitingBytes);
    this.writing = true;
    return false;
  }

  get waitingBytes(): number {
    return this.#kept.reduce((sum, kept) => sum + kept.bytes.length - kept.sent, 0);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#read();
  }

  end(): void {
    if (this.#over || this.#finAsked) return;
    this.#finAsked = true;
    this.#pump();
  }

  reset(): void {
    if (this.#over) return;
    if (this.connected) this.#send(RST);
    this.#close();
  }

  probePeer(): void {
    // Peers do not vanish here.
  }

  destroy(): void {
    if (this.#over) return;
    if (this.connected && !this.#rstArrived) {
      // A kernel that throws bytes away which nobody read says so (RFC 9293 §3.10.4, and RFC 2525 §2.17).
      if (this.#arrivedBytes > 0) this.#send(RST);
      else if (!this.#finSent) this.#send(FIN);
    }
    this.#close();
  }

  // ------------------------------------------------------------------ what hosts do

  /** The connection is made. */
  establish(peer: VirtualSocket): void {
    this.peer = peer;
    this.connected = true;
    this.#lastArrival = this.#medium.clock.monotonic() + this.#line.latencyMs;
    this.#read();
  }

  /** The machine lost its power: no FIN, no RST, and nobody who knows of the connection. */
  vanish(): void {
    if (this.#over) return;
    this.#medium.trace.note("network", `${this.name} vanishes`);
    this.#close();
  }

  /** The attempt to connect succeeded. */
  tellConnected(): void {
    this.#tell((listener) => listener.onConnect());
  }

  /** The attempt to connect failed, or the connection did. */
  fail(code: string, syscall: string): void {
    this.#fail(code, syscall);
  }

  /** The other end gave up before the connection was made: its machine knows nothing of it. */
  refuse(): void {
    this.#arrive(RST);
  }

  /** The silence is over: what was sent into it arrives, as TCP sends it again. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const packet of held) this.#send(packet);
  }

  // ------------------------------------------------------------------ sending

  #sendBytes(bytes: Buffer): void {
    this.#outstanding += bytes.length;
    this.#send({ kind: "bytes", bytes: Buffer.from(bytes) });
  }

  #send(packet: Packet): void {
    const { peer } = this;
    const { clock, chance } = this.#medium;
    if (peer === null) return;
    if (this.#held.length > 0 || this.#medium.isSilent(this.localAddress, this.remoteAddress)) {
      this.#held.push(packet);
      this.#medium.holdsBack(this);
      return;
    }
    const { latencyMs } = this.#line;
    const at = Math.max(this.#lastArrival, clock.monotonic() + latencyMs * (1 + 0.3 * chance.next()));
    this.#lastArrival = at;
    clock.schedule(at - clock.monotonic(), () => peer.#arrive(packet));
  }

  /** Sends on what was kept, as far as the window has room, and the FIN behind it. */
  #pump(): void {
    if (this.#over || !this.connected) return;
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      const room = this.#line.windowBytes - this.#outstanding;
      if (room <= 0) return;
      this.#lookAfter(first);
      const piece = first.bytes.subarray(first.sent, first.sent + room);
      first.sent += piece.length;
      this.#sendBytes(piece);
      if (first.sent < first.bytes.length) return;
      this.#kept.shift();
      this.#medium.buffers.giveBack(first.bytes);
    }
    if (this.writing) this.#drainSoon();
    if (this.#finAsked && !this.#finSent) {
      this.#finSent = true;
      this.#send(FIN);
      if (this.#finHeard) this.#close();
    }
  }

  #drainSoon(): void {
    if (this.#drainDue) return;
    this.#drainDue = true;
    this.#medium.clock.schedule(0, () => {
      this.#drainDue = false;
      // More may have been written meanwhile; then it is not yet true that all has left.
      if (this.#over || this.#kept.length > 0) return;
      this.writing = false;
      if (!this.#finSent) this.#tell((listener) => listener.onDrain());
    });
  }

  /** Bytes that wait belong to the socket: whoever changes them changes what the peer reads. */
  #lookAfter(kept: Kept): void {
    if (kept.bytes.compare(kept.asGiven) !== 0)
      this.#medium.breach(this, "bytes were changed while a write waited for them");
  }

  // ------------------------------------------------------------------ receiving

  #arrive(packet: Packet): void {
    if (this.#over) {
      // Nobody is there for it: the kernel answers RST, unless the whole machine is gone.
      const { peer } = this;
      if (packet.kind === "bytes" && peer !== null && !peer.over && this.#medium.isHostUp(this.localAddress))
        this.#send(RST);
      return;
    }
    switch (packet.kind) {
      case "bytes":
        this.#arrived.push(packet.bytes);
        this.#arrivedBytes += packet.bytes.length;
        break;
      case "fin":
        this.#finArrived = true;
        break;
      case "rst":
        this.#rstArrived = true;
        // Bytes that had come before it may be lost with it.
        if (this.#medium.chance.happens(0.5)) {
          this.#arrived = [];
          this.#arrivedBytes = 0;
        }
        // A write that waits fails at once, also when nobody reads.
        if (this.#kept.length > 0) {
          this.#medium.clock.schedule(0, () => this.#fail("ECONNRESET", "write"));
          return;
        }
        break;
    }
    this.#read();
  }

  #read(delayMs = 0): void {
    if (this.#readDue || this.#over) return;
    if (this.#arrivedBytes === 0 && !this.#finArrived && !this.#rstArrived) return;
    this.#readDue = true;
    this.#medium.clock.schedule(delayMs, () => {
      this.#readDue = false;
      if (!this.#over && !this.#paused && this.connected) this.#readOnce();
    });
  }

  #readOnce(): void {
    if (this.#arrivedBytes > 0) {
      const bytes = this.#take(this.#readSize());
      // What has been read makes room at the sender; it hears of that a way later.
      this.#makeRoom(bytes.length);
      // Asked for before the bytes are handed over: a listener that throws does not end the reading.
      this.#read(this.#medium.chance.happens(0.1) ? this.#medium.chance.between(0, 3) : 0);
      const wrong = this.#medium.buffers.handOver(bytes, (buffer, start, end) =>
        this.#tell((listener) => listener.onData(buffer, start, end)),
      );
      if (wrong !== "") this.#medium.breach(this, wrong);
    } else if (this.#rstArrived) {
      // After a FIN the kernel calls it a broken pipe, and only writing shows it.
      if (!this.#finHeard) this.#fail("ECONNRESET", "read");
    } else if (this.#finArrived && !this.#finHeard) {
      this.#finHeard = true;
      this.#tell((listener) => listener.onFin());
      if (this.#finSent) this.#close();
    }
  }

  #readSize(): number {
    const { chance } = this.#medium;
    const most = Math.min(this.#arrivedBytes, READ_BYTES);
    switch (this.#line.cut) {
      case "whole":
        return most;
      case "crumbs":
        if (most <= CRUMBS_UP_TO_BYTES) return Math.min(most, chance.integer(1, 9));
        return Math.min(most, chance.integer(1, 3_000));
      case "pieces":
        return Math.min(most, Math.ceil(chance.spread(20, READ_BYTES)));
    }
  }

  #take(count: number): Buffer {
    const taken: Buffer[] = [];
    let missing = count;
    while (missing > 0) {
      const first = this.#arrived[0];
      if (first === undefined) break;
      if (first.length <= missing) {
        taken.push(first);
        this.#arrived.shift();
        missing -= first.length;
      } else {
        taken.push(first.subarray(0, missing));
        this.#arrived[0] = first.subarray(missing);
        missing = 0;
      }
    }
    this.#arrivedBytes -= count;
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : Buffer.concat(taken);
  }

  #makeRoom(bytes: number): void {
    const sender = this.peer;
    if (sender === null) return;
    if (sender.#kept.length === 0) {
      sender.#outstanding -= bytes;
      return;
    }
    this.#medium.clock.schedule(this.#line.latencyMs, () => {
      sender.#outstanding -= bytes;
      sender.#pump();
    });
  }

  // ------------------------------------------------------------------ ending

  #fail(code: string, syscall: string): void {
    if (this.#over) return;
    this.#medium.trace.note("network", `${this.name} ${code} on ${syscall}`);
    this.#close();
    this.#tell((listener) => listener.onError({ code, syscall }));
  }

  /** `onClose` comes later, once, and is the last that is heard. */
  #close(): void {
    if (this.#over) return;
    this.#over = true;
    for (const kept of this.#kept.splice(0)) {
      this.#lookAfter(kept);
      this.#medium.buffers.giveBack(kept.bytes);
    }
    this.#arrived = [];
    this.#arrivedBytes = 0;
    this.#medium.clock.schedule(0, () => {
      this.writing = false;
      this.#medium.closed(this);
      this.#tell((listener) => listener.onClose());
    });
  }

  /** A listener that throws hears of that itself, and nobody else does. */
  #tell(call: (listener: SocketListener) => void): void {
    try {
      call(this.listener);
    } catch (error) {
      this.listener.onFault(error);
    }
  }
}
