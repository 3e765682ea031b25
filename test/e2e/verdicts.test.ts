/**
 * Pairs that look alike, each brought about against real sockets and peers, and the verdict on it: what was done is
 * named, or where one place cannot tell, both are.
 */
import { execFileSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { setTimeout as pass } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { JudgedExchange } from "../../src/contract/api-responses.ts";
import type { ExchangeVerdict } from "../../src/contract/verdict/case.ts";
import { startChild } from "../support/child.ts";
import { deafListener } from "../support/deaf-listener.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayFile, type GatewayProcess } from "../support/gateway-process.ts";
import { installed, startHaproxy, startNginx } from "../support/peers.ts";
import { rawClient, type RawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin, type Script } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function gatewayFor(file: GatewayFile): Promise<GatewayProcess> {
  const gateway = await startGateway(file);
  cleanups.push(() => gateway.stop());
  return gateway;
}

async function originWith(script: Script): Promise<RawOrigin> {
  const origin = await rawOrigin(script);
  cleanups.push(() => origin.close());
  return origin;
}

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`;
}

/** The verdict on the exchange with this target, when it has ended. */
async function verdictOn(gateway: GatewayProcess, target: string): Promise<ExchangeVerdict | null> {
  const { id } = await gateway.record(target, (record) => record.target === target);
  return (await gateway.api<JudgedExchange>(`/exchanges/${id}`)).verdict;
}

async function ask(gateway: GatewayProcess, target: string): Promise<ExchangeVerdict | null> {
  const client = await rawClient(gateway.port);
  await client.send(get(target));
  await client.response().catch(() => null);
  client.close();
  return verdictOn(gateway, target);
}

function findings(verdict: ExchangeVerdict | null): string {
  if (verdict === null) return "nothing";
  return verdict.kind === "decided" ? verdict.cause : verdict.between.join(" | ");
}

const hasNginx = installed("nginx");
const hasHaproxy = installed("haproxy");
const OWN_502: Script = answerAll(response(502, '{"error":"mine"}', { "Content-Type": "application/json" }));

describe("an inner gateway's 5xx or the application's own", () => {
  it.skipIf(!hasNginx)(
    "nginx in front of a dead application, of one that answers 502 itself, and of neither for sure",
    async () => {
      const app = await originWith(OWN_502);
      const nginx = await startNginx(
        `location /dead { proxy_pass http://127.0.0.1:${await freePort()}; }
       location /app { proxy_pass ${app.url}; }
       location /words { return 502 "a page that somebody wrote"; }`,
      );
      cleanups.push(() => nginx.stop());
      const gateway = await gatewayFor(inFrontOf([nginx.url], { retry: false }));
      expect(await ask(gateway, "/dead")).toMatchObject({ kind: "decided", cause: "origin.nested_gw_5xx" });
      expect(await ask(gateway, "/app")).toMatchObject({ kind: "decided", cause: "origin.app_5xx", party: "origin" });
      expect(findings(await ask(gateway, "/words"))).toBe("origin.nested_gw_5xx | origin.app_5xx");
    },
  );

  it.skipIf(!hasHaproxy)("HAProxy in front of a dead application, and of one that answers 502 itself", async () => {
    const app = await originWith(OWN_502);
    const [dead, alive] = [await startHaproxy(`127.0.0.1:${await freePort()}`), await startHaproxy(app.url.slice(7))];
    cleanups.push(
      () => dead.stop(),
      () => alive.stop(),
    );
    const service = (name: string, origin: string): Record<string, unknown> => ({
      [name]: { hosts: [`${name}.test`], health: false, retry: false, pools: [{ name: "only", origins: [origin] }] },
    });
    const gateway = await gatewayFor({
      accessLog: false,
      services: { ...service("dead", dead.url), ...service("alive", alive.url) },
    });
    for (const [name, cause] of [
      ["dead", "origin.nested_gw_5xx"],
      ["alive", "origin.app_5xx"],
    ] as const) {
      const client = await rawClient(gateway.port);
      await client.send(`GET /${name} HTTP/1.1\r\nHost: ${name}.test\r\n\r\n`);
      await client.response();
      client.close();
      expect(await verdictOn(gateway, `/${name}`)).toMatchObject({ kind: "decided", cause });
    }
  });
});

describe("a full accept queue, a firewall that drops, a machine that is off", () => {
  const routes = [{ match: { path: "/*" }, timeouts: { connect: "2500ms", firstByte: "1500ms" } }];

  it("silence of one port of a machine that answers on another is no dead machine", async () => {
    const deaf = await deafListener();
    cleanups.push(() => deaf.stop());
    const well = await originWith(answerAll(response(200, "ok")));
    const gateway = await gatewayFor({
      records: { sample: "100%" },
      accessLog: false,
      services: {
        test: {
          health: false,
          retry: false,
          routes: [{ match: { path: "/*" }, timeouts: { connect: "2s" } }],
          pools: [{ name: "only", origins: [deaf.url] }],
        },
        other: { hosts: ["other.test"], health: false, pools: [{ name: "only", origins: [well.url] }] },
      },
    });
    const client = await rawClient(gateway.port);
    await client.send(get("/silent"));
    const other = await rawClient(gateway.port);
    await other.send("GET /well HTTP/1.1\r\nHost: other.test\r\n\r\n");
    expect((await other.response()).status).toBe(200);
    await client.response();
    client.close();
    other.close();
    expect(findings(await verdictOn(gateway, "/silent"))).toBe("origin.backlog_full | net.filtered");
  });

  it("a queue that takes some and lets others knock in vain is full", async () => {
    const deaf = await deafListener();
    cleanups.push(() => deaf.stop());
    const gateway = await gatewayFor(inFrontOf([deaf.url], { retry: false, ejection: false, routes }));
    const clients = await Promise.all(Array.from({ length: 8 }, () => rawClient(gateway.port)));
    // One after the other: the kernel answers all that knock in one instant while there is room for one.
    for (const [index, client] of clients.entries()) {
      await client.send(get(`/knock-${index}`));
      await until("one more to be knocking", async () => {
        const [origin] = await gateway.origins();
        return (origin?.addresses[0]?.inFlight ?? 0) > index ? true : null;
      });
    }
    await deaf.acceptOnce();
    await Promise.all(clients.map((client) => client.response()));
    for (const client of clients) client.close();
    const verdicts = await Promise.all(clients.map((_, index) => verdictOn(gateway, `/knock-${index}`)));
    const named = verdicts.map(findings);
    // The kernel asks again after a second: two find room then, and the others find it taken.
    expect(named.filter((each) => each === "origin.backlog_full").length, named.join()).toBeGreaterThanOrEqual(3);
    expect(named.join()).not.toContain("net.filtered");
  });

  const mayUnshare = ((): boolean => {
    try {
      execFileSync("unshare", ["-n", "ip", "link", "add", "here", "type", "veth", "peer", "name", "there"], {
        stdio: "ignore",
      });
      return true;
    } catch {
      process.stderr.write("skipped: silence of a network needs unshare(1), ip(8) and the right to use them\n");
      return false;
    }
  })();

  it.skipIf(!mayUnshare)(
    "silence of which nothing else is known, a neighbour that is absent, and no route",
    async () => {
      const program = fileURLToPath(new URL("../support/silent-network.ts", import.meta.url));
      const child = await startChild("unshare", ["-n", process.execPath, program, readlinkSync("/proc/self/ns/net")]);
      cleanups.push(() => child.stop());
      const [said] = await child.printed(/^\{.*\}$/m);
      const { silent, absent, elsewhere } = JSON.parse(said) as Record<string, ExchangeVerdict>;
      expect(findings(silent ?? null)).toBe("origin.backlog_full | net.filtered | origin.host_dead");
      expect(silent).toMatchObject({ party: null, tellApart: expect.stringContaining("ListenOverflows") as string });
      expect(findings(absent ?? null)).toBe("origin.host_dead | net.path");
      expect(elsewhere).toMatchObject({ kind: "decided", cause: "net.unroutable", party: "network" });
      expect((await child.ending).code).toBe(0);
    },
  );
});

describe("a connection used too late or a request that breaks the origin", () => {
  /** Answers `/first` on each connection, and closes without a word on what comes next; `/break` breaks any. */
  const CLOSES_NEXT: Script = async (connection) => {
    for (;;) {
      const head = await connection.head();
      if (!head.startsWith("GET /first") && !(connection.number > 1 && head.startsWith("GET /again"))) break;
      await connection.send(response(200, "ok"));
    }
    connection.close();
  };

  interface Idle {
    readonly gateway: GatewayProcess;
    readonly origin: RawOrigin;
    /** Its connection has been used already. */
    readonly client: RawClient;
  }

  /** One connection lies idle, for longer than the moment in which it cannot have gone stale. */
  async function idle(service: Record<string, unknown>): Promise<Idle> {
    const origin = await originWith(CLOSES_NEXT);
    const gateway = await gatewayFor(inFrontOf([origin.url], service));
    const client = await rawClient(gateway.port);
    await client.send(get("/first"));
    expect((await client.response()).status).toBe(200);
    await pass(150);
    return { gateway, origin, client };
  }

  it("is a race when the same request works on a new connection", async () => {
    const { gateway } = await idle({});
    expect(await ask(gateway, "/again")).toMatchObject({ kind: "decided", cause: "origin.keepalive_race" });
  });

  it("is the request when it breaks a new connection as well", async () => {
    const { gateway } = await idle({});
    expect(await ask(gateway, "/break")).toMatchObject({ kind: "decided", cause: "origin.reset_before_response" });
  });

  it("is undecided when it was not tried again", async () => {
    const { gateway } = await idle({ retry: false });
    expect(findings(await ask(gateway, "/break"))).toBe("origin.keepalive_race | origin.reset_before_response");
  });

  it("is the gateway's own when it stood still while the origin closed", async () => {
    const { gateway, origin, client } = await idle({ retry: false });
    const connection = await origin.connection(1);
    gateway.child.signal("SIGSTOP");
    await client.send(get("/meanwhile"));
    connection.close();
    // Time passing in a process that stands still is the very thing that is tested.
    await pass(700);
    gateway.child.signal("SIGCONT");
    await client.response();
    client.close();
    expect(await verdictOn(gateway, "/meanwhile")).toMatchObject({
      kind: "decided",
      cause: "gw.loop_stall",
      party: "gateway",
    });
  });
});

describe("a missing descriptor or a missing name", () => {
  /** In front of a name that does not exist. */
  async function nameless(): Promise<GatewayProcess> {
    const dns = await startDnsServer();
    cleanups.push(() => dns.close());
    dns.set("gone.origin.test", { kind: "nxdomain" });
    return gatewayFor(
      inFrontOf(["http://gone.origin.test:80"], { retry: false }, { dns: { resolvers: [dns.address] } }),
    );
  }

  it("is the name while descriptors are free", async () => {
    const gateway = await nameless();
    let asked = 0;
    // They are counted for the first time a quarter of a second after the start.
    const verdict = await until("descriptors to be counted", async () => {
      asked += 1;
      const said = await ask(gateway, `/many-${asked}`);
      return (said?.because.length ?? 0) > 1 ? said : null;
    });
    expect(verdict).toMatchObject({ kind: "decided", cause: "dns.nxdomain", party: "dns" });
    expect(verdict.because.at(-1)?.text).toMatch(/^\d+ file descriptors were free/);
  });

  it("is the descriptor when none is left for a connection", async () => {
    const origin = await originWith(answerAll(response(200, "ok", { Connection: "close" })));
    const gateway = await gatewayFor(inFrontOf([origin.url], { retry: false }));
    const client = await rawClient(gateway.port);
    await client.send(get("/some"));
    expect((await client.response()).status).toBe(200);
    const limit = (count: number): void => {
      execFileSync("prlimit", [`--pid=${gateway.child.pid}`, `--nofile=${count}:`]);
    };
    limit(3);
    await client.send(get("/none"));
    await client.response();
    limit(4_096);
    client.close();
    expect(await verdictOn(gateway, "/none")).toMatchObject({ cause: "gw.fd_exhausted", party: "gateway" });
  });
});

describe("a body without a length", () => {
  const UNFRAMED = "HTTP/1.1 200 OK\r\n\r\n0123456789";

  it("is cut when the connection is reset, and whole when it is closed", async () => {
    const origin = await originWith(async (connection) => {
      const head = await connection.head();
      await connection.send(UNFRAMED);
      if (head.startsWith("GET /closed")) connection.close();
      else await connection.over;
    });
    const gateway = await gatewayFor(inFrontOf([origin.url], { retry: false }));
    expect(await ask(gateway, "/closed")).toBe(null);
    const client = await rawClient(gateway.port);
    await client.send(get("/reset"));
    await client.received.until("the body", (text) => (text.includes("0123456789") ? true : null));
    (await origin.connection(2)).reset();
    await client.over;
    expect(await verdictOn(gateway, "/reset")).toMatchObject({ kind: "decided", cause: "origin.truncated_unframed" });
  });
});

describe("a client that leaves or an origin that is slow", () => {
  it("is the origin when those who stayed waited as long, and the client when it did not wait at all", async () => {
    const held: (() => void)[] = [];
    const origin = await originWith(async (connection) => {
      for (;;) {
        const head = await connection.head();
        if (head.startsWith("GET /slow")) await new Promise<void>((release) => held.push(release));
        await connection.send(response(200, "ok"));
      }
    });
    const gateway = await gatewayFor(inFrontOf([origin.url], { retry: false, hedge: false }));
    const client = await rawClient(gateway.port);
    for (let count = 0; count < 25; count += 1) {
      await client.send(get("/quick"));
      await client.response();
    }
    const leave = async (target: string, afterMs: number): Promise<void> => {
      const leaving = await rawClient(gateway.port);
      const before = held.length;
      await leaving.send(get(target));
      await until("the origin to have it", () => (held.length > before ? true : null));
      // How long it waits is what is told apart.
      await pass(afterMs);
      leaving.reset();
      await gateway.record(target, (record) => record.target === target);
    };
    await leave("/slow-left-at-once", 0);
    expect(await verdictOn(gateway, "/slow-left-at-once")).toMatchObject({
      kind: "decided",
      cause: "client.abort_wait",
    });
    await client.send(get("/slow-stayed"));
    await leave("/slow-left-late", 500);
    expect(findings(await verdictOn(gateway, "/slow-left-late"))).toBe("origin.slow | client.abort_wait");
    for (const release of held) release();
    expect((await client.response()).status).toBe(200);
    client.close();
    await gateway.record("who stayed", ({ target }) => target === "/slow-stayed");
    expect(await verdictOn(gateway, "/slow-left-late")).toMatchObject({ kind: "decided", cause: "origin.slow" });
  });
});
