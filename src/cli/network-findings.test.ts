import { describe, expect, test } from "vitest";
import type { CliWorldOptions } from "../../test/support/cli-world.ts";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import type { Endpoint, Way } from "../contract/rungs.ts";
import { EXIT } from "./exit-codes.ts";
import type { Finding } from "./machine-findings.ts";
import type { MachinePorts } from "./ports.ts";

const FILE = `
listeners: [{ bind: "0.0.0.0:8080" }]
admin: { bind: "127.0.0.1:9090" }
dns: { resolvers: ["10.0.0.53", "10.0.1.53"] }
services:
  shop:
    pools:
      - { name: blue, origins: ["http://a1.example.net", "http://a2.example.net:81"] }
`;

async function findings(
  options: CliWorldOptions,
): Promise<{ code: number; all: Finding[]; of: (id: string) => Finding | undefined }> {
  const world = cliWorld({ files: { "goodgate.yaml": FILE }, ...options });
  const code = await world.run("doctor", "--json");
  const all = (world.json() as { findings: Finding[] }).findings;
  return { code, all, of: (id) => all.find((finding) => finding.id === id) };
}

/** `names` do not resolve, with this failure. */
function unresolved(cause: "dns.nxdomain" | "dns.timeout", code: string, ...names: string[]): MachinePorts["resolve"] {
  return (name) =>
    Promise.resolve(
      names.includes(name)
        ? { name, addresses: [], failure: { cause, code, since: 0 }, learnedAt: -1 }
        : { name, addresses: [{ ip: "10.0.0.1", port: 0, family: 4 }], failure: null, learnedAt: 0 },
    );
}

describe("doctor on a machine where all is well", () => {
  test("has nothing to mend, and says so as text and by its exit code", async () => {
    const world = cliWorld({ files: { "goodgate.yaml": FILE } });
    expect(await world.run("doctor")).toBe(EXIT.ok);
    await expect(world.out()).toMatchFileSnapshot("../../test/golden/doctor-ready.txt");
  });
});

describe("addresses to listen on", () => {
  test("a taken port is bad, unless the gateway that runs holds it", async () => {
    const machine: Partial<MachinePorts> = {
      tryBind: (bind) => Promise.resolve(bind.port === 8080 ? "EADDRINUSE" : null),
    };
    const alone = await findings({ machine });
    expect(alone.code).toBe(EXIT.no);
    expect(alone.of("listener 0.0.0.0:8080")).toEqual({
      id: "listener 0.0.0.0:8080",
      level: "bad",
      says: "cannot be listened on (EADDRINUSE).",
      todo: "See which process holds it:  ss -ltnp 'sport = :8080'",
    });
    const running = {
      "/api/v1/status": { kind: "answer", status: 200, json: { sentence: "Serving: all is well." } },
    } as const;
    const beside = await findings({ machine, admin: running });
    expect(beside.code).toBe(EXIT.ok);
    expect(beside.of("gateway")?.says).toBe("one runs at http://127.0.0.1:9090: Serving: all is well.");
  });
});

test("The status page has a place of its own, and it is looked at as well", async () => {
  const { code, of } = await findings({
    files: { "goodgate.yaml": `${FILE}statusPage: { bind: "0.0.0.0:8090" }\n` },
    machine: { tryBind: (bind) => Promise.resolve(bind.port === 8090 ? "EADDRINUSE" : null) },
  });
  expect(code).toBe(EXIT.no);
  expect(of("status page 0.0.0.0:8090")?.says).toBe("cannot be listened on (EADDRINUSE).");
});

describe("resolvers", () => {
  test("each configured one is asked by itself, and one that is silent is a warning while another answers", async () => {
    const asked: string[] = [];
    const { of } = await findings({
      machine: {
        resolve: (name, dns) => {
          asked.push(dns.resolvers.join());
          const silent = dns.resolvers.join() === "10.0.0.53";
          return unresolved("dns.timeout", "ETIMEOUT", ...(silent ? [name] : []))(name, dns);
        },
      },
    });
    expect(asked.slice(0, 2)).toEqual(["10.0.0.53", "10.0.1.53"]);
    expect(of("resolver 10.0.0.53")).toMatchObject({
      level: "warn",
      says: "does not answer for a1.example.net (ETIMEOUT).",
    });
    expect(of("resolver 10.0.1.53")?.level).toBe("ok");
  });

  test("NXDOMAIN is an answer: the resolver works and the name is what is wrong", async () => {
    const { of } = await findings({ machine: { resolve: unresolved("dns.nxdomain", "ENOTFOUND", "a1.example.net") } });
    expect(of("resolver 10.0.0.53")?.level).toBe("ok");
    expect(of("origin http://a1.example.net")).toMatchObject({
      level: "bad",
      says: "a1.example.net does not resolve (ENOTFOUND).",
    });
  });
});

