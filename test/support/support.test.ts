/** The test servers are trusted by every other test, so they are tested against each other here. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { APART } from "./chromium.ts";
import { runChild, startChild } from "./child.ts";
import type { Child } from "./child.ts";
import { deafListener } from "./deaf-listener.ts";
import { freePort } from "./free-port.ts";
import { readMessage } from "./http-message.ts";
import { startLoad } from "./load.ts";
import { installed } from "./peers.ts";
import { rawClient } from "./raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin } from "./raw-origin.ts";

let origin: RawOrigin;

afterEach(async () => {
  await origin?.close();
});

/** As if two runs of vitest had each begun their first lane. */
const LANE = { env: { VITEST_POOL_ID: "1" } };
/** A process that takes what ports there are for it, and lives on. */
const ASKS_FOR_ALL = `
  const { freePort } = await import(${JSON.stringify(new URL("free-port.ts", import.meta.url).href)});
  const ports = [];
  try {
    while (ports.length < 500) ports.push(await freePort());
  } catch {
    // It has no more.
  }
  console.log("ports " + ports.join());
  setInterval(() => undefined, 60_000);
`;
const NETLINK = `#!/usr/bin/env python3
import socket
socket.socket(socket.AF_UNIX).close()
try: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
except OSError as error: print(error.strerror)
`;

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

describe("a raw origin and a raw client", () => {
  it("exchange exactly the bytes of the script, in the pieces that were sent", async () => {
    origin = await rawOrigin(async (connection) => {
      await connection.head();
      expect(await connection.take(3)).toBe("abc");
      await connection.send(response(200, "one"));
      await connection.head();
      await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\nX-T: 1\r\n\r\n");
    });
    const client = await rawClient(origin.port);
    await client.send(GET, "a", "bc", ...Array.from(GET));
    expect(await client.response()).toMatchObject({ status: 200, body: "one" });
    expect(await client.response()).toMatchObject({ body: "two", trailers: { "x-t": "1" } });
    client.close();
    expect(origin.heads).toEqual([GET, GET]);
  });

  it("tell FIN from RST at both ends", async () => {
    origin = await rawOrigin(async (connection) => {
      await connection.head();
      if (connection.number === 1) connection.close();
      else connection.reset();
    });
    const first = await rawClient(origin.port);
    await first.send(GET);
    expect(await first.over).toBe("fin");
    const second = await rawClient(origin.port);
    await second.send(GET);
    expect(await second.over).toBe("ECONNRESET");
    const third = await rawClient(origin.port);
    await origin.connection(3);
    third.reset();
    expect(await (await origin.connection(3)).over).toBe("ECONNRESET");
    const fourth = await rawClient(origin.port);
    fourth.halfClose();
    expect(await (await origin.connection(4)).over).toBe("fin");
    fourth.close();
  });

  it("say what came when a wait cannot come true any more", async () => {
    origin = await rawOrigin(async (connection) => {
      await connection.head();
      await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort");
      connection.close();
    });
    const client = await rawClient(origin.port);
    await client.send(GET);
    await expect(client.response()).rejects.toThrow(/no complete response, fin: .*short/);
  });

  it("end an idle connection with FIN", async () => {
    origin = await rawOrigin((connection) => {
      connection.closeWhenIdle(20);
    });
    const client = await rawClient(origin.port);
    expect(await client.over).toBe("fin");
  });
});

describe("a message reader", () => {
  const full = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\n\r\n";

  it("waits for the last byte", () => {
    for (let end = 0; end < full.length; end += 1) expect(readMessage(full.slice(0, end), "GET", false)).toBeNull();
    expect(readMessage(full, "GET", false)).toMatchObject({ body: "ab", bytes: full.length });
  });

  it("knows responses without a body and bodies without an end", () => {
    expect(readMessage("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", false)?.body).toBe("");
    expect(readMessage("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD", false)?.body).toBe("");
    expect(readMessage("HTTP/1.1 200 OK\r\n\r\nuntil the end", "GET", false)).toBeNull();
    expect(readMessage("HTTP/1.1 200 OK\r\n\r\nuntil the end", "GET", true)?.body).toBe("until the end");
  });
});

