import http from "node:http";
import net from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { until } from "../../test/support/until.ts";
import { startSampleOrigins } from "./sample-origins.ts";
import type { SampleOrigins } from "./sample-origins.ts";

let samples: SampleOrigins;
const time = manualSchedule();
let blue: string;
beforeAll(async () => {
  samples = await startSampleOrigins(time);
  blue = samples.pools[0]!.urls[0]!;
});
afterAll(() => samples.close());

test("there are two pools, blue with two origins and green with one, each at a port of its own on loopback", () => {
  expect(samples.pools.map((pool) => [pool.name, pool.urls.length])).toEqual([
    ["blue", 2],
    ["green", 1],
  ]);
  const urls = samples.pools.flatMap((pool) => pool.urls);
  expect(new Set(urls).size).toBe(3);
  for (const url of urls) expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test("each says who it is and what reached it, as JSON to programs", async () => {
  const names = await Promise.all(
    samples.pools
      .flatMap((pool) => pool.urls)
      .map(async (url) => {
        const response = await fetch(`${url}/?a=1`, { headers: { "x-one": "1" } });
        const said = (await response.json()) as { origin: string; target: string; headers: Record<string, string> };
        expect(said.target).toBe("/?a=1");
        expect(said.headers["x-one"]).toBe("1");
        expect(response.headers.get("x-sample-origin")).toBe(said.origin);
        return said.origin;
      }),
  );
  expect(names).toEqual(["blue-1", "blue-2", "green-1"]);
});

test("and as a page to browsers, in which nothing of the request can become markup", async () => {
  const response = await fetch(`${blue}/?x='><script>`, {
    headers: { accept: "text/html", "x-evil": "<img src=x onerror=alert(1)>" },
  });
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const page = await response.text();
  expect(page).toContain("<h1>blue-1 answered</h1>");
  expect(page).toContain("&#60;img src=x onerror=alert(1)&#62;");
  expect(page).not.toContain("<img");
  expect(page).not.toContain("<script>");
});

test("it answers any status that is asked for", async () => {
  expect((await fetch(`${blue}/status/503`)).status).toBe(503);
  expect((await fetch(`${blue}/status/204`)).status).toBe(204);
  expect((await fetch(`${blue}/status/103`)).status).toBe(200);
  expect((await fetch(`${blue}/status/999`)).status).toBe(404);
  expect((await fetch(`${blue}/nowhere`)).status).toBe(404);
  expect((await fetch(`${blue}/healthz`)).status).toBe(200);
});

test("a crash is a reset before any byte of a response", async () => {
  await expect(get("/crash")).rejects.toMatchObject({ code: "ECONNRESET" });
  await expect(get("/crash?on=blue-1")).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a crash may be that of one origin, so that another can answer", async () => {
  expect(JSON.parse((await get("/crash?on=blue-2")).body)).toEqual({ origin: "blue-1", crashed: "blue-2" });
});

test("a truncated body never looks complete", async () => {
  const { body, complete } = await get("/truncate");
  expect(body).toContain("blue-1 promises 1000 bytes");
  expect(complete).toBe(false);
});

test("a slow answer says how long it waited", async () => {
  expect(JSON.parse((await get("/slow?ms=1")).body)).toEqual({ origin: "blue-1", waitedMs: 1 });
  expect(JSON.parse((await get("/slow?ms=-5")).body)).toEqual({ origin: "blue-1", waitedMs: 0 });
});

test("a big answer has as many bytes as it promises", async () => {
  const response = await fetch(`${blue}/big?mb=3`);
  expect(response.headers.get("content-length")).toBe(String(3 * 1024 * 1024));
  expect((await response.arrayBuffer()).byteLength).toBe(3 * 1024 * 1024);
});

test("what is sent comes back from /echo", async () => {
  const sent = "x".repeat(200_000);
  expect(await (await fetch(`${blue}/echo`, { method: "POST", body: sent })).text()).toBe(sent);
});

test("events come one by one, the first at once", async () => {
  const response = await fetch(`${blue}/events`);
  const reader = response.body!.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  expect(first).toContain("event: tick");
  expect(first).toContain('data: {"origin":"blue-1","number":1}');
  await reader.cancel();
});

test("a WebSocket sends messages of every size back, and answers pings", async () => {
  const socket = new WebSocket(`${blue.replace("http", "ws")}/ws`);
  await new Promise((resolve) => socket.once("open", resolve));
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
    const text = "é".repeat(size);
    const back = new Promise<string>((resolve) => socket.once("message", (data: Buffer) => resolve(data.toString())));
    socket.send(text);
    expect(await back).toBe(text);
  }
  const pong = new Promise<string>((resolve) => socket.once("pong", (data) => resolve(data.toString())));
  socket.ping("still there");
  expect(await pong).toBe("still there");
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.close(1000);
  expect(await closed).toBe(1000);
});

test("an upgrade to something else is refused", async () => {
  const socket = net.connect(Number(new URL(blue).port), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: telnet\r\n\r\n");
  const reply = await new Promise<string>((resolve) => socket.setEncoding("latin1").once("data", resolve));
  expect(reply).toContain("400 Bad Request");
  socket.destroy();
});

test("closing ends everything that is under way, open sockets too", async () => {
  const others = await startSampleOrigins(time);
  const url = others.pools[0]!.urls[0]!;
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
  await new Promise((resolve) => socket.once("open", resolve));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  const events = await fetch(`${url}/events`);
  const cut = events.text().then(
    () => "whole",
    () => "cut",
  );
  await others.close();
  expect(await cut).toBe("cut");
  await closed;
});

function get(path: string): Promise<{ body: string; complete: boolean }> {
  return new Promise((resolve, reject) => {
    const request = http.get(blue + path, { agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.on("error", () => {});
      response.on("close", () => resolve({ body, complete: response.complete }));
    });
    request.on("error", reject);
  });
}

/** What shows that nothing comes. Where something does, it may take as long as a busy machine needs. */
const SILENCE_MS = 500;
const PATIENCE_MS = 120_000;

/** What a client gets from an origin, in a word. */
function tasted(url: string, timeout: number): Promise<string> {
  return new Promise((resolve) => {
    // A connection of its own: one that lay idle when the outage began would show how that ended instead.
    const request = http.get(url, { agent: false, timeout }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    request.on("timeout", () => {
      resolve("no answer");
      request.destroy();
    });
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "broken"));
  });
}

test.each([
  ["crash", "ECONNREFUSED"],
  ["errors", "500"],
  ["hang", "no answer"],
  ["slow", "no answer"],
] as const)(
  "an outage of kind %s is seen as %s at each origin of the pool, for as long as was asked",
  async (kind, seen) => {
    const [urls = [], others = []] = samples.pools.map((pool) => pool.urls);
    const broken = samples.desk.breakPool("blue", kind, 30_000);
    expect(broken).toEqual({ done: true, pool: "blue", kind, until: time.clock.wall() + 30_000 });
    const limitMs = seen === "no answer" ? SILENCE_MS : PATIENCE_MS;
    expect(await Promise.all(urls.map((url) => tasted(url, limitMs)))).toEqual(urls.map(() => seen));
    expect(await Promise.all(others.map((url) => tasted(url, PATIENCE_MS)))).toEqual(others.map(() => "200"));
    expect(samples.desk.view().pools[0]).toMatchObject({ name: "blue", outage: { kind } });
    expect(samples.desk.breakPool("green", "crash", 1000)).toMatchObject({ done: false, why: "already broken" });
    time.advance(30_000);
    expect(samples.desk.view().pools[0]?.outage).toBe(null);
    // The port is taken again at once or a moment later.
    for (const url of urls)
      await until("the origin answers again", async () => ((await tasted(url, 5_000)) === "200" ? true : null));
  },
);

test("an outage of a pool that is not there says which there are", () => {
  expect(samples.desk.breakPool("red", "crash", 1000)).toMatchObject({
    done: false,
    why: "unknown pool",
    detail: expect.stringContaining("blue and green") as string,
  });
});

test("the samples' own client sends reads and writes, and stops with them", async () => {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request.method ?? "");
    request.resume();
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const others = await startSampleOrigins(time);
  expect(others.desk.view().perSecond).toBe(0);
  others.visit(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  expect(others.desk.view().perSecond).toBeGreaterThan(0);
  await until("both kinds came", () => (seen.includes("GET") && seen.includes("POST") ? true : null));
  await others.close();
  server.close();
});
