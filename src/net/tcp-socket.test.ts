/** The socket port on real sockets: what the operating system does, and what the gateway hears of it. */
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { ListeningPort, SocketPort } from "../kernel/socket.ts";
import { rawClient } from "../../test/support/raw-client.ts";
import { rawOrigin } from "../../test/support/raw-origin.ts";
import type { RawOrigin, Script } from "../../test/support/raw-origin.ts";
import { Told } from "../../test/support/told.ts";
import { until } from "../../test/support/until.ts";
import { readBuffer } from "./read-buffer.ts";
import { dialSocket } from "./tcp-socket.ts";
import { createListen } from "./tcp-listen.ts";

interface Accepted {
  readonly socket: SocketPort;
  readonly told: Told;
}

interface Listening {
  readonly port: number;
  readonly accepted: Accepted[];
  /** The connection with this number, from 1. */
  connection(number: number): Promise<Accepted>;
}

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const run of cleanUp.splice(0).toReversed()) await run();
});

async function listen(prepare: (told: Told, socket: SocketPort) => void = () => undefined): Promise<Listening> {
  const accepted: Accepted[] = [];
  const waiting = new Told();
  const port: ListeningPort = await createListen(() => undefined)({ host: "127.0.0.1", port: 0 }, (socket) => {
    const told = new Told();
    accepted.push({ socket, told });
    prepare(told, socket);
    waiting.onDrain();
    return told;
  });
  cleanUp.push(async () => {
    for (const { socket } of accepted) socket.destroy();
    await port.close();
  });
  return {
    port: port.port,
    accepted,
    async connection(number) {
      await waiting.until(() => accepted.length >= number);
      // The line above waited for it.
      return accepted[number - 1] as Accepted;
    },
  };
}

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  cleanUp.push(() => void socket.destroy());
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

async function origin(script: Script): Promise<RawOrigin> {
  const raw = await rawOrigin(script);
  cleanUp.push(() => raw.close());
  return raw;
}

function dial(port: number): Accepted {
  const told = new Told();
  const socket = dialSocket("127.0.0.1", port, 4, told);
  cleanUp.push(() => socket.destroy());
  return { socket, told };
}

/** Writes until the kernel takes no more, and returns how much was written. */
function fill(socket: SocketPort, piece: Buffer): number {
  let written = 0;
  while (!socket.writing) {
    socket.write(piece);
    written += piece.length;
  }
  return written;
}

describe("reading", () => {
  it("goes into one buffer for all sockets, with room on both sides that may be overwritten", async () => {
    const server = await listen((told) => {
      told.onBytes = (bytes, start, end) => {
        expect(bytes.buffer).toBe(readBuffer.buffer);
        bytes.fill(0, start - HEAD_ROOM, start);
        bytes.fill(0, end, end + TAIL_ROOM);
      };
    });
    const clients = [await connect(server.port), await connect(server.port)];
    for (const [index, client] of clients.entries()) {
      for (let round = 0; round < 3; round += 1) {
        client.write(`${index}${round}`);
        await (
          await server.connection(index + 1)
        ).told.until(() => (server.accepted[index]?.told.text.length ?? 0) === 2 * (round + 1));
      }
    }
    expect(server.accepted.map(({ told }) => told.text)).toEqual(["000102", "101112"]);
  });

  it("stops and goes on as it is told, and nothing is lost", async () => {
    const server = await listen((told, socket) => {
      told.onBytes = () => socket.pause();
    });
    const client = await connect(server.port);
    client.write("a");
    const { socket, told } = await server.connection(1);
    await told.until(() => told.text === "a");
    client.write("b");
    client.end();
    socket.resume();
    await told.until(() => told.text === "ab");
    expect(told.events).toEqual([]);
    socket.resume();
    await told.heard("fin");
  });
});

