/** The ladder as the control loop has it, on real sockets: what a person or the engine asks for, and what is told. */
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { deafListener } from "../../../test/support/deaf-listener.ts";
import { startDnsServer } from "../../../test/support/dns-server.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { rawOrigin, response } from "../../../test/support/raw-origin.ts";
import type { Script } from "../../../test/support/raw-origin.ts";
import { failedRecord } from "../../../test/support/failed-attempt.ts";
import { sampleSecond } from "../../../test/support/sample-facts.ts";
import { createTestAuthority } from "../../../test/support/test-authority.ts";
import type { Issued, TestAuthority } from "../../../test/support/test-authority.ts";
import { loadSettings } from "../../config/load.ts";
import type { Settings } from "../../config/settings.ts";
import type { Document } from "../../contract/control-store.ts";
import type { Answers, News } from "../../contract/control-port.ts";
import type { Fact, OriginRow, ProbeFact } from "../../contract/facts.ts";
import type { ExchangeRecord } from "../../contract/record.ts";
import type { Rungs } from "../../contract/rungs.ts";
import { systemClock, systemSchedule } from "../../net/clock.ts";
import { createProbeRungs } from "../../net/probe-rungs.ts";
import type { Companion } from "../control-loop.ts";
import { createLadder } from "./ladder-companion.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function origin(script: Script, host = "127.0.0.1"): Promise<string> {
  const started = await rawOrigin(script, { host });
  closing.push(() => started.close());
  return started.url;
}

async function deaf(): Promise<string> {
  const started = await deafListener();
  closing.push(() => started.stop());
  return started.url;
}

const well: Script = async (connection) => {
  await connection.head();
  await connection.send(response(200, ""));
};

function authorityOfTest(): TestAuthority {
  const made = createTestAuthority();
  closing.push(() => Promise.resolve(made.close()));
  return made;
}

/** The port of an origin that answers every request over TLS. */
async function secure(issued: Issued): Promise<number> {
  const server = tls.createServer(issued, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => socket.write(response(200, "")));
  });
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

interface Scene {
  readonly ladder: Companion;
  readonly facts: Fact[];
  readonly news: News[];
  readonly kept: Document[];
  probe(origin: string): Promise<Answers["probe"]>;
}

function scene(
  pools: Record<string, string[]>,
  rest: Record<string, unknown> = {},
  health: unknown = false,
  tlsSettings?: unknown,
  routes: unknown[] = [],
  patience: number = 1,
): Scene {
  const list = Object.entries(pools).map(([name, origins]) => ({ name, origins }));
  // Ports that the system chooses are no control.
  const unknown = { bind: "127.0.0.1:0" };
  const settings = settingsOf({
    listeners: [unknown],
    admin: unknown,
    services: { shop: { health, pools: list, routes, ...(tlsSettings === undefined ? {} : { tls: tlsSettings }) } },
    ...rest,
  });
  const facts: Fact[] = [];
  const news: News[] = [];
  const kept: Document[] = [];
  const ladder = createLadder(
    {
      fact: (fact) => facts.push(fact),
      news: (one) => news.push(one),
      keep: (document) => kept.push(document),
      kept: () => [],
    },
    {
      settings: () => settings,
      rungs: patient(createProbeRungs({ resolvers: settings.dns.resolvers, schedule: systemSchedule }), patience),
      clock: systemClock,
      onFault(error) {
        throw error;
      },
    },
  );
  const probe = (url: string): Promise<Answers["probe"]> =>
    new Promise((resolve) => {
      ladder.answer?.({ ask: "probe", service: "shop", origin: url, by: "kim" }, (answer) =>
        resolve(answer as Answers["probe"]),
      );
    });
  return { ladder, facts, news, kept, probe };
}

/** Where everybody answers: however slow this machine is, it is waited for. */
function patientScene(url: string, routes: unknown[] = []): Scene {
  return scene({ first: [url] }, {}, false, undefined, routes, 20);
}

function patient(rungs: Rungs, patience: number): Rungs {
  return {
    ...rungs,
    connect: (to, way, ms) => rungs.connect(to, way, ms * patience),
    request: (to, request, ms) => rungs.request(to, request, ms * patience),
  };
}

/** An exchange that failed there, with cookies and a key that no record has. */
function failedAt(
  url: string,
  record: Partial<ExchangeRecord> = {},
  cause: "origin.app_5xx" | "origin.ttfb_timeout" = "origin.app_5xx",
): ExchangeRecord {
  const asked = { headBytes: 900, accept: "text/html", acceptEncoding: "br", range: "bytes=0-99" };
  const attempt = { cause, origin: url, address: url.slice(7), signs: { asked } };
  return failedRecord([attempt], {
    service: "shop",
    route: "default",
    method: "GET",
    host: "shop.example.com",
    target: "/items",
    ...record,
  });
}