describe("origins", () => {
  test("one that refuses is bad, with the advice of the cause", async () => {
    const { of, code } = await findings({
      machine: { tryConnect: () => Promise.resolve({ ok: false, code: "ECONNREFUSED" }) },
    });
    expect(code).toBe(EXIT.no);
    expect(of("origin http://a2.example.net:81")).toMatchObject({
      level: "bad",
      says: "no connection: 10.0.0.1 (ECONNREFUSED).",
    });
  });

  test("one of which some addresses do not answer is a warning that names them", async () => {
    const addresses = [
      { ip: "10.0.0.1", port: 0, family: 4 },
      { ip: "10.0.0.2", port: 0, family: 4 },
    ] as const;
    const { of } = await findings({
      machine: {
        resolve: (name) => Promise.resolve({ name, addresses, failure: null, learnedAt: 0 }),
        tryConnect: ({ ip }) =>
          Promise.resolve(ip === "10.0.0.2" ? { ok: false, code: "ETIMEDOUT" } : { ok: true, tookMs: 1 }),
      },
    });
    expect(of("origin http://a1.example.net")).toMatchObject({
      level: "warn",
      says: "1 of 2 addresses accept a connection; not 10.0.0.2 (ETIMEDOUT).",
    });
  });
});

describe("origins with TLS", () => {
  const SECURE = FILE.replace('"http://a1.example.net", "http://a2.example.net:81"', '"https://a1.example.net"');

  test("at one host and port are each asked that are reached in another way, and those alike once", async () => {
    const said: string[] = [];
    await findings({
      files: {
        "goodgate.yaml": `
services:
  shop:
    pools: [{ origins: ["https://10.0.0.7"], tls: { serverName: a.test, verify: false } }]
  mail:
    hosts: ["mail.test"]
    pools: [{ origins: ["https://10.0.0.7"], tls: { serverName: b.test, verify: false } }]
  news:
    hosts: ["news.test"]
    pools: [{ origins: ["https://10.0.0.7"], tls: { serverName: a.test, verify: false } }]
`,
      },
      machine: {
        resolve: (name) =>
          Promise.resolve({ name, addresses: [{ ip: name, port: 0, family: 4 }], failure: null, learnedAt: 0 }),
        tryConnect: () => Promise.resolve({ ok: true, tookMs: 1 }),
        tryHandshake(_to, { serverName }) {
          said.push(serverName);
          return Promise.resolve({ ok: true, ms: 1, text: "TLSv1.3", failure: "" });
        },
        dateToldBy: () => Promise.resolve(null),
      },
    });
    expect(said.toSorted()).toEqual(["a.test", "b.test"]);
  });

  test("are spoken to as the gateway speaks to them, whatever that is", async () => {
    const said: string[] = [];
    const heard =
      (what: string) =>
      ({ ip }: Endpoint, { proxyProtocol, http2 }: Pick<Way, "proxyProtocol" | "http2">): void =>
        void said.push(`${what} ${ip} ${proxyProtocol} ${http2}`);
    await findings({
      files: {
        "goodgate.yaml": `
services:
  shop:
    pools:
      - { name: proxied, origins: ["http://10.0.0.7"], proxyProtocol: 2 }
      - { name: local, origins: ["unix:/run/shop.sock"] }
      - { name: calls, origins: ["http://10.0.0.8"], http2: prior }
`,
      },
      machine: {
        resolve: (name) =>
          Promise.resolve({ name, addresses: [{ ip: name, port: 0, family: 4 }], failure: null, learnedAt: 0 }),
        tryConnect(to, way) {
          heard("connects")(to, way);
          return Promise.resolve({ ok: true, tookMs: 1 });
        },
        dateToldBy(to, { way }) {
          heard("asks")(to, way);
          return Promise.resolve(null);
        },
      },
    });
    expect(said.toSorted()).toEqual([
      "asks 10.0.0.7 2 never",
      "asks 10.0.0.8 0 prior",
      "asks unix:/run/shop.sock 0 never",
      "connects 10.0.0.7 2 never",
      "connects 10.0.0.8 0 prior",
      "connects unix:/run/shop.sock 0 never",
    ]);
  });

  test("are asked for a handshake, and one that is not accepted is bad and says whose certificate came", async () => {
    const text = "CERT_HAS_EXPIRED: certificate of a1.example.net by Test CA, 2026-01-01 to 2026-04-01";
    const { of, code } = await findings({
      files: { "goodgate.yaml": SECURE },
      machine: {
        tryHandshake: ({ ip, port }, { serverName }) =>
          Promise.resolve({ ok: ip !== "10.0.0.1" || port !== 443 || serverName !== "a1.example.net", text }),
        dateToldBy: () => Promise.resolve(WALL + 90_000),
      },
    });
    expect(code).toBe(EXIT.no);
    expect(of("origin https://a1.example.net")).toMatchObject({
      level: "bad",
      says: `no TLS that is accepted: ${text}.`,
    });
    // What may be behind it is told too.
    expect(of("clock")).toMatchObject({ level: "bad" });
  });

  test("whose certificates are not checked are a warning at every look", async () => {
    const { of, code } = await findings({
      files: { "goodgate.yaml": SECURE.replace("  shop:\n", "  shop:\n    tls: { verify: false }\n") },
    });
    expect(code).toBe(EXIT.ok);
    expect(of("origin https://a1.example.net")).toMatchObject({
      level: "warn",
      says: "its certificate is not checked (TLSv1.3).",
    });
  });
});

