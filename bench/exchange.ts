/**
 * What the gateway itself costs: CPU and garbage of one exchange between sockets that cost nothing, with its records,
 * its access log and its defaults. `node bench/exchange.ts [DIRECTORY …]`; half a minute for each tree.
 *
 * With directories it compares this tree with other checkouts, in turns of some milliseconds in processes of their own,
 * so that a busy machine disturbs all alike. The lowest turn and the lowest tenth are shown: what others do on the
 * machine only ever adds. `npm run bench` has the whole, of which this is about a sixth; the rest is the kernel's and Node's.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type * as Load from "../src/config/load.ts";
import type * as Gateway from "../src/gateway/gateway.ts";
import { HEAD_ROOM, PLAIN, TAIL_ROOM } from "../src/kernel/socket.ts";
import type { Carrier, Dial, Listen, SocketListener, SocketPort } from "../src/kernel/socket.ts";
import type { Resolution, Resolver } from "../src/kernel/resolver.ts";
import type * as ChanceModule from "../src/net/chance.ts";
import type * as ClockModule from "../src/net/clock.ts";
import type * as Log from "../src/store/access-log.ts";

const CLIENTS = 32;
const WARM_TURNS = 8;
const WARM_EXCHANGES = 12_000;
const TURNS = 100;
const EXCHANGES = 1_600;
/** So few that no collection falls between. */
const GARBAGE_EXCHANGES = 64;

const KINDS = {
  "GET 500 B": {
    request: message("GET /500 HTTP/1.1", "Host: 127.0.0.1:8080", "", ""),
    response: message(
      "HTTP/1.1 200 OK",
      "Server: nginx/1.22.1",
      "Date: Sat, 21 Nov 2026 20:20:20 GMT",
      "Content-Type: text/plain",
      "Content-Length: 500",
      "Last-Modified: Sat, 21 Nov 2026 18:54:20 GMT",
      "Connection: keep-alive",
      'ETag: "6921-1f4"',
      "Accept-Ranges: bytes",
      "",
      "y".repeat(500),
    ),
  },
  "POST 1 KiB": {
    request: message(
      "POST /post HTTP/1.1",
      "Host: 127.0.0.1:8080",
      "Content-Type: application/octet-stream",
      "Content-Length: 1024",
      "",
      "x".repeat(1024),
    ),
    response: message("HTTP/1.1 200 OK", "Server: nginx/1.22.1", "Content-Length: 5", "", "taken"),
  },
} as const;

type Kind = keyof typeof KINDS;
const kindNames = Object.keys(KINDS) as Kind[];

interface Turn {
  readonly us: number;
  readonly bytes: number;
}

// ---------------------------------------------------------------- all trees

async function compare(trees: readonly string[]): Promise<void> {
  const children = trees.map((tree) => fork(import.meta.filename, ["--child", tree]));
  for (const child of children) {
    child.once("exit", (code) => {
      if (code !== null) throw new Error(`a tree ended with ${code}`);
    });
  }
  const measured = new Map(trees.flatMap((tree) => kindNames.map((kind) => [`${kind} ${tree}`, [] as Turn[]])));
  for (const child of children) await reply(child);
  for (let turn = 0; turn < WARM_TURNS + TURNS; turn += 1) {
    for (const kind of kindNames) {
      for (const [index, child] of children.entries()) {
        child.send({ kind, exchanges: turn < WARM_TURNS ? WARM_EXCHANGES : EXCHANGES });
        const result = (await reply(child)) as Turn | null;
        if (turn >= WARM_TURNS && result !== null) measured.get(`${kind} ${trees[index] ?? ""}`)?.push(result);
      }
    }
  }
  for (const child of children) child.kill();
  console.log("CPU µs for each exchange (lowest, lowest tenth), bytes allocated");
  for (const [name, turns] of measured) {
    const us = turns.map((turn) => turn.us).toSorted((a, b) => a - b);
    const bytes = turns.map((turn) => turn.bytes).toSorted((a, b) => a - b);
    const figures = [us[0] ?? 0, us[Math.floor(us.length / 10)] ?? 0].map((value) => value.toFixed(2));
    console.log(`${figures.join("  ")}  ${Math.round(bytes[bytes.length >> 1] ?? 0)}  ${name}`);
  }
}

function reply(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    child.once("message", resolve);
  });
}

// ---------------------------------------------------------------- one tree

async function serveTurns(tree: string): Promise<void> {
  const world = await start(tree);
  process.on("message", ({ kind, exchanges }: { kind: Kind; exchanges: number }) => {
    const before = process.memoryUsage().heapUsed;
    const few = world.run(kind, GARBAGE_EXCHANGES);
    const bytes = (process.memoryUsage().heapUsed - before) / few;
    const since = process.cpuUsage();
    const many = world.run(kind, exchanges);
    const { user, system } = process.cpuUsage(since);
    // One that was cut short tells of something else.
    process.send?.(few > 0 && many >= exchanges ? { us: (user + system) / many, bytes } : null);
  });
  process.send?.("ready");
}

class FreeSocket implements SocketPort {
  listener: SocketListener;
  readonly carrier: Carrier = PLAIN;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 5;
  readonly localAddress = "";
  readonly localPort = 0;
  readonly writing = false;
  readonly waitingBytes = 0;
  /** Something has been written to it since it was given a message; a whole one, because each fits one write. */
  isWritten: boolean;
  isClosed = false;