function settingsOf(file: unknown): Settings {
  const loaded = loadSettings(JSON.stringify(file), "goodgate.yaml");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded));
  return loaded.settings;
}

function climbedOf(answer: Answers["probe"]): ProbeFact {
  if ("refused" in answer) throw new Error(answer.refused);
  return answer;
}

/** Rung and result, as a list that can be read. */
function rungsOf({ rungs }: ProbeFact): string[] {
  return rungs.map(({ rung, result }) => `${rung} ${result}`);
}

function row(url: string, rest: Partial<OriginRow> = {}): OriginRow {
  return {
    service: "shop",
    pool: "first",
    provider: "first",
    origin: url,
    address: url.slice(7),
    family: "IPv4",
    attempts: 5,
    byCause: {},
    firstByte: [],
    connectionsMade: 0,
    inFlight: 0,
    held: 0,
    limit: 0,
    state: "up",
    share: 1,
    checkOk: null,
    keepAliveMs: 0,
    ...rest,
  };
}

describe("the probe ladder", () => {
  it("says of an origin that answers 503 to everything that it does, and not that all is well", async () => {
    const url = await origin(async (connection) => {
      await connection.head();
      await connection.send(response(503, ""));
    });
    const { probe } = patientScene(url);
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect holds", "request holds"]);
    expect(climbed.located).toContain("every answer is an error of its own (status 503");
  });

  it("finds nothing wrong at an origin that is well, and tells the engine and whoever listens", async () => {
    const url = await origin(well);
    const { ladder, facts, news, kept, probe } = scene({ first: [url] });
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect holds", "request holds"]);
    expect(climbed.located).toBe(`${url}: all rungs hold from here, now (connect, request).`);
    expect(climbed).toMatchObject({ service: "shop", pool: "first", origin: url });
    expect(facts).toEqual([climbed]);
    expect(news).toEqual([{ kind: "probe", probe: climbed }]);
    expect(kept.map(({ body }) => body)).toEqual([climbed]);
    ladder.answer?.({ ask: "probes" }, (answer) => expect(answer).toEqual([climbed]));
  });

  it("stops at the connection where nothing listens", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { probe } = scene({ first: [url] });
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect breaks"]);
    expect(climbed.located).toContain("No connection to it can be made");
    expect(climbed.located).toContain("connection refused");
  });

  it("tells a silent port from a silent machine by the other port of the same host", async () => {
    const silent = await deaf();
    const other = await origin(well);
    const { probe } = scene({ first: [silent, other] });
    const climbed = climbedOf(await probe(silent));
    expect(rungsOf(climbed)).toEqual(["connect breaks", "control: same provider holds", "other port holds"]);
    expect(climbed.rungs[0]?.text).toContain("no answer to SYN");
    expect(climbed.located).toContain("The same host answers at another port.");
  });

  it("climbs over TLS as the gateway does, and says whose certificate it found and until when", async () => {
    const authority = authorityOfTest();
    const port = await secure(authority.issue());
    const url = `https://127.0.0.1:${port}`;
    const { probe } = scene({ first: [url] }, {}, { path: "/ready" }, { ca: authority.caFile });
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect holds", "TLS holds", "request holds", "health path holds"]);
    expect(climbed.rungs[1]?.text).toMatch(/^TLSv1\.3, certificate of origin\.test by Test Root until \d{4}-/);
  });

  it("tells a certificate that is wrong from a port without TLS", async () => {
    const authority = authorityOfTest();
    const tlsSettings = { ca: authority.caFile };
    const wrong = `https://127.0.0.1:${await secure(authority.issue({ names: ["other.test"] }))}`;
    const first = climbedOf(await scene({ first: [wrong] }, {}, false, tlsSettings).probe(wrong));
    expect(rungsOf(first)).toEqual([
      "connect holds",
      "TLS breaks",
      "TLS unverified holds",
      "request in the clear breaks",
    ]);
    expect(first.located).toContain("ERR_TLS_CERT_ALTNAME_INVALID: certificate of other.test");
    expect(first.located).toContain("With any certificate it speaks TLS: the certificate is what is wrong.");

    const plain = (await origin(well)).replace("http:", "https:");
    const second = climbedOf(await scene({ first: [plain] }, {}, false, tlsSettings).probe(plain));
    expect(rungsOf(second).slice(1)).toEqual(["TLS breaks", "TLS unverified breaks", "request in the clear holds"]);
    expect(second.located).toContain("It answers HTTP without TLS.");
  });

  it("stops at the request where what comes is not HTTP", async () => {
    const url = await origin(async (connection) => {
      await connection.head();
      await connection.send("220 mail.example ESMTP\r\n");
    });
    const { probe } = scene({ first: [url] }, {}, { path: "/ready" });
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect holds", "request breaks"]);
    expect(climbed.rungs[1]?.text).toContain("not HTTP/1.1");
  });

  it("stops at the request where the connection is cut", async () => {
    const url = await origin(async (connection) => {
      await connection.head();
      connection.reset();
    });
    const { probe } = scene({ first: [url] });
    const climbed = climbedOf(await probe(url));
    expect(climbed.located).toContain("closed or reset without a response");
  });

  it("finds a health path that fails while / is answered", async () => {
    const url = await origin(async (connection) => {
      const head = await connection.head();
      await connection.send(response(head.startsWith("GET /ready ") ? 503 : 200, ""));
    });
    const { probe } = scene({ first: [url] }, {}, { path: "/ready" });
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect holds", "request holds", "health path breaks"]);
    expect(climbed.located).toContain("its health path is not well");
    expect(climbed.located).toContain("status 503");
  });

  it("asks each resolver, and goes on with what one of them knows", async () => {
    const [dead, alive] = [await startDnsServer(), await startDnsServer()];
    closing.push(
      () => dead.close(),
      () => alive.close(),
    );
    dead.set("a1.example.test", { kind: "silent" });
    alive.set("a1.example.test", { kind: "addresses", ips: ["127.0.0.1"] }, 4);
    alive.set("a1.example.test", { kind: "nodata" }, 6);
    const port = new URL(await origin(well)).port;
    const url = `http://a1.example.test:${port}`;
    const { probe } = scene({ first: [url] }, { dns: { resolvers: [dead.address, alive.address] } });
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["resolve breaks", "resolve holds", "connect holds", "request holds"]);
    expect(climbed.located).toContain(`Resolvers differ about it (a1.example.test by ${dead.address}`);
  });

  it("stops at the name where no resolver has an address", async () => {
    const server = await startDnsServer();
    closing.push(() => server.close());
    const url = "http://gone.example.test:3000";
    const { probe } = scene({ first: [url] }, { dns: { resolvers: [server.address] } });
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["resolve breaks"]);
    expect(climbed.located).toContain("No resolver gives an address for it");
    expect(climbed.located).toContain("dns.nxdomain");
  });

  it("looks beside it at the gateway itself and at an origin that was well a moment ago", async () => {
    const port = await freePort();
    const bad = `http://127.0.0.1:${await freePort()}`;
    const good = await origin(well, "127.0.0.2");
    const sameHost = await origin(well);
    const { ladder, probe } = scene(
      { first: [bad], second: [sameHost, good] },
      { admin: { bind: `127.0.0.1:${port}` } },
    );
    ladder.hear?.(
      sampleSecond(1_000, { origins: [row(sameHost), row(good), row(bad, { byCause: { "origin.refused": 5 } })] }),
      [],
      false,
    );
    const climbed = climbedOf(await probe(bad));
    expect(rungsOf(climbed)).toEqual([
      "connect breaks",
      // Nothing listens there in this test.
      "control: gateway itself breaks",
      "control: other origin holds",
      "other port holds",
    ]);
    expect(climbed.rungs[2]?.at).toContain(good);
    expect(climbed.located).toContain("The gateway does not answer itself either");
    expect(climbed.located).toContain("Another origin that is well answers from here.");
  });

  it("climbs where the engine wishes, not in a replay, and not at once again", async () => {
    const url = await origin(well);
    const { ladder, facts, probe } = scene({ first: [url] });
    const wish = { kind: "wish", wish: "probe", service: "shop", origin: url, because: "it fails" } as const;
    ladder.hear?.(sampleSecond(1_000), [wish], true);
    ladder.hear?.(sampleSecond(2_000), [wish, wish], false);
    expect(await probe(url)).toEqual({ refused: expect.stringContaining("was climbed there 0 s ago") });
    await expect.poll(() => facts.length).toBe(1);
  });

  it("sends the request that failed once more, in its shape and as nobody's", async () => {
    const heads: string[] = [];
    const url = await origin(async (connection) => {
      const head = await connection.head();
      heads.push(head);
      await connection.send(response(head.includes("/items") ? 503 : 200, "busy"));
    });
    const { ladder, probe } = patientScene(url);
    ladder.hear?.(sampleSecond(1_000, { samples: [failedAt(url, { target: "/items?page=2" })] }), [], false);
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect holds", "request holds", "same request breaks"]);
    expect(climbed.rungs[2]).toMatchObject({ at: `GET /items at ${url.slice(7)}`, text: "status 503, 4 bytes" });
    expect(climbed.located).toContain("one like that which failed fails again");
    const sent = heads.find((head) => head.startsWith("GET /items?page=2 HTTP/1.1\r\n"));
    expect(sent?.toLowerCase().split("\r\n").slice(1, -2)).toEqual([
      "host: shop.example.com",
      "user-agent: goodgate-probe",
      "accept: text/html",
      "connection: close",
      "accept-encoding: br",
      "range: bytes=0-99",
      expect.stringMatching(/^x-goodgate-probe: x+$/),
    ]);
    expect(Math.abs((sent?.length ?? 0) - 900)).toBeLessThan(100);
  });

  it.each([
    ["POST", "/items", "POST not sent, because POST may do something"],
    ["GET", "/items?session=1", "GET not sent, because its query has more than a page's number"],
    ["GET", "/pay/1", "GET not sent, because its path names an act (pay)"],
  ])("does not send %s %s once more, and says why", async (method, target, text) => {
    const heads: string[] = [];
    const url = await origin(async (connection) => {
      heads.push(await connection.head());
      await connection.send(response(200, ""));
    });
    const { ladder, probe } = patientScene(url);
    ladder.hear?.(sampleSecond(1_000, { samples: [failedAt(url, { method, target })] }), [], false);
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual(["connect holds", "request holds", "same request unknown"]);
    expect(climbed.rungs[2]?.text).toContain(text);
    expect(heads.map((head) => head.split(" HTTP")[0]).filter((line) => line !== "")).toEqual(["HEAD /"]);
  });

  it.each([
    [{ probe: false }, "its route forbids it (probe: false)"],
    [{ idempotencyKey: "required" }, "its route wants an Idempotency-Key"],
  ])("does not send what its route is declared to be dangerous for: %j", async (declared, because) => {
    const url = await origin(well);
    const route = { match: { path: "/items" }, name: "items", ...declared };
    const { ladder, probe } = patientScene(url, [route]);
    ladder.hear?.(sampleSecond(1_000, { samples: [failedAt(url, { route: "items" })] }), [], false);
    expect(climbedOf(await probe(url)).rungs[2]?.text).toContain(because);
  });

  it("says nothing of an answer that depends on who asks, and forgets what failed long ago", async () => {
    const url = await origin(async (connection) => {
      const head = await connection.head();
      await connection.send(response(head.includes("/items") ? 401 : 200, ""));
    });
    const { ladder, probe } = patientScene(url);
    ladder.hear?.(sampleSecond(1_000, { samples: [failedAt(url)] }), [], false);
    expect(rungsOf(climbedOf(await probe(url)))[2]).toBe("same request unknown");
    const later = patientScene(url);
    later.ladder.hear?.(sampleSecond(1_000, { samples: [failedAt(url)] }), [], false);
    later.ladder.hear?.(sampleSecond(200_000), [], false);
    expect(rungsOf(climbedOf(await later.probe(url)))).toEqual(["connect holds", "request holds"]);
  });

  it("tries sizes where what failed met silence", async () => {
    const url = await origin(async (connection) => {
      const head = await connection.head();
      await connection.send(response(200, head.startsWith("HEAD") ? "" : "x".repeat(20_000)));
    });
    const { ladder, probe } = patientScene(url);
    const silent = failedAt(url, {}, "origin.ttfb_timeout");
    ladder.hear?.(sampleSecond(1_000, { samples: [silent] }), [], false);
    const climbed = climbedOf(await probe(url));
    expect(rungsOf(climbed)).toEqual([
      "connect holds",
      "request holds",
      "same request holds",
      "large request holds",
      "large response holds",
    ]);
    expect(climbed.located).toContain(
      "all rungs hold from here, now (connect, request, same request, large request, large response)",
    );
  });

  it("is climbed at nothing that is not configured", async () => {
    const other = await origin(well);
    const { probe } = scene({ first: ["http://127.0.0.1:1"] });
    expect(await probe(other)).toEqual({
      refused: `shop has no origin ${other}; only what is configured is probed`,
    });
  });

  it("tells nothing after its end", async () => {
    const url = await origin(well);
    const { ladder, facts, probe } = scene({ first: [url] });
    void probe(url);
    await ladder.close?.();
    await origin(well);
    expect(facts).toEqual([]);
  });
});