describe("the clock", () => {
  test.each([
    [0, "ok"],
    [4_999, "ok"],
    [5_000, "warn"],
    [-30_000, "warn"],
    [60_000, "bad"],
  ] as const)("when all origins are %d ms ahead is %s", async (offMs, level) => {
    const { of } = await findings({ machine: { dateToldBy: () => Promise.resolve(WALL + offMs) } });
    expect(of("clock")?.level).toBe(level);
  });

  test("says which way it is off", async () => {
    const { of } = await findings({ machine: { dateToldBy: () => Promise.resolve(WALL + 90_000) } });
    expect(of("clock")?.says).toBe("this machine's clock is 1 min 30 s behind that of most origins.");
  });

  test("one origin that differs from the others is blamed, not this machine", async () => {
    const file = FILE.replace('"http://a2.example.net:81"', '"http://a2.example.net:81", "http://a3.example.net"');
    const { of } = await findings({
      files: { "goodgate.yaml": file },
      machine: { dateToldBy: (_to, { host }) => Promise.resolve(host.includes("a2") ? WALL - 40_000 : WALL) },
    });
    expect(of("clock")).toMatchObject({ level: "warn", says: "the clock of http://a2.example.net:81 is off by 40 s." });
  });

  test("origins that do not tell their time are no finding", async () => {
    const { of } = await findings({ machine: { dateToldBy: () => Promise.resolve(null) } });
    expect(of("clock")).toMatchObject({ level: "ok", says: "no origin told its time, so the clock was not compared." });
  });
});

describe("the configuration", () => {
  test("with problems is the one bad finding, and points to check", async () => {
    const { all, code } = await findings({ files: { "goodgate.yaml": "servicse: {}" } });
    expect(code).toBe(EXIT.no);
    expect(all.filter((finding) => finding.level === "bad")).toMatchObject([
      { id: "configuration", todo: "See them all:  goodgate check goodgate.yaml" },
    ]);
  });

  test("that is named and missing is bad; none at all means the defaults", async () => {
    const named = cliWorld();
    expect(await named.run("doctor", "-c", "other.yaml")).toBe(EXIT.no);
    expect(named.out()).toContain("other.yaml cannot be read (ENOENT)");
    const none = await findings({ files: {} });
    expect(none.code).toBe(EXIT.ok);
    expect(none.of("configuration")?.says).toBe(
      "there is no goodgate.yaml here, so the machine is judged by the defaults.",
    );
    expect(none.all.some((finding) => finding.id.startsWith("origin"))).toBe(false);
  });
});
