import { describe, expect, it } from "vitest";
import { HEAD_ROOM, TAIL_ROOM } from "../src/kernel/socket.ts";
import type { SocketListener, SocketPort } from "../src/kernel/socket.ts";
import { SeededChance } from "./chance.ts";
import { content, firstWrong } from "./content.ts";
import { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { VirtualNetwork } from "./virtual-network.ts";

const SERVER = { ip: "10.0.0.2", port: 80, family: 4 } as const;

/** Writes down what it hears. */
class Ear implements SocketListener {
  readonly heard: string[] = [];
  bytes: Buffer = Buffer.alloc(0);
  onBytes: (bytes: Buffer, start: number, end: number) => void = () => undefined;
  onConnect(): void {
    this.heard.push("connect");
  }
  onData(bytes: Buffer, start: number, end: number): void {
    this.bytes = Buffer.concat([this.bytes, bytes.subarray(start, end)]);
    this.onBytes(bytes, start, end);
  }
  onDrain(): void {
    this.heard.push("drain");
  }
  onFin(): void {
    this.heard.push("fin");
  }
  onError({ code, syscall }: { code: string; syscall: string }): void {
    this.heard.push(`${code} ${syscall}`);
  }
  onClose(): void {
    this.heard.push("close");
  }
  onFault(error: unknown): void {
    throw error;
  }
}

interface Wire {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly near: Ear;
  readonly far: Ear;
  readonly dialled: SocketPort;
  /** Throws before the connection is made. */
  readonly accepted: () => SocketPort;
}

function connect(seed = 1, windowBytes = 1_000): Wire {
  const clock = new VirtualClock();
  const network = new VirtualNetwork(clock, new SeededChance(seed), new Trace(clock));
  network.setLines(SERVER.ip, { windowBytes: [windowBytes, windowBytes + 1] });
  const near = new Ear();
  const far = new Ear();
  let accepted: SocketPort | null = null;
  network.listenNow({ host: SERVER.ip, port: SERVER.port }, (socket) => {
    accepted = socket;
    return far;
  });
  const dialled = network.dialFrom("10.0.0.1")(SERVER, near);
  const get = (): SocketPort => {
    if (accepted === null) throw new Error("not accepted yet");
    return accepted;
  };
  return { clock, network, near, far, dialled, accepted: get };
}

describe("a virtual connection", () => {
  it("carries every byte once and in order, whatever the window and the cuts", async () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const { clock, dialled, far, near } = connect(seed, 50 * seed);
      await clock.run(100);
      const whole = content(seed, "request", 0, 20_000);
      let at = 0;
      const send = (): void => {
        while (at < whole.length && !dialled.writing) {
          const end = at + 777;
          dialled.write(whole.subarray(at, end));
          at = end;
        }
      };
      near.onDrain = send;
      send();
      await clock.run(60_000);
      expect(far.bytes.length).toBe(whole.length);
      expect(firstWrong(seed, "request", 0, far.bytes, 0, far.bytes.length)).toBe(-1);
    }
  });

  it("says false while bytes wait, and drains when all have left", async () => {
    const { clock, dialled, near } = connect();
    await clock.run(100);
    expect(dialled.write(Buffer.alloc(900))).toBe(true);
    expect(dialled.write(Buffer.alloc(900))).toBe(false);
    expect(dialled.writing).toBe(true);
    await clock.run(1_000);
    expect(dialled.writing).toBe(false);
    expect(near.heard).toEqual(["connect", "drain"]);
  });

  it("notices when bytes change that a write waits for", async () => {
    const { clock, dialled, network } = connect();
    await clock.run(100);
    const bytes = Buffer.alloc(5_000);
    dialled.write(bytes);
    bytes[4_999] = 1;
    await clock.run(1_000);
    expect(network.breaches.map(({ what }) => what)).toContain("bytes were changed while a write waited for them");
  });

  it("spoils what was read when its listener has returned, and lets it have the rooms and no more", async () => {
    const { clock, dialled, far, network } = connect();
    const kept: Buffer[] = [];
    far.onBytes = (bytes, start, end) => {
      bytes.fill(0, start - HEAD_ROOM, start);
      bytes.fill(0, end, end + TAIL_ROOM);
      kept.push(bytes.subarray(start, end));
    };
    await clock.run(100);
    dialled.write(Buffer.from("hello"));
    await clock.run(100);
    expect(kept.some((bytes) => /[helo]/.test(bytes.latin1Slice()))).toBe(false);
    expect(network.breaches).toEqual([]);

    far.onBytes = (bytes, _, end) => {
      bytes[end + TAIL_ROOM] = 0;
    };
    dialled.write(Buffer.from("hello"));
    await clock.run(100);
    expect(network.breaches[0]?.what).toBe("wrote behind the tail room of a read");
  });

  it("tells FIN from RST, and closes when both sides have ended", async () => {
    const ended = connect();
    await ended.clock.run(100);
    ended.dialled.end();
    await ended.clock.run(100);
    expect(ended.far.heard).toEqual(["fin"]);
    ended.accepted().end();
    await ended.clock.run(100);
    expect(ended.far.heard).toEqual(["fin", "close"]);
    expect(ended.near.heard).toEqual(["connect", "fin", "close"]);

    const reset = connect();
    await reset.clock.run(100);
    reset.dialled.reset();
    await reset.clock.run(100);
    expect(reset.far.heard).toEqual(["ECONNRESET read", "close"]);
  });

  it("answers bytes for a closed socket with RST", async () => {
    const { clock, near, dialled, accepted } = connect();
    await clock.run(100);
    accepted().destroy();
    await clock.run(100);
    expect(near.heard).toEqual(["connect", "fin"]);
    dialled.write(Buffer.from("anybody there?"));
    await clock.run(100);
    dialled.write(Buffer.from("hello?"));
    await clock.run(100);
    expect(near.heard).toEqual(["connect", "fin", "EPIPE write", "close"]);
  });

  it("is refused where nobody listens, times out in silence, and finds no way to the unroutable", async () => {
    const { clock, network } = connect();
    const outcomes: string[][] = [];
    for (const [ip, reach] of [
      ["10.0.0.3", "reachable"],
      ["10.0.0.4", "silent"],
      ["10.0.0.5", "unroutable"],
    ] as const) {
      network.setReach(ip, reach);
      const ear = new Ear();
      outcomes.push(ear.heard);
      network.dialFrom("10.0.0.1")({ ip, port: 80, family: 4 }, ear);
    }
    await clock.run(300_000);
    expect(outcomes).toEqual([
      ["ECONNREFUSED connect", "close"],
      ["ETIMEDOUT connect", "close"],
      ["EHOSTUNREACH connect", "close"],
    ]);
  });

  it("delivers after a silence what was sent into it, and after a power cut nothing but RST", async () => {
    const silent = connect();
    await silent.clock.run(100);
    silent.network.setReach(SERVER.ip, "silent");
    silent.dialled.write(Buffer.from("hello"));
    await silent.clock.run(10_000);
    expect(silent.far.bytes.length).toBe(0);
    silent.network.setReach(SERVER.ip, "reachable");
    await silent.clock.run(100);
    expect(silent.far.bytes.toString()).toBe("hello");

    const dead = connect();
    await dead.clock.run(100);
    dead.network.cutPower(SERVER.ip);
    dead.dialled.write(Buffer.from("hello"));
    await dead.clock.run(10_000);
    expect(dead.near.heard).toEqual(["connect"]);
    dead.network.setReach(SERVER.ip, "reachable");
    await dead.clock.run(100);
    expect(dead.near.heard).toEqual(["connect", "ECONNRESET read", "close"]);
  });

  it("carries packets in one direction only where the other is cut, and makes no connection then", async () => {
    for (const [how, heard] of [
      ["mute", "hello"],
      ["deaf", ""],
    ] as const) {
      const { clock, network, dialled, accepted, near, far } = connect();
      await clock.run(100);
      network.setReach(SERVER.ip, how);
      dialled.write(Buffer.from("hello"));
      accepted().write(Buffer.from("hi"));
      const late = new Ear();
      network.dialFrom("10.0.0.1")(SERVER, late);
      await clock.run(500);
      expect(far.bytes.toString()).toBe(heard);
      expect(near.bytes.toString()).toBe(how === "mute" ? "" : "hi");
      expect(late.heard).toEqual([]);
      network.setReach(SERVER.ip, "reachable");
      await clock.run(2_000);
      expect(far.bytes.toString()).toBe("hello");
      expect(near.bytes.toString()).toBe("hi");
      expect(late.heard).toEqual(["connect"]);
    }
  });

  it("knows who has left a socket open", async () => {
    const { clock, network, dialled } = connect();
    await clock.run(100);
    expect(network.openAt("10.0.0.1")).toHaveLength(1);
    dialled.destroy();
    await clock.run(100);
    expect(network.openAt("10.0.0.1")).toEqual([]);
  });
});
