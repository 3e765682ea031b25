import { describe, expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import { storyRecord } from "../../test/support/story-records.ts";
import type { GatewayEvent } from "../contract/view.ts";
import { EXIT } from "./exit-codes.ts";
import type { StartResult } from "./ports.ts";

const FILE = `
listeners: [{ bind: "0.0.0.0:80" }]
services:
  shop:
    hosts: ["shop.example.com"]
    pools:
      - { name: blue, origins: ["http://10.0.0.1:3000", "http://10.0.0.2:3000"] }
`;

function failing(what: "listener" | "admin" | "access log", where: string, code: string): () => StartResult {
  return () => ({ ok: false, what, where, code });
}

describe("run", () => {
  test("takes the file of -c, else ./goodgate.yaml, else the sample origins", async () => {
    const named = cliWorld({ files: { "a.yaml": FILE, "goodgate.yaml": "services: {}" } });
    expect(await named.run("run", "-c", "a.yaml")).toBe(EXIT.ok);
    expect(named.started[0]?.services[0]?.name).toBe("shop");
    const found = cliWorld({ files: { "goodgate.yaml": FILE } });
    await found.run("run");
    expect(found.started[0]?.services[0]?.name).toBe("shop");
    const embedded = cliWorld();
    await embedded.run("run");
    expect(embedded.started[0]?.services[0]?.pools.map((pool) => [pool.name, pool.origins.length])).toEqual([
      ["blue", 2],
      ["green", 1],
    ]);
  });

  test("begins with what a predecessor was given, whatever the file says, and says what is wrong with that", async () => {
    const revision = { number: 7, hash: "h", at: 1, by: "ann", reason: "more", changes: [] };
    const left = { text: FILE.replaceAll("shop", "other"), file: "by hand", revision };
    for (const args of [
      ["run", "-c", "a.yaml"],
      ["proxy", "--to", "http://127.0.0.1:1"],
    ]) {
      const world = cliWorld({ files: { "a.yaml": "services: {" }, left });
      expect(await world.run(...args)).toBe(EXIT.ok);
      expect(world.started.map((settings) => settings.services[0]?.name)).toEqual(["other"]);
      expect(world.revisions).toEqual([7]);
    }
    const broken = cliWorld({ files: { "a.yaml": FILE }, left: { ...left, text: "services: 7" } });
    expect(await broken.run("run", "-c", "a.yaml")).toBe(EXIT.no);
    expect(broken.started).toEqual([]);
    expect(broken.err()).toContain("by hand:1:");
  });

  test("says in one line that it has taken the place of another process", async () => {
    const world = cliWorld({ files: { "a.yaml": FILE }, isSuccessor: true });
    await world.run("run", "-c", "a.yaml");
    expect(world.out()).toBe("Goodgate 0.1.0 serves with a.yaml, in the place of the process before.\n");
  });

  test("is what goodgate does without a command", async () => {
    const world = cliWorld({ files: { "goodgate.yaml": FILE, "b.yaml": FILE.replaceAll("shop", "other") } });
    await world.run();
    await world.run("-c", "b.yaml");
    expect(world.started.map((settings) => settings.services[0]?.name)).toEqual(["shop", "other"]);
  });

  test("says what runs where and what to try, for the sample origins", async () => {
    const world = cliWorld();
    expect(await world.run()).toBe(EXIT.ok);
    await expect(world.out()).toMatchFileSnapshot("../../test/golden/start-samples.txt");
    expect(world.samplesClosed()).toBe(true);
  });

  test("says what runs where for a file", async () => {
    const world = cliWorld({ files: { "goodgate.yaml": FILE } });
    await world.run();
    await expect(world.out()).toMatchFileSnapshot("../../test/golden/start-file.txt");
  });

  test("leaves stdout to the access log where that was sent there", async () => {
    const world = cliWorld({ files: { "goodgate.yaml": `${FILE}accessLog: stdout\n` } });
    await world.run();
    expect(world.out()).toBe("");
    expect(world.err()).toContain("Goodgate 0.1.0 serves with goodgate.yaml.");
  });

  test("--json says the same as an object", async () => {
    const world = cliWorld({ files: { "goodgate.yaml": FILE } });
    await world.run("run", "--json");
    expect(world.json()).toMatchObject({
      started: { version: "0.1.0", listeners: [{ host: "0.0.0.0", port: 80 }], services: [{ name: "shop" }] },
    });
  });

  test("a file with problems does not start, and shows each with its line", async () => {
    const world = cliWorld({ files: { "goodgate.yaml": "servicse: {}\n" } });
    expect(await world.run()).toBe(EXIT.no);
    expect(world.started).toEqual([]);
    expect(world.err()).toMatch(/^goodgate\.yaml:1:1 {2}.*\n {2}1 \| servicse: \{\}\n {4}\| \^\n/);
  });

  test("a file that is missing or cannot be read is told with what to do", async () => {
    const world = cliWorld();
    expect(await world.run("run", "-c", "missing.yaml")).toBe(EXIT.no);
    expect(world.err()).toBe(
      "goodgate: there is no file missing.yaml.\n  Check the path. A gateway needs no file at all:  goodgate proxy --to http://127.0.0.1:3000\n",
    );
  });

  test("--bind and --admin move the sample gateway, and are refused beside a file", async () => {
    const moved = cliWorld();
    await moved.run("--bind", "127.0.0.1:8888", "--admin", "127.0.0.1:9999");
    expect(moved.started[0]).toMatchObject({ listeners: [{ bind: { port: 8888 } }], admin: { bind: { port: 9999 } } });
    const wrong = cliWorld();
    expect(await wrong.run("--bind", "8888")).toBe(EXIT.usage);
    expect(wrong.err()).toContain('"8888" is not an address with a port.');
    expect(wrong.samplesClosed()).toBe(true);
    const beside = cliWorld({ files: { "goodgate.yaml": FILE } });
    expect(await beside.run("--bind", "127.0.0.1:8888")).toBe(EXIT.usage);
    expect(beside.err()).toContain("goodgate.yaml says where to listen");
  });

  test("what it says to try finds its own admin API and its own listener", async () => {
    const usual = cliWorld({ files: { "goodgate.yaml": FILE } });
    await usual.run();
    expect(usual.out()).toContain("  goodgate status\n");
    const moved = cliWorld({ files: { "goodgate.yaml": `${FILE}admin: { bind: "127.0.0.1:9999" }\n` } });
    await moved.run();
    expect(moved.out()).toContain("  goodgate status --admin http://127.0.0.1:9999\n");
    expect(moved.out()).toContain("  goodgate explain --last --admin http://127.0.0.1:9999  the story");
    const socket = FILE.replace("0.0.0.0:80", "unix:/run/gg/http.sock");
    const unix = cliWorld({ files: { "goodgate.yaml": `${socket}admin: { bind: "unix:/run/gg/admin.sock" }\n` } });
    await unix.run();
    expect(unix.out()).toContain("  goodgate status --admin unix:/run/gg/admin.sock\n");
    expect(unix.out()).toContain("  curl -i --unix-socket /run/gg/http.sock http://localhost/\n");
    const secure = FILE.replace('"0.0.0.0:80"', '"0.0.0.0:443", tls: { certificates: [{ cert: a.pem, key: a.key }] }');
    const tls = cliWorld({ files: { "goodgate.yaml": secure } });
    await tls.run();
    expect(tls.out()).toContain("  curl -i -k https://127.0.0.1:443/\n");
    const deaf = cliWorld({ files: { "goodgate.yaml": `${FILE}admin: false\n` } });
    await deaf.run();
    expect(deaf.out()).not.toContain("goodgate status");
  });

  test("reports what happens to origins, pools and itself as lines on stderr, but no exchanges", async () => {
    const at = Date.UTC(2026, 10, 21, 14, 5, 9, 250);
    const place = { service: "shop", pool: "blue", origin: "http://a1.example.net" };
    const events: GatewayEvent[] = [
      { kind: "exchange", record: storyRecord() },
      {
        kind: "origin",
        at,
        ...place,
        address: "10.0.0.1:80",
        state: "ejected",
        because: "5 failures in a row (connection refused)",
      },
      { kind: "pool", at, service: "shop", from: "blue", to: "green", because: "no origin of blue can be used" },
      {
        kind: "resolution",
        at,
        service: "shop",
        origin: "http://a1.example.net",
        because: "the name does not exist\u001b[2J",
      },
      { kind: "gateway", at, code: "access-log.failing", detail: "ENOSPC" },
    ];
    const world = cliWorld({ events });
    await world.run();
    expect(world.err()).toBe(
      [
        "14:05:09.250  origin http://a1.example.net (10.0.0.1:80) of shop / blue is ejected: 5 failures in a row (connection refused)",
        "14:05:09.250  service shop moves from pool blue to green: no origin of blue can be used",
        "14:05:09.250  origin http://a1.example.net of shop: the name does not exist\\x1b[2J",
        "14:05:09.250  gateway access-log.failing: ENOSPC",
        "",
      ].join("\n"),
    );
    const json = cliWorld({ events });
    await json.run("run", "--json");
    const lines = json
      .out()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event?: GatewayEvent });
    expect(lines.slice(1).map((line) => line.event?.kind)).toEqual(["origin", "pool", "resolution", "gateway"]);
  });

  test("the exit code is that with which the gateway stopped", async () => {
    const stopped = { listeners: [], admin: null, onEvent: () => {}, stopped: Promise.resolve(70) };
    const world = cliWorld({ start: () => ({ ok: true, gateway: stopped }) });
    expect(await world.run()).toBe(70);
    expect(world.samplesClosed()).toBe(true);
  });
});

