/**
 * Keyed payments through a real gateway that is killed again and again, in front of origins that reset, cut, hang and
 * crash, and know nothing of keys. Clients repeat what they do not know with the same key. The origins' own count of
 * what they carried out is the judge: never twice, and whoever was told "paid" was told the truth, for good.
 *
 * The kills come at moments that the origin chooses, because it sees the boundaries that matter: a request has arrived
 * and nothing is done, it is done and not answered, it is answered and nothing of that can have been stored yet.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "./child.ts";
import type { Child } from "./child.ts";
import { freePort } from "./free-port.ts";

export interface PaymentsOptions {
  readonly payments: number;
  readonly seed: number;
  /** Clients at once. */
  readonly clients: number;
  /** Of the requests that reach an origin, the share that kills the gateway. */
  readonly killRatio: number;
}

export interface PaymentsReport {
  readonly payments: number;
  readonly paid: number;
  /** Their clients were told that nobody knows. */
  readonly uncertain: number;
  readonly uncertainExecuted: number;
  readonly executedTwice: readonly string[];
  /** Told "paid" and not carried out, or told so and not told again. */
  readonly wrong: readonly string[];
  readonly undecided: readonly string[];
  readonly kills: Readonly<Record<KillMoment, number>>;
  readonly requests: number;
  readonly replayed: number;
  readonly seconds: number;
}

type KillMoment = "arrived" | "carried out" | "answered" | "anywhere";
const MOMENTS: readonly KillMoment[] = ["arrived", "carried out", "answered", "anywhere"];

type Fate = "paid" | "uncertain" | "undecided";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FIRST_BYTE_MS = 600;
/** How often one client asks before it gives up. While nobody listens it has not asked: a start may take any time. */
const TRIES_MAX = 200;