describe("a write that the kernel does not take whole", () => {
  it("of bytes just read: no read of any other socket can get between them", async () => {
    const server = await listen();
    const [source, slow, other] = [await connect(server.port), await connect(server.port), await connect(server.port)];
    const ports = [await server.connection(1), await server.connection(2), await server.connection(3)] as const;
    // Everybody has read once, so that the next read of each goes where the last one went.
    for (const [index, client] of [source, slow, other].entries()) {
      client.write("hello");
      await ports[index]?.told.until(() => ports[index]?.told.text === "hello");
    }
    slow.pause();
    const [from, to, third] = ports;
    let written = 0;
    from.told.onBytes = (bytes, start, end) => {
      written += end - start;
      if (!to.socket.write(bytes.subarray(start, end))) from.socket.pause();
    };
    const piece = Buffer.alloc(65_536, "A");
    while (!to.socket.writing) {
      const before = written;
      source.write(piece);
      await from.told.until(() => written > before);
    }
    other.write(Buffer.alloc(60_000, "S"));
    await third.told.until(() => third.told.text.length === 60_005);
    let received = 0;
    const foreign: number[] = [];
    const all = new Promise<void>((done) => {
      slow.on("data", (chunk: Buffer) => {
        received += chunk.length;
        for (const byte of chunk) if (byte !== 0x41) foreign.push(byte);
        if (received >= written) done();
      });
    });
    slow.resume();
    await all;
    expect(foreign).toEqual([]);
    await to.told.heard("drain");
  });

  it("tells how much waits, and less as the kernel takes a part of one write", async () => {
    const server = await listen();
    const client = await connect(server.port);
    client.pause();
    const { socket, told } = await server.connection(1);
    expect(socket.waitingBytes).toBe(0);
    const much = Buffer.alloc(64 * 1024 * 1024, "x");
    expect(socket.write(much)).toBe(false);
    const first = socket.waitingBytes;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(much.length);
    let received = 0;
    client.on("data", (chunk: Buffer) => {
      received += chunk.length;
      // It takes a part, and stops.
      if (received > 16 * 1024 * 1024 && received < 17 * 1024 * 1024) client.pause();
    });
    client.resume();
    await until("a part to be taken", () => (socket.waitingBytes < first ? true : null));
    expect(socket.writing).toBe(true);
    expect(socket.waitingBytes).toBeGreaterThan(0);
    await until("the client to stop", () => (client.isPaused() ? true : null));
    client.removeAllListeners("data");
    client.resume();
    await told.heard("drain");
    expect(socket.waitingBytes).toBe(0);
  });

  it("says so, keeps the order of what follows, and says when all has left, once", async () => {
    const server = await listen();
    const client = await connect(server.port);
    client.pause();
    const { socket, told } = await server.connection(1);
    const written = fill(socket, Buffer.alloc(100_000, "x"));
    expect(socket.write(Buffer.from("last"))).toBe(false);
    expect(socket.writing).toBe(true);
    let received = "";
    client.on("data", (chunk: Buffer) => (received += chunk.latin1Slice()));
    client.resume();
    await told.heard("drain");
    expect(socket.writing).toBe(false);
    socket.write(Buffer.from("!"));
    socket.end();
    await new Promise((resolve) => client.once("end", resolve));
    expect(received.length).toBe(written + 5);
    expect(received.endsWith("xlast!")).toBe(true);
    expect(told.events.filter((event) => event === "drain")).toHaveLength(1);
  });

  it("and is followed by more, and by the end of the stream, still arrives whole", async () => {
    const server = await listen();
    const client = await connect(server.port);
    client.pause();
    const { socket, told } = await server.connection(1);
    const first = fill(socket, Buffer.alloc(100_000, "x"));
    // Far more than the kernel holds: it is still on its way when the rest is written.
    const large = 30_000_000;
    socket.write(Buffer.alloc(large, "y"));
    let received = 0;
    const [second, all] = [new Told(), new Told()];
    client.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > first) second.onDrain();
    });
    client.once("end", () => all.onDrain());
    client.resume();
    await second.heard("drain");
    socket.write(Buffer.alloc(large, "z"));
    socket.end();
    await told.heard("drain");
    expect(received).toBeGreaterThan(first + large);
    await all.heard("drain");
    expect(received).toBe(first + large + large);
    expect(told.events).toEqual(["drain"]);
  });
});

describe("how a peer leaves", () => {
  it("FIN is heard as such, and writing still works", async () => {
    const server = await listen();
    const client = await connect(server.port);
    client.end("bye");
    const { socket, told } = await server.connection(1);
    await told.heard("fin");
    expect(told.text).toBe("bye");
    let received = "";
    client.on("data", (chunk: Buffer) => (received += chunk.latin1Slice()));
    socket.write(Buffer.from("answer"));
    socket.end();
    await told.heard("close");
    await new Promise((resolve) => (client.readableEnded ? resolve(null) : client.once("end", resolve)));
    expect(received).toBe("answer");
    expect(told.events).toEqual(["fin", "close"]);
  });

  it("RST is heard as an error while reading, then the close, once each", async () => {
    const server = await listen();
    const client = await rawClient(server.port);
    const { told } = await server.connection(1);
    client.reset();
    await told.heard("close");
    expect(told.events).toEqual(["error ECONNRESET read", "close"]);
  });
});

