/**
 * Downloads that break, through a gateway as it is started and with its defaults: each client gets the one right body.
 * `GOODGATE_BODY_MIB=4096 npx vitest run test/e2e/resume.test.ts` does the large one with 4 GiB.
 */
import { once } from "node:events";
import { utimesSync, writeFileSync } from "node:fs";
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { installed, startNginx, type Peer } from "../support/peers.ts";

const MIB = 1024 * 1024;
const LARGE_BYTES = Number(process.env["GOODGATE_BODY_MIB"] ?? 256) * MIB;
const LARGE_BREAKS = 20;
/** Far below the body, and above what garbage waiting for its collection amounts to. */
const GROWTH_MAX_BYTES = 40 * MIB;
const DOWNLOADS = 1000;
const AT_ONCE = 8;

/** Chance that is the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A prime, so that no usual block size falls into step with it. */
const PERIOD = 1_048_573;
const roll = seeded(20);
const ONCE = Buffer.from(Uint32Array.from({ length: MIB / 4 }, () => roll() * 2 ** 32).buffer, 0, PERIOD);
/** Twice, so that a whole period from any place on lies in one piece. */
const PATTERN = Buffer.concat([ONCE, ONCE]);

/** Bytes `[from, to)` of a file of any length, all of which begin elsewhere in the pattern. */
function* bytesOf(file: number, from: number, to: number): Generator<Buffer> {
  for (let at = from; at < to;) {
    const place = (at + file * 7919) % PERIOD;
    const piece = PATTERN.subarray(place, place + Math.min(to - at, PERIOD));
    yield piece;
    at += piece.length;
  }
}

interface Asked {
  readonly file: number;
  readonly from: number;
  readonly total: number;
  readonly isRange: boolean;
}

/** After how many bytes an answer breaks, and how; null: it does not. */
type Breaks = (asked: Asked) => { readonly after: number; readonly how: "fin" | "rst" | "stall" } | null;

interface FileServer {
  readonly url: string;
  readonly requests: { readonly url: string; readonly range: string }[];
  breaks: Breaks;
  /** A part of its tags. */
  version: string;
  close(): void;
}

/** Serves `/FILE?bytes=N` and ranges of it, with a strong tag of its name, and breaks where it is told to. */
async function fileServer(): Promise<FileServer> {
  const server: Server = createServer((request, response) => void serve(request, response).catch(() => undefined));
  const self: FileServer = {
    url: "",
    requests: [],
    breaks: () => null,
    version: "",
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://origin");
    const file = Number(url.pathname.slice(1));
    const total = Number(url.searchParams.get("bytes"));
    const { range = "" } = request.headers;
    self.requests.push({ url: url.pathname, range });
    const match = /^bytes=(\d+)-(\d+)$/.exec(range);
    const tag = `"file-${file}${self.version}"`;
    const isRange = match !== null && request.headers["if-range"] === tag;
    const from = isRange ? Number(match[1]) : 0;
    const to = isRange ? Number(match[2]) + 1 : total;
    response.writeHead(isRange ? 206 : 200, {
      ETag: tag,
      "Content-Length": to - from,
      ...(isRange ? { "Content-Range": `bytes ${from}-${to - 1}/${total}` } : {}),
    });
    const breaks = self.breaks({ file, from, total, isRange });
    response.flushHeaders();
    for (const piece of bytesOf(file, from, breaks === null ? to : Math.min(to, from + breaks.after))) {
      if (!response.write(piece)) await once(response, "drain");
    }
    const { socket } = response;
    if (breaks === null) response.end();
    // What is written has left before the connection breaks; RST may still take some of it back.
    else if (breaks.how === "fin") socket?.end();
    else if (breaks.how === "rst") response.write("", () => socket?.resetAndDestroy());
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(self, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** How many bytes of the right body came until the end; -1: a wrong one came. */
async function download(url: string, file: number, agent: Agent | false = false): Promise<number> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent }, resolve).once("error", reject);
  });
  let right = 0;
  try {
    for await (const chunk of answer) {
      if (!isRight(chunk as Buffer, file, right)) return -1;
      right += (chunk as Buffer).length;
    }
  } catch {
    // Cut: what came before counts.
  }
  return right;
}

function isRight(bytes: Buffer, file: number, from: number): boolean {
  let at = 0;
  for (const piece of bytesOf(file, from, from + bytes.length)) {
    if (bytes.compare(piece, 0, piece.length, at, at + piece.length) !== 0) return false;
    at += piece.length;
  }
  return true;
}

let servers: FileServer[];
let gateway: GatewayProcess;

beforeAll(async () => {
  servers = [await fileServer(), await fileServer(), await fileServer()];
  const [a1, a2, b1] = servers.map(({ url }) => url);
  gateway = await startGateway({
    services: { files: { pools: [{ origins: [a1, a2] }, { origins: [b1] }] } },
  });
});
afterAll(async () => {
  await gateway?.stop();
  for (const server of servers ?? []) server.close();
});

function breakAll(breaks: Breaks): void {
  for (const server of servers) server.breaks = breaks;
}