export async function runKeyedPayments(options: PaymentsOptions): Promise<PaymentsReport> {
  const began = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "goodgate-payments-"));
  const executions = new Map<string, number>();
  const kills: Record<KillMoment, number> = { arrived: 0, "carried out": 0, answered: 0, anywhere: 0 };
  let requests = 0;
  let replayed = 0;
  let calm = false;
  const roll = chanceFrom(options.seed);
  const gateway = await KilledGateway.start(folder, async () => [await startOrigin(serve), await startOrigin(serve)]);

  /** One request at an origin: what it does, what it says, and whether the gateway survives that. */
  function serve(key: string, response: http.ServerResponse, socket: Socket): void {
    const moment = !calm && roll() < options.killRatio ? (MOMENTS[Math.floor(roll() * MOMENTS.length)] ?? null) : null;
    const fault = calm ? 1 : roll();
    const kill = (): void => {
      if (moment === null) return;
      kills[moment] += 1;
      gateway.kill();
    };
    if (moment === "arrived") kill();
    if (moment === "anywhere") setTimeout(kill, roll() * 30);
    if (fault < 0.04) {
      socket.resetAndDestroy();
      return;
    }
    executions.set(key, (executions.get(key) ?? 0) + 1);
    if (moment === "carried out") kill();
    if (fault < 0.08) {
      socket.resetAndDestroy();
      return;
    }
    if (fault < 0.1) {
      response.writeHead(201, { "content-length": key.length + 10 });
      response.write(key, () => socket.resetAndDestroy());
      return;
    }
    const answer = (): void => {
      response.writeHead(201, { "content-length": key.length });
      response.end(key, () => {
        if (moment === "answered") kill();
      });
    };
    if (fault < 0.12) setTimeout(answer, FIRST_BYTE_MS * 1.5);
    else setTimeout(answer, roll() * 8);
  }

  async function pay(key: string): Promise<Fate> {
    for (let tries = 0; tries < TRIES_MAX;) {
      requests += 1;
      const impatient = !calm && roll() < 0.05;
      const answer = await post(gateway.port, key, impatient ? roll() * 40 : 20_000);
      if (answer !== "nobody") tries += 1;
      if (answer === "nobody" || answer === null) {
        await pause(20 + roll() * 60);
        continue;
      }
      if (answer.replayed) replayed += 1;
      if (answer.status === 201) {
        if (answer.body !== key) throw new Error(`${key} was answered with ${answer.body}`);
        return "paid";
      }
      if (answer.status === 409 && answer.body.includes("may have been carried out")) return "uncertain";
      await pause(5 + roll() * 30);
    }
    return "undecided";
  }

  async function payAll(keys: readonly string[]): Promise<Map<string, Fate>> {
    const fates = new Map<string, Fate>();
    const left = [...keys];
    const work = async (): Promise<void> => {
      for (let key = left.shift(); key !== undefined; key = left.shift()) fates.set(key, await pay(key));
    };
    await Promise.all(Array.from({ length: options.clients }, work));
    return fates;
  }

  try {
    const keys = Array.from({ length: options.payments }, (_, number) => `payment-${options.seed}-${number}`);
    const fates = await payAll(keys);
    calm = true;
    const paid = keys.filter((key) => fates.get(key) === "paid");
    const again = await payAll(paid);
    const uncertain = keys.filter((key) => fates.get(key) === "uncertain");
    return {
      payments: keys.length,
      paid: paid.length,
      uncertain: uncertain.length,
      uncertainExecuted: uncertain.filter((key) => executions.has(key)).length,
      executedTwice: keys.filter((key) => (executions.get(key) ?? 0) > 1),
      wrong: paid.filter((key) => executions.get(key) !== 1 || again.get(key) !== "paid"),
      undecided: keys.filter((key) => fates.get(key) === "undecided"),
      kills,
      requests,
      replayed,
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A gateway that is started again on the same address and the same disk whenever it was killed. */
class KilledGateway {
  readonly port: number;
  readonly #config: string;
  readonly #folder: string;
  readonly #origins: readonly http.Server[];
  #child: Child | null = null;
  #stopping = false;

  private constructor(port: number, config: string, folder: string, origins: readonly http.Server[]) {
    this.port = port;
    this.#config = config;
    this.#folder = folder;
    this.#origins = origins;
  }

  static async start(folder: string, startOrigins: () => Promise<http.Server[]>): Promise<KilledGateway> {
    const origins = await startOrigins();
    const port = await freePort();
    const config = join(folder, "goodgate.yaml");
    const urls = origins.map((origin) => `http://127.0.0.1:${(origin.address() as AddressInfo).port}`);
    await writeFile(
      config,
      JSON.stringify({
        listeners: [{ bind: `127.0.0.1:${port}` }],
        admin: false,
        state: join(folder, "state"),
        // What one client of a test does would be a flood anywhere else.
        trusted: ["127.0.0.0/8"],
        idempotency: { late: "5s" },
        services: {
          shop: {
            health: false,
            ejection: false,
            pools: [{ origins: urls }],
            routes: [{ name: "pay", idempotencyKey: "required", timeouts: { firstByte: `${FIRST_BYTE_MS}ms` } }],
          },
        },
      }),
    );
    const gateway = new KilledGateway(port, config, folder, origins);
    await gateway.#run();
    return gateway;
  }

  kill(): void {
    this.#child?.signal("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#child?.stop();
    for (const origin of this.#origins) {
      origin.closeAllConnections();
      origin.close();
    }
  }

  async #run(): Promise<void> {
    const child = await startChild(process.execPath, [join(ROOT, "bin/goodgate.js"), "run", "-c", this.#config], {
      cwd: this.#folder,
    });
    this.#child = child;
    void child.ending.then(({ code }) => {
      if (this.#stopping) return;
      if (code !== null) throw new Error(`the gateway ended by itself (${code}):\n${child.stderr()}`);
      return this.#run();
    });
  }
}

function startOrigin(
  serve: (key: string, response: http.ServerResponse, socket: Socket) => void,
): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => serve(body, response, request.socket));
    // A connection that the killed gateway left behind.
    request.on("error", () => undefined);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly replayed: boolean;
}

/** Null: no answer came, or none that was whole. */
function post(port: number, key: string, withinMs: number): Promise<Answer | "nobody" | null> {
  return new Promise((resolve) => {
    const headers = { "idempotency-key": `"${key}"`, "content-length": key.length };
    const request = http.request({ port, host: "127.0.0.1", method: "POST", path: "/pay", headers, agent: false });
    const timer = setTimeout(() => request.destroy(), withinMs);
    const done = (answer: Answer | "nobody" | null): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    request.on("error", (error: NodeJS.ErrnoException) => done(error.code === "ECONNREFUSED" ? "nobody" : null));
    request.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("error", () => done(null));
      response.on("close", () => done(null));
      response.on("end", () => {
        const replayed = response.headers["idempotency-replayed"] === "true";
        done(response.complete ? { status: response.statusCode ?? 0, body, replayed } : null);
      });
    });
    request.on("close", () => done(null));
    request.end(key);
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Mulberry32: the same in every run, as far as two processes and a network allow. */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
