/** Listening: both ways to accept serve alike, and a process without descriptors says so and goes on. */
import net from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startChild } from "../../test/support/child.ts";
import { rawClient } from "../../test/support/raw-client.ts";
import type { RawClient } from "../../test/support/raw-client.ts";
import { HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { ListeningPort, SocketListener, SocketPort } from "../kernel/socket.ts";
import { createListen, SOCKETS } from "./tcp-listen.ts";
import type { OpenListener } from "./tcp-listen.ts";

const open: ListeningPort[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const port of open.splice(0)) await port.close();
});

/** Answers each piece with itself in brackets, written into the rooms around it, and ends when the peer ends. */
function echo(socket: SocketPort): SocketListener {
  return {
    onConnect: () => undefined,
    onData(bytes, start, end) {
      expect(bytes.length).toBeGreaterThanOrEqual(end + TAIL_ROOM);
      expect(start).toBeGreaterThanOrEqual(HEAD_ROOM);
      bytes[start - 1] = 0x5b;
      bytes[end] = 0x5d;
      socket.write(bytes.subarray(start - 1, end + 1));
    },
    onDrain: () => undefined,
    onFin: () => socket.end(),
    onError: () => undefined,
    onClose: () => undefined,
    onFault: (error) => {
      throw error;
    },
  };
}

async function listen(onSocket: (socket: SocketPort) => SocketListener | null): Promise<ListeningPort> {
  const port = await createListen(() => undefined)({ host: "127.0.0.1", port: 0 }, onSocket);
  open.push(port);
  return port;
}

/** All that are made from now on, in order. */
function createdServers(): net.Server[] {
  const { createServer } = net;
  const servers: net.Server[] = [];
  vi.spyOn(net, "createServer").mockImplementation((...args: unknown[]) => {
    const server = Reflect.apply(createServer, net, args) as net.Server;
    servers.push(server);
    return server;
  });
  return servers;
}