describe("downloads through a gateway with its defaults, three origins in two pools", () => {
  it(`of 1 MiB, ${DOWNLOADS} of them cut at random offsets and some of the rests again, all arrive complete`, async () => {
    const chance = seeded(7);
    breakAll(({ from, total, isRange }) => {
      // Whole ones always break; rests do three times in ten.
      if (isRange && chance() < 0.7) return null;
      return { after: Math.floor(chance() * (total - from)), how: chance() < 0.5 ? "fin" : "rst" };
    });
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const got = new Map<number, number>();
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let file = (next += 1); file <= DOWNLOADS; file = next += 1)
          got.set(file, await download(`${gateway.url}/${file}?bytes=${MIB}`, file, agent));
      }),
    );
    agent.destroy();
    const wrong = [...got].filter(([, bytes]) => bytes !== MIB);
    expect(wrong).toEqual([]);
    expect(got.size).toBe(DOWNLOADS);
    // Each was cut once at least.
    const ranges = servers.flatMap(({ requests }) => requests.filter(({ range }) => range !== ""));
    expect(ranges.length).toBeGreaterThanOrEqual(DOWNLOADS);
  });

  it(`of ${LARGE_BYTES / MIB} MiB, broken ${LARGE_BREAKS} times, arrives complete with flat memory, and no byte is sent twice`, async () => {
    const step = Math.ceil(LARGE_BYTES / (LARGE_BREAKS + 1));
    breakAll(({ from, total }) => (total - from > step ? { after: step, how: "fin" } : null));
    for (const { requests } of servers) requests.length = 0;
    const before = gateway.child.peakResidentBytes();
    expect(await download(`${gateway.url}/0?bytes=${LARGE_BYTES}`, 0)).toBe(LARGE_BYTES);
    expect(gateway.child.peakResidentBytes() - before).toBeLessThan(GROWTH_MAX_BYTES);
    const asked = servers.flatMap(({ requests }) => requests.map(({ range }) => range)).filter(Boolean);
    const froms = asked.map((range) => Number(/=(\d+)/.exec(range)?.[1]));
    expect(froms.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: LARGE_BREAKS }, (_, index) => (index + 1) * step),
    );
    const record = await gateway.record("the large download", ({ target }) => target.startsWith("/0?"));
    expect(record).toMatchObject({ outcome: "rescued", responseBytes: LARGE_BYTES });
  });

  it("that stand still in the middle go on from another origin, while the silent one still might", async () => {
    breakAll(({ isRange, total }) => (isRange ? null : { after: total / 2, how: "stall" }));
    const files = Array.from({ length: 20 }, (_, index) => 2000 + index);
    const got = await Promise.all(files.map((file) => download(`${gateway.url}/${file}?bytes=${MIB}`, file)));
    expect(got).toEqual(files.map(() => MIB));
    for (const file of files) {
      const record = await gateway.record(`file ${file}`, ({ target }) => target.startsWith(`/${file}?`));
      // No limit of time ended the first attempt: it was let go when another had the rest.
      expect(record.decisions.map(({ code }) => code)).toContain("resume.allowed.stalled");
      expect(record.attempts[0]).toMatchObject({
        cause: "origin.stall_mid_body",
        evidence: expect.stringMatching(/^silence for .* and another origin had the rest$/),
      });
    }
  });
});

describe("downloads of which each origin has another version", () => {
  it("go on at the one where they began, and nowhere else", async () => {
    for (const [index, server] of servers.entries()) server.version = `-of-${index}`;
    breakAll(({ isRange, total }) => (isRange ? null : { after: total / 2, how: "rst" }));
    // A slow machine would look like silence.
    const routes = [{ resume: { stall: false } }];
    const front = await startGateway(
      inFrontOf(
        servers.map(({ url }) => url),
        { routes },
      ),
    );
    try {
      const bytes = await download(`${front.url}/3000?bytes=${MIB}`, 3000);
      const record = await front.record("the versions", ({ target }) => target.startsWith("/3000?"));
      expect(bytes, JSON.stringify(record, null, 1)).toBe(MIB);
      expect(record.attempts.map(({ cause }) => cause)).toEqual([
        "net.mid_reset",
        "origin.resume_mismatch",
        "origin.resume_mismatch",
        null,
      ]);
      expect(record.attempts[3]?.address).toBe(record.attempts[0]?.address);
    } finally {
      await front.stop();
      for (const server of servers) server.version = "";
    }
  });
});

describe.skipIf(!installed("nginx"))("two nginx behind a line that breaks", () => {
  let nginx: Peer[];
  let lines: { url: string; close: () => void }[];
  let front: GatewayProcess;

  beforeAll(async () => {
    nginx = [await startNginx(), await startNginx()];
    for (const { root } of nginx) {
      const path = join(root, "film.bin");
      writeFileSync(path, Buffer.concat([...bytesOf(1, 0, 5 * MIB)]));
      utimesSync(path, 1_700_000_000, 1_700_000_000);
    }
    lines = await Promise.all(nginx.map(({ port }) => breakingLine(port, 700_000)));
    front = await startGateway(inFrontOf(lines.map(({ url }) => url)));
  });
  afterAll(async () => {
    await front?.stop();
    for (const { close } of lines ?? []) close();
    await Promise.all((nginx ?? []).map((peer) => peer.stop()));
  });

  it("serve one file between them, a piece at a time", async () => {
    expect(await download(`${front.url}/film.bin`, 1)).toBe(5 * MIB);
    const record = await front.record("the film", ({ target }) => target === "/film.bin");
    expect(record).toMatchObject({ outcome: "rescued", status: 200 });
    expect(record.attempts.length).toBeGreaterThanOrEqual(8);
  });
});

/** Passes bytes on to a port of this machine, and resets each connection after so many of the answer. */
async function breakingLine(port: number, afterBytes: number): Promise<{ url: string; close: () => void }> {
  const server = createTcpServer((near) => {
    const far = connect(port, "127.0.0.1");
    let passed = 0;
    near.pipe(far);
    far.on("data", (chunk) => {
      passed += chunk.length;
      if (passed < afterBytes) near.write(chunk);
      else near.write(chunk, () => near.resetAndDestroy());
      if (passed >= afterBytes) far.destroy();
    });
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.on("close", () => far.destroy());
    far.on("end", () => near.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
