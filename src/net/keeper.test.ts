/** Small processes that take each other's place, of which each asks whoever keeps it for the next. */
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../test/support/until.ts";
import { childrenOf } from "../../test/support/worker-processes.ts";
import { bindSockets } from "./inherited-sockets.ts";
import { Keeper } from "./keeper.ts";
import type { Next } from "./keeper.ts";
import type { FromSuccessor } from "../contract/succession.ts";

/**
 * SIGUSR2: asks for the next one, and ends with 0 when that serves. SIGTERM: ends with 3. What it hears as a successor
 * it tells back. It answers connections with its number.
 */
const PLACE = `
  const net = require("node:net");
  const { sockets } = JSON.parse(process.env.GOODGATE_TESTAMENT);
  const said = { kind: "key", message: { kind: "key over" } };
  const tell = (id) => process.send({ ...said, message: { ...said.message, id } }, () => undefined);
  process.on("SIGTERM", () => process.exit(3));
  process.on("disconnect", () => process.exit(7));
  process.on("message", (message) => {
    if (message.kind === "from next" && message.message.kind === "ready") process.exit(0);
    else if (message.kind === "next ended") tell(message.because);
    else tell(message.kind);
  });
  const servers = sockets.map(({ descriptor, host, port, file }) => {
    const server = net.createServer((socket) => socket.end(String(process.pid)));
    server.listen({ fd: descriptor });
    return { server, socket: { host, port, file } };
  });
  process.on("SIGUSR2", () => {
    for (const { server, socket } of servers) {
      process.send({ kind: "next socket", socket }, server._handle, { keepOpen: true });
    }
    process.send({ kind: "next", sockets: servers.length, state: null, configuration: null });
  });
`;
const SERVES = `${PLACE} process.send({ kind: "ready", hearsOfEnd: true });`;

const keepers: Keeper[] = [];
/** What else this process may have started. */
const others = new Set(childrenOf(process.pid));
const started = (): number[] => childrenOf(process.pid).filter((pid) => !others.has(pid));

afterEach(async () => {
  for (const keeper of keepers.splice(0)) keeper.passToAll("SIGKILL");
  await until("all of them to end", () => (started().length === 0 ? true : null));
});

interface Place {
  readonly keeper: Keeper;
  readonly first: Next;
  /** What the first one said. */
  readonly told: string[];
}

type Sockets = Awaited<ReturnType<typeof bindSockets>>;

/** Resolves when the first one serves. */
async function keep(code: string, sockets: Sockets = []): Promise<Place> {
  const keeper = new Keeper(["-e", code]);
  keepers.push(keeper);
  const told: string[] = [];
  const heard = (message: FromSuccessor): void => {
    told.push(message.kind === "key" && message.message.kind === "key over" ? message.message.id : message.kind);
  };
  const first = keeper.start(
    {
      sockets: sockets.map((socket) => ({ ...socket.handOn(), host: "127.0.0.1", port: 1 })),
      state: null,
      configuration: null,
      stays: true,
    },
    { onMessage: heard, onEnd: (because) => told.push(because) },
  );
  await until("the first to serve", () => (told.includes("ready") ? true : null));
  return { keeper, first, told };
}

/** The only one that is there, when it is another than `before`. */
function nextAlone(before: number): Promise<number> {
  return until("the next one, alone", () => {
    const [pid = 0, ...more] = started();
    return more.length === 0 && pid !== 0 && pid !== before ? pid : null;
  });
}

function askedAt(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1");
    socket.on("data", (bytes) => (text += String(bytes)));
    socket.on("close", () => resolve(text));
    socket.on("error", (error: NodeJS.ErrnoException) => (text = error.code ?? ""));
  });
}

describe("a place that is kept", () => {
  it("changes hands ten times with one process at it, and the exit code of the last is the place's", async () => {
    const { keeper } = await keep(SERVES);
    let pid = await nextAlone(0);
    for (let times = 0; times < 10; times += 1) {
      keeper.pass("SIGUSR2");
      pid = await nextAlone(pid);
    }
    keeper.passToAll("SIGTERM");
    expect(await keeper.ended).toBe(3);
  });

  it("is given with its sockets, which end with whoever has them", async () => {
    const [socket] = await bindSockets({ host: "127.0.0.1", port: 0 }, 1);
    if (socket === undefined) throw new Error("no socket");
    const server = net.createServer().listen({ fd: socket.descriptor });
    await until("a port", () => (server.listening ? true : null));
    const { port } = server.address() as net.AddressInfo;
    const { keeper } = await keep(SERVES, [socket]);
    server.close();
    const first = await nextAlone(0);
    expect(await askedAt(port)).toBe(String(first));
    keeper.pass("SIGUSR2");
    const second = await nextAlone(first);
    expect(await askedAt(port)).toBe(String(second));
    keeper.passToAll("SIGTERM");
    await keeper.ended;
    expect(await askedAt(port)).toBe("ECONNREFUSED");
  });

  it("stays where it is when the next one ends before it serves, and its holder hears why", async () => {
    const { keeper, told } = await keep(`
      ${PLACE}
      if (process.env.GOODGATE_TEST_FAILS !== undefined) process.exit(5);
      process.send({ kind: "ready", hearsOfEnd: true });
    `);
    const first = await nextAlone(0);
    process.env["GOODGATE_TEST_FAILS"] = "yes";
    keeper.pass("SIGUSR2");
    await until("word of the end", () => (told.includes("ended with exit code 5") ? true : null));
    delete process.env["GOODGATE_TEST_FAILS"];
    expect(started()).toEqual([first]);
    keeper.pass("SIGUSR2");
    await nextAlone(first);
  });

  it("is over when who serves is killed, with the code that a shell would give", async () => {
    const { keeper } = await keep(SERVES);
    keeper.pass("SIGKILL");
    expect(await keeper.ended).toBe(137);
  });

  it("goes to the one that is being started when who serves crashes meanwhile, and that one hears it", async () => {
    // It serves when it is told that it is alone.
    const { keeper } = await keep(`
      ${PLACE}
      const ready = () => process.send({ kind: "ready", hearsOfEnd: true });
      if (process.env.GOODGATE_TEST_WAITS === undefined) ready();
      process.on("message", ({ kind }) => kind === "predecessor ended" && ready());
    `);
    const first = await nextAlone(0);
    process.env["GOODGATE_TEST_WAITS"] = "yes";
    keeper.pass("SIGUSR2");
    await until("two of them", () => (started().length === 2 ? true : null));
    delete process.env["GOODGATE_TEST_WAITS"];
    process.kill(first, "SIGKILL");
    await nextAlone(first);
    await until("the second to serve", () => {
      keeper.pass("SIGTERM");
      return started().length === 0 ? true : null;
    });
    expect(await keeper.ended).toBe(3);
  });

  it("tells an older program of its predecessor's end by the end of the channel", async () => {
    const { keeper } = await keep(`${PLACE} process.send({ kind: "ready" });`);
    keeper.pass("SIGUSR2");
    expect(await keeper.ended).toBe(7);
  });

  it("hands what the two say to each other from one to the other", async () => {
    const { first, told } = await keep(SERVES);
    await first.send({ kind: "control is free" });
    await until("an echo", () => (told.includes("control is free") ? true : null));
  });
});