/** A Node whose servers do not show their handle. */
function hideHandles(): void {
  const { createServer } = net;
  vi.spyOn(net, "createServer").mockImplementation((...args: unknown[]) => {
    const server = Reflect.apply(createServer, net, args) as net.Server;
    return new Proxy(server, {
      get(target, name) {
        if (name === "_handle") return undefined;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  });
}

describe.each([
  ["at the handle", (): void => undefined],
  ["by Node's own sockets", hideHandles],
])("accepting %s", (_how, prepare) => {
  it("serves: reads with rooms, writes, FIN both ways, addresses", async () => {
    prepare();
    const seen: unknown[] = [];
    const { port } = await listen((socket) => {
      const { remoteAddress, remotePort, localAddress, localPort } = socket;
      seen.push({ remoteAddress, remotePort, localAddress, localPort });
      return echo(socket);
    });
    const client = await rawClient(port);
    await client.send("one");
    await client.received.until("the echo", (text) => (text === "[one]" ? true : null));
    await client.send("x".repeat(300_000));
    await client.received.until("the long echo", (text) =>
      text.replaceAll(/[[\]]/g, "").length === 300_003 ? true : null,
    );
    client.halfClose();
    expect(await client.over).toBe("fin");
    const here = "127.0.0.1";
    expect(seen).toEqual([{ remoteAddress: here, remotePort: client.localPort, localAddress: here, localPort: port }]);
  });

  it("closes a connection that is refused, and accepts the next", async () => {
    prepare();
    let count = 0;
    const { port } = await listen((socket) => {
      count += 1;
      return count === 1 ? null : echo(socket);
    });
    const refused = await rawClient(port);
    expect(await refused.over).toMatch(/fin|ECONNRESET/);
    const welcome = await rawClient(port);
    await welcome.send("hi");
    await welcome.received.until("the echo", (text) => (text === "[hi]" ? true : null));
    welcome.close();
  });

  it("takes a client that has left again already", async () => {
    prepare();
    const { port } = await listen(echo);
    for (let count = 0; count < 20; count += 1) (await rawClient(port)).reset();
    const welcome = await rawClient(port);
    await welcome.send("hi");
    await welcome.received.until("the echo", (text) => (text === "[hi]" ? true : null));
    welcome.close();
  });
});

describe("closing", () => {
  it("stops accepting and lets connections go on", async () => {
    const port = await createListen(() => undefined)({ host: "127.0.0.1", port: 0 }, echo);
    const client = await rawClient(port.port);
    await client.send("a");
    await client.received.until("an echo", (text) => (text === "[a]" ? true : null));
    const closed = port.close();
    await expect(rawClient(port.port)).rejects.toThrow("ECONNREFUSED");
    await client.send("b");
    await client.received.until("another", (text) => (text === "[a][b]" ? true : null));
    client.halfClose();
    await closed;
    await port.close();
  });
});

it("a port of the system's choice is not let go again: whoever else shares ports could get it in between", async () => {
  const servers = createdServers();
  const { port } = await listen(echo);
  expect(servers.map((server) => server.address())).toEqual(
    Array.from({ length: SOCKETS }, () => ({ address: "127.0.0.1", family: "IPv4", port })),
  );
});

it("a bind that cannot be had is an error with its code and address", async () => {
  const { port } = await listen(echo);
  await expect(createListen(() => undefined)({ host: "127.0.0.1", port }, echo)).rejects.toMatchObject({
    code: "EADDRINUSE",
    port,
  });
});

describe("a failure to accept", () => {
  it("is told by its number, and ends neither the process nor the listening, whoever accepts", async () => {
    const servers = createdServers();
    const told: number[] = [];
    const port = await createListen((status) => told.push(status))({ host: "127.0.0.1", port: 0 }, echo);
    open.push(port);
    // As libuv tells the handle, and as Node tells of it where it accepts by itself.
    const { _handle: handle } = servers[0] as unknown as { _handle: { onconnection(status: number): void } };
    handle.onconnection(-105);
    servers[0]?.emit("error", Object.assign(new Error("accept"), { errno: -12 }));
    expect(told).toEqual([-105, -12]);
    const client = await rawClient(port.port);
    await client.send("hi");
    await client.received.until("the echo", (text) => (text === "[hi]" ? true : null));
    client.close();
  });
});

const CHILD = `
import fs from "node:fs";
import { createListen } from "${import.meta.dirname}/tcp-listen.ts";

const nothing = () => undefined;
const { port } = await createListen(nothing)({ host: "127.0.0.1", port: 0 }, (socket) => {
  socket.write(Buffer.from("welcome"));
  return { onConnect: nothing, onData: nothing, onDrain: nothing, onFin: () => socket.end(), onError: nothing, onClose: nothing, onFault: nothing };
});
const taken = [];
process.stdin.on("data", () => {
  if (taken.length > 0) for (const descriptor of taken.splice(0)) fs.closeSync(descriptor);
  else try { for (;;) taken.push(fs.openSync("/dev/null", "r")); } catch {}
  console.log(taken.length > 0 ? "full" : "free");
});
console.log("listening on", port);
`;

describe.runIf(process.platform === "linux")("a process without a descriptor left", () => {
  // libuv keeps one descriptor in reserve, accepts with it and closes, and says nothing of it to anybody.
  it("turns clients away and accepts again when there are some", async () => {
    const shell = ["-c", 'ulimit -n 64 && exec "$0" "$@"', process.execPath, "--input-type=module", "--eval", CHILD];
    const child = await startChild("sh", shell, { input: true });
    const clients: RawClient[] = [];
    const isWelcome = async (port: number): Promise<boolean> => {
      const client = await rawClient(port);
      clients.push(client);
      // Fails as soon as the connection ends, however it does.
      const welcome = client.received.until("a welcome", (text) => (text === "welcome" ? true : null));
      return welcome.catch(() => false);
    };
    try {
      const port = Number((await child.printed(/listening on (\d+)\n/))[1]);
      child.write("fill up\n");
      await child.printed(/full/);
      // One may come back after that: Node has a thread of its own read NODE_EXTRA_CA_CERTS, and that one is not
      // always done by now. Whoever gets it is welcome and keeps it.
      while (await isWelcome(port)) expect(clients.length).toBeLessThan(64);
      expect(clients.at(-1)?.received.text).toBe("");
      child.write("let go\n");
      await child.printed(/free/);
      expect(await isWelcome(port)).toBe(true);
    } finally {
      for (const client of clients) client.close();
      await child.stop();
    }
  });
});

describe("a listener that leaves", () => {
  /** Connections that the kernel has made and nobody has accepted: this process's event loop has not turned since. */
  async function waiting(port: number, count: number): Promise<{ readonly answers: Promise<string>[] }> {
    const sockets = Array.from({ length: count }, () => net.connect(port, "127.0.0.1"));
    const answers = sockets.map(
      (socket) =>
        new Promise<string>((resolve) => {
          let text = "";
          socket.setEncoding("utf8").on("data", (piece: string) => (text += piece));
          socket.on("error", (error: NodeJS.ErrnoException) => (text += error.code ?? "an error"));
          socket.on("close", () => resolve(text));
        }),
    );
    for (const socket of sockets) socket.end("one");
    // That is when Node calls connect().
    await new Promise<void>((resolve) => process.nextTick(() => process.nextTick(resolve)));
    return { answers };
  }

  it("accepts those who wait in its queues first, so that none of them is reset, and refuses whoever comes then", async () => {
    let accepted = 0;
    const port = await listen((socket) => {
      accepted += 1;
      return echo(socket);
    });
    const { answers } = await waiting(port.port, 20 * SOCKETS);
    expect(accepted).toBe(0);
    await port.leave?.();
    expect(accepted).toBe(20 * SOCKETS);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["[one]"]));
    const late = await waiting(port.port, 1);
    expect(await late.answers[0]).toBe("ECONNREFUSED");
  });

  it("does so also when another process has its sockets, which may know no listener for them", async () => {
    let accepted = 0;
    const kept: OpenListener[] = [];
    const keeper = { given: () => null, listens: (listener: OpenListener) => void kept.push(listener) };
    const port = await createListen(() => undefined, keeper)({ host: "127.0.0.1", port: 0 }, (socket) => {
      accepted += 1;
      return echo(socket);
    });
    expect(kept[0]?.handOn().length).toBeGreaterThan(0);
    const { answers } = await waiting(port.port, 2 * SOCKETS);
    await port.leave?.();
    expect(accepted).toBe(2 * SOCKETS);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["[one]"]));
  });

  it("is no other than one that closes where nobody waits, also twice", async () => {
    const port = await listen(echo);
    await port.leave?.();
    await port.leave?.();
    await port.close();
    const { answers } = await waiting(port.port, 1);
    expect(await answers[0]).toBe("ECONNREFUSED");
  });
});

describe("whether somebody listens at an address", () => {
  it("is found out without accepting anybody, so that a client who comes too early is refused and not reset", async () => {
    const { port } = await listen(echo);
    const servers = createdServers();
    await expect(createListen(() => undefined)({ host: "127.0.0.1", port }, () => null)).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    // None that was made for it has listened.
    expect(servers.filter(({ listening }) => listening)).toEqual([]);
    expect(servers).toEqual([]);
  });
});