describe("how this side leaves", () => {
  it("by FIN, by RST, or without ceremony: the peer sees which, and the close comes once", async () => {
    const server = await listen();
    const ends: string[] = [];
    for (const leave of ["end", "reset", "destroy"] as const) {
      const client = await rawClient(server.port);
      const { socket, told } = await server.connection(ends.length + 1);
      socket[leave]();
      socket[leave]();
      ends.push(await client.over);
      client.close();
      await told.heard("close");
      expect(told.events.filter((event) => event === "close")).toHaveLength(1);
      // What comes too late is not an error.
      socket.write(Buffer.from("late"));
      socket.end();
      socket.reset();
      socket.resume();
    }
    expect(ends).toEqual(["fin", "ECONNRESET", "fin"]);
  });

  it("by RST also behind an end that waits for bytes to leave: a part of them does not look like all", async () => {
    const server = await listen();
    const client = await connect(server.port);
    client.pause();
    const { socket, told } = await server.connection(1);
    fill(socket, Buffer.alloc(100_000, "x"));
    socket.end();
    socket.reset();
    await told.heard("close");
    const error = new Promise<NodeJS.ErrnoException>((resolve) => client.once("error", resolve));
    client.resume();
    expect((await error).code).toBe("ECONNRESET");
    expect(told.events).toEqual(["close"]);
  });

  it("by RST on the heels of an end: it is closed, whichever of them the peer sees", async () => {
    const server = await listen();
    const client = await rawClient(server.port);
    const { socket, told } = await server.connection(1);
    socket.end();
    socket.reset();
    await told.heard("close");
    expect(await client.over).toMatch(/fin|ECONNRESET/);
    expect(told.events).toEqual(["close"]);
  });
});

describe("dialling", () => {
  it("tells that it is connected before anything else, and where to", async () => {
    const raw = await origin(async (connection) => connection.send("hello"));
    const { socket, told } = dial(raw.port);
    await told.until(() => told.text === "hello");
    expect(told.events[0]).toBe("connect");
    expect([socket.remoteAddress, socket.remotePort]).toEqual(["127.0.0.1", raw.port]);
    expect(socket.localPort).toBeGreaterThan(0);
  });

  it("that is refused tells the system's word for it", async () => {
    const raw = await rawOrigin(() => undefined);
    await raw.close();
    const { told } = dial(raw.port);
    await told.heard("close");
    expect(told.events).toEqual(["error ECONNREFUSED connect", "close"]);
  });

  it("that is given up before it is connected sends nobody anything, also when it is reset", async () => {
    const raw = await origin(() => undefined);
    for (const leave of ["destroy", "reset"] as const) {
      const { socket, told } = dial(raw.port);
      socket[leave]();
      await told.heard("close");
      expect(told.events).toEqual(["close"]);
    }
  });
});

describe("a write that fails while an answer waits", () => {
  it("still delivers the answer: an origin that says 413 and resets is heard to the end", async () => {
    const answer = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n";
    const raw = await origin(async (connection) => {
      await connection.take(1);
      connection.stall();
      await connection.send(answer);
      connection.reset();
    });
    const { socket, told } = dial(raw.port);
    await told.heard("connect");
    // Not read yet: the answer lies in the receive queue when the writes begin to fail.
    socket.pause();
    socket.write(Buffer.from("x"));
    const connection = await raw.connection(1);
    await connection.over;
    const piece = Buffer.alloc(65_536, "y");
    for (let written = 0; written < 64; written += 1) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    await told.heard("close");
    expect(told.text).toBe(answer);
    expect(told.events.filter((event) => event === "close")).toHaveLength(1);
  });

  it.each([
    ["own bytes", (): Buffer => Buffer.alloc(1000)],
    ["bytes just read", (): Buffer => readBuffer.subarray(HEAD_ROOM, HEAD_ROOM + 1000)],
  ])("by an RST, of %s, is not taken for a FIN: a body without framing would look whole", async (_what, bytes) => {
    const raw = await origin(async (connection) => {
      await connection.take(1);
      await connection.send("half of a body");
      connection.reset();
    });
    const { socket, told } = dial(raw.port);
    await told.heard("connect");
    // Not read yet: the write hears of the RST first.
    socket.pause();
    socket.write(Buffer.from("x"));
    await (
      await raw.connection(1)
    ).over;
    for (let written = 0; written < 5; written += 1) {
      socket.write(bytes());
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    await told.heard("close");
    expect(told.events).toContain("error ECONNRESET read");
    expect(told.events).not.toContain("fin");
  });

  it("ends with the peer's FIN: nothing can be sent any more", async () => {
    const raw = await origin(async (connection) => {
      await connection.take(1);
      connection.close();
    });
    const { socket, told } = dial(raw.port);
    await told.heard("connect");
    socket.write(Buffer.from("x"));
    await told.heard("fin");
    // The first write after a full close is answered by RST, and the next one fails.
    for (let written = 0; written < 50 && !told.events.includes("close"); written += 1) {
      socket.write(Buffer.alloc(1000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await told.heard("close");
    expect(told.events[0]).toBe("connect");
  });
});

describe("a defect in who listens", () => {
  it.each(["onBytes", "onFin"] as const)("in %s costs its own connection and is told to it", async (where) => {
    const server = await listen((told) => {
      if (where === "onBytes") {
        told.onBytes = () => {
          throw new Error("a defect");
        };
      } else {
        told.onFin = () => {
          throw new Error("a defect");
        };
      }
    });
    const broken = await connect(server.port);
    broken.end("x");
    const { told } = await server.connection(1);
    await told.heard("fault Error: a defect");
  });
});