  constructor(listener: SocketListener, isWritten: boolean) {
    this.listener = listener;
    this.isWritten = isWritten;
  }

  write(): boolean {
    this.isWritten = true;
    return true;
  }
  pause(): void {}
  resume(): void {}
  probePeer(): void {}
  end(): void {}
  reset(): void {
    this.destroy();
  }
  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    setImmediate(() => this.listener.onClose());
  }
}

/** `run` returns how many it could give. */
async function start(tree: string): Promise<{ run(kind: Kind, exchanges: number): number }> {
  const load = <M>(file: string): Promise<M> => import(pathToFileURL(path.join(tree, "src", file)).href) as Promise<M>;
  const { createGateway } = await load<typeof Gateway>("gateway/gateway.ts");
  const { loadSettings } = await load<typeof Load>("config/load.ts");
  const { openAccessLog } = await load<typeof Log>("store/access-log.ts");
  const { systemClock, systemSchedule } = await load<typeof ClockModule>("net/clock.ts");
  const { createIdSource, systemChance } = await load<typeof ChanceModule>("net/chance.ts");
  const loaded = loadSettings(
    JSON.stringify({
      listeners: [{ bind: "127.0.0.1:8080" }],
      admin: false,
      services: { bench: { pools: [{ name: "only", origins: ["http://10.0.0.1", "http://10.0.0.2"] }] } },
    }),
    "bench",
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const opened = await openAccessLog({
    path: "/dev/null",
    bufferBytes: 16 * 1024 * 1024,
    schedule: systemSchedule,
    onEvent: () => undefined,
  });
  if (!opened.ok) throw new Error(opened.code);

  let accept: (socket: SocketPort) => SocketListener | null = () => null;
  const origins: FreeSocket[] = [];
  const dialled: FreeSocket[] = [];
  const dial: Dial = (_address, listener) => {
    const socket = new FreeSocket(listener, false);
    dialled.push(socket);
    origins.push(socket);
    return socket;
  };
  const listen: Listen = (bind, onSocket) => {
    accept = onSocket;
    return Promise.resolve({ address: bind.host, port: bind.port, close: () => Promise.resolve() });
  };
  const gateway = createGateway(loaded.settings, {
    clock: steady(systemClock),
    chance: systemChance,
    newId: createIdSource(),
    dial,
    listen,
    resolver: literals(),
    ledger: null,
    cacheShelf: null,
    every(ms, run) {
      const timer = setInterval(run, ms);
      return () => clearInterval(timer);
    },
    processView: () => {
      throw new Error("nobody asks");
    },
    ownUse: () => ({ memoryBytes: 0, memoryMax: 0, descriptorsOpen: 0, descriptorsMax: 0 }),
    log: (record) => opened.log.append(record),
    accessLogDropped: () => 0,
    version: "0.0.0",
    onFault(error) {
      throw error;
    },
  });
  await gateway.start();
  const clients = Array.from({ length: CLIENTS }, () => {
    const socket = new FreeSocket(NOBODY, true);
    socket.listener = accept(socket) ?? NOBODY;
    return socket;
  });
  const shared = Buffer.alloc(HEAD_ROOM + 64 * 1024 + TAIL_ROOM);

  function give(socket: FreeSocket, bytes: Buffer): void {
    socket.isWritten = false;
    bytes.copy(shared, HEAD_ROOM);
    socket.listener.onData(shared, HEAD_ROOM, HEAD_ROOM + bytes.length);
  }

  return {
    run(kind, exchanges) {
      const { request, response } = KINDS[kind];
      let given = 0;
      let before = -1;
      while (given < exchanges && given > before) {
        before = given;
        for (const client of clients) {
          if (!client.isWritten) continue;
          given += 1;
          give(client, request);
        }
        for (const socket of dialled.splice(0)) socket.listener.onConnect();
        for (const origin of origins) if (origin.isWritten && !origin.isClosed) give(origin, response);
      }
      return given;
    },
  };
}

/**
 * Reads the clock, which is a part of what an exchange costs, and tells a time that goes evenly: on a machine that stands
 * still now and then answers would be late, and what is learned from lateness would hold exchanges back.
 */
function steady(clock: typeof ClockModule.systemClock): typeof ClockModule.systemClock {
  let now = clock.monotonic();
  return {
    ...clock,
    monotonic() {
      clock.monotonic();
      now += CLOCK_STEP_MS;
      return now;
    },
  };
}

const CLOCK_STEP_MS = 0.001;

const NOBODY: SocketListener = {
  onConnect() {},
  onData() {},
  onDrain() {},
  onFin() {},
  onError() {},
  onClose() {},
  onFault() {},
};

/** Names that are addresses. */
function literals(): Resolver {
  const peek = (name: string): Resolution => ({
    name,
    addresses: [{ ip: name, port: 0, family: 4 }],
    failure: null,
    learnedAt: 0,
  });
  return {
    peek,
    resolve: (name, done) => done(peek(name)),
    watch(name, onChange) {
      queueMicrotask(() => onChange(peek(name)));
      return () => undefined;
    },
    close: () => undefined,
  };
}

function message(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.join("\r\n"), "latin1");
}

if (process.argv[2] === "--child") await serveTurns(process.argv[3] ?? ".");
else await compare([path.resolve(import.meta.dirname, ".."), ...process.argv.slice(2).map((dir) => path.resolve(dir))]);