describe("a start that fails", () => {
  test("on a taken port names it, how to find who has it, and the option that moves it", async () => {
    const world = cliWorld({ start: failing("listener", "127.0.0.1:8080", "EADDRINUSE") });
    expect(await world.run()).toBe(EXIT.cannotStart);
    expect(world.err()).toBe(
      [
        "goodgate: 127.0.0.1:8080 is already in use.",
        "  See which process holds it:  ss -ltnp 'sport = :8080'",
        "  Stop that process, or choose another address with  --bind 127.0.0.1:8081",
        "",
      ].join("\n"),
    );
    expect(world.samplesClosed()).toBe(true);
  });

  test("says so when it is another Goodgate that has the port", async () => {
    const status = { kind: "answer", status: 200, json: { sentence: "Serving." } } as const;
    const world = cliWorld({
      start: failing("listener", "127.0.0.1:8080", "EADDRINUSE"),
      admin: { "/api/v1/status": status },
    });
    await world.run();
    expect(world.err()).toContain("A Goodgate runs here already; look at it with  goodgate status");
  });

  test("points to the file's key when the address came from a file", async () => {
    const world = cliWorld({
      files: { "goodgate.yaml": FILE },
      start: failing("admin", "127.0.0.1:9090", "EADDRINUSE"),
    });
    await world.run();
    expect(world.err()).toContain("Stop that process, or change admin.bind in goodgate.yaml.");
  });

  test.each([
    ["EACCES", "127.0.0.1:80", "this user may not listen on 127.0.0.1:80", "--bind 127.0.0.1:8080"],
    ["EADDRNOTAVAIL", "192.0.2.1:8080", "192.0.2.1:8080 is not an address of this machine", "ip -brief address"],
    ["EMFILE", "127.0.0.1:8080", "cannot listen on 127.0.0.1:8080 (EMFILE)", "--bind 127.0.0.1:8081"],
  ])("with %s says why and what to do", async (code, where, why, todo) => {
    const world = cliWorld({ start: failing("listener", where, code) });
    expect(await world.run("proxy", "--to", "http://127.0.0.1:3000")).toBe(EXIT.cannotStart);
    expect(world.err()).toContain(why);
    expect(world.err()).toContain(todo);
  });

  test("on an access log that cannot be opened names the file", async () => {
    const world = cliWorld({
      files: { "goodgate.yaml": FILE },
      start: failing("access log", "/var/log/goodgate.log", "EACCES"),
    });
    expect(await world.run()).toBe(EXIT.cannotStart);
    expect(world.err()).toContain("the access log /var/log/goodgate.log cannot be opened (EACCES)");
  });

  test("with --json is an object with a stable code", async () => {
    const world = cliWorld({ start: failing("listener", "127.0.0.1:8080", "EADDRINUSE") });
    expect(await world.run("run", "--json")).toBe(EXIT.cannotStart);
    expect(world.json()).toMatchObject({ error: { code: "cannot-start-eaddrinuse" } });
  });
});

describe("proxy", () => {
  test("fronts every --to as one pool", async () => {
    const world = cliWorld();
    expect(
      await world.run(
        "proxy",
        "--to",
        "http://127.0.0.1:3000",
        "--to",
        "http://127.0.0.1:3001",
        "--bind",
        "0.0.0.0:80",
      ),
    ).toBe(EXIT.ok);
    const pool = world.started[0]?.services[0]?.pools[0];
    expect(pool?.origins.map((origin) => origin.url)).toEqual(["http://127.0.0.1:3000", "http://127.0.0.1:3001"]);
    expect(world.started[0]?.listeners[0]?.bind).toEqual({ host: "0.0.0.0", port: 80 });
  });

  test("refuses a URL that is none, and says how to write it", async () => {
    const world = cliWorld();
    expect(await world.run("proxy", "--to", "127.0.0.1:3000")).toBe(EXIT.usage);
    expect(world.err()).toContain("http://127.0.0.1:3000");
    expect(world.started).toEqual([]);
  });

  test("needs at least one --to", async () => {
    const world = cliWorld();
    expect(await world.run("proxy")).toBe(EXIT.usage);
    expect(world.err()).toContain("--to: No origin is given. Give at least one: --to http://127.0.0.1:3000.");
  });
});