describe("a deaf listener", () => {
  it("neither accepts nor refuses", async () => {
    const deaf = await deafListener();
    try {
      const outcome = rawClient(Number(new URL(deaf.url).port)).then(
        () => "connected",
        () => "refused",
      );
      const silence = new Promise<string>((resolve) => setTimeout(resolve, 100, "silence"));
      expect(await Promise.race([outcome, silence])).toBe("silence");
    } finally {
      await deaf.stop();
    }
  });
});

describe("the load generator", () => {
  it("counts every request once, by status or by error", async () => {
    origin = await rawOrigin(async (connection) => {
      for (;;) {
        await connection.head();
        if (connection.number % 5 === 0) connection.reset();
        else await connection.send(response(connection.number % 2 === 0 ? 404 : 200, "x", { Connection: "close" }));
      }
    });
    const load = startLoad({ port: origin.port, path: "/", ratePerSecond: 500 });
    await load.completed(100);
    const result = await load.stop();
    const counts = [...Object.values(result.byStatus), ...Object.values(result.byError)];
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(result.sent);
    expect(Object.keys(result.byStatus).toSorted()).toEqual(["200", "404"]);
    expect(result.byError["ECONNRESET"]).toBeGreaterThan(0);
  });

  it("does not wait for slow answers before it sends more", async () => {
    origin = await rawOrigin(async (connection) => {
      await connection.head();
      await connection.over;
    });
    const load = startLoad({ port: origin.port, path: "/", ratePerSecond: 500 });
    await origin.connection(20);
    origin.follow(answerAll(response(200)));
    for (const connection of origin.connections) connection.reset();
    expect((await load.stop()).sent).toBeGreaterThanOrEqual(20);
  });
});

describe("a child process", () => {
  it("is waited for by what it prints, and its early end is told with its words", async () => {
    const good = await startChild("/bin/sh", ["-c", "echo ready 7; exec sleep 60"]);
    expect((await good.printed(/ready (\d)/))[1]).toBe("7");
    expect(good.residentBytes()).toBeGreaterThan(0);
    expect(await good.stop()).toEqual({ code: null, signal: "SIGTERM" });
    const bad = await startChild("/bin/sh", ["-c", "echo no luck >&2; exit 3"]);
    await expect(bad.printed(/ready/)).rejects.toThrow(/exit code 3[\s\S]*no luck/);
  });

  it("ends also when it was stopped and when it ignores SIGTERM", async () => {
    const stubborn = await startChild("/bin/sh", ["-c", "trap '' TERM; echo up; while :; do sleep 1; done"]);
    await stubborn.printed(/up/);
    stubborn.signal("SIGSTOP");
    expect(await stubborn.stop(50)).toEqual({ code: null, signal: "SIGKILL" });
  });
});

describe.skipIf(!installed("python3"))("a browser", () => {
  it("hears nothing of network cards that other tests make and remove", async () => {
    const folder = mkdtempSync(join(tmpdir(), "goodgate-chromium-"));
    try {
      writeFileSync(join(folder, "chromium"), NETLINK, { mode: 0o755 });
      const path = `${folder}:${process.env["PATH"]}`;
      const { stdout } = await runChild(APART, [], { env: { PATH: path } });
      expect(stdout).toBe("Address family not supported by protocol\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("free ports", () => {
  it("are never handed out twice", async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
    expect(new Set(ports).size).toBe(50);
  });

  it("are of one process alone, whatever lane and run it belongs to, until it ends", async () => {
    const asking = (): Promise<Child> =>
      startChild(process.execPath, ["--input-type=module", "-e", ASKS_FOR_ALL], LANE);
    const children = await Promise.all(Array.from({ length: 4 }, asking));
    try {
      const given = await Promise.all(children.map(async (child) => (await child.printed(/^ports (.*)$/m))[1] ?? ""));
      const ports = given.flatMap((line) => line.split(","));
      expect(ports.length).toBeGreaterThan(1_000);
      expect(new Set(ports).size).toBe(ports.length);
    } finally {
      await Promise.all(children.map((child) => child.stop()));
    }
  });
});
