/** What clients get when there is a cache, through the whole gateway: origins are played by hand. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../../test/support/memory-gateway.ts";
import type { Peer } from "../../../test/support/memory-socket.ts";

const GET = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

function get(fields = "", target = "/a", method = "GET"): string {
  return `${method} ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
}

function response(fields: string, body = "stored", status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

async function world(cache: unknown = true, rest: MemoryGatewayOptions = {}): Promise<MemoryGateway> {
  return memoryGateway({
    ...rest,
    service: { retry: false, ejection: false, ...rest.service, routes: [{ cache }] },
  });
}

/** No key at all: what is done without configuration. */
async function unconfigured(rest: MemoryGatewayOptions = {}): Promise<MemoryGateway> {
  return memoryGateway({ ...rest, service: { retry: false, ejection: false, ...rest.service } });
}

function bodyOf(message: string): string {
  return message.slice(message.indexOf("\r\n\r\n") + 4);
}

/** What a new client gets for its request; `origin` answers when it is asked. */
function ask(gateway: MemoryGateway, request: string, answer?: string): { client: Peer; got: string } {
  const client = gateway.client();
  const before = gateway.network.dialled.map((peer) => peer.received.length);
  client.send(request);
  if (answer !== undefined) {
    const asked = gateway.network.dialled.findIndex((peer, index) => peer.received.length > (before[index] ?? 0));
    if (asked === -1) throw new Error(`no origin was asked; the client got ${client.received}`);
    gateway.origin(asked + 1).send(answer);
  }
  return { client, got: client.received };
}

function requestsTo(gateway: MemoryGateway): number {
  return gateway.network.dialled.reduce((sum, peer) => sum + (peer.received.match(/ HTTP\/1\.1\r\n/g)?.length ?? 0), 0);
}

function statusLine(got: string): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(got)?.[1] ?? "";
}

function cacheStatus(got: string): string {
  return /\r\nCache-Status: goodgate; ([^\r]*)/.exec(got)?.[1] ?? "";
}

function expectQuiet(gateway: MemoryGateway): void {
  expect(gateway.faults).toEqual([]);
  expect(gateway.gateway.view.status().exchangesActive).toBe(0);
}

describe("a route with a cache", () => {
  it("answers a second request from the first response, with its age", async () => {
    const gateway = await world();
    expect(cacheStatus(ask(gateway, GET, response("Cache-Control: max-age=60\r\n")).got)).toBe("fwd=uri-miss; stored");
    gateway.advance(3_000);
    const { got } = ask(gateway, GET);
    expect(bodyOf(got)).toBe("stored");
    expect(got).toMatch(/\r\nAge: 3\r\n/);
    expect(cacheStatus(got)).toBe("hit; ttl=57");
    expect(requestsTo(gateway)).toBe(1);
    expect(gateway.records.map((record) => record.cache)).toEqual(["miss", "hit"]);
    expect(gateway.records[1]).toMatchObject({ outcome: "served", status: 200, originStatus: 0, attempts: [] });
    expectQuiet(gateway);
  });

  it("asks the origin whether a stale response still holds, and gives it when it does", async () => {
    const gateway = await world();
    ask(gateway, GET, response('Cache-Control: max-age=1\r\nETag: "v1"\r\nX-A: 1\r\n'));
    gateway.advance(2_000);
    const { got } = ask(
      gateway,
      GET,
      'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nX-A: 2\r\nCache-Control: max-age=5\r\n\r\n',
    );
    expect(gateway.origin(1).received).toContain('If-None-Match: "v1"\r\n');
    expect(statusLine(got)).toBe("200");
    expect(bodyOf(got)).toBe("stored");
    expect(got).toContain("X-A: 2");
    expect(got).not.toContain("X-A: 1");
    expect(cacheStatus(got)).toBe("fwd=stale; fwd-status=304; stored");
    gateway.advance(4_000);
    expect(cacheStatus(ask(gateway, GET).got)).toBe("hit; ttl=1");
    expect(gateway.records.map((record) => record.cache)).toEqual(["miss", "revalidated", "hit"]);
    expectQuiet(gateway);
  });

  it("does not believe a 304 with the strong validator of something else, beyond the request that it answers", async () => {
    const gateway = await world();
    ask(gateway, GET, response('Cache-Control: max-age=1\r\nETag: "v1"\r\n'));
    gateway.advance(2_000);
    const odd = 'HTTP/1.1 304 Not Modified\r\nETag: "v2"\r\nCache-Control: max-age=50\r\n\r\n';
    expect(ask(gateway, GET, odd).got).toContain('ETag: "v1"');
    expect(cacheStatus(ask(gateway, GET, response("", "new")).got)).toContain("fwd=stale");
  });

  it.each([
    ["private", "Cache-Control: private, max-age=60\r\n"],
    ["private for one field", 'Cache-Control: private="x-a", max-age=60\r\n'],
    ["no-store", "Cache-Control: max-age=60, no-store\r\n"],
    ["no-store behind a quote that does not end", 'Cache-Control: a="b, no-store, max-age=60\r\n'],
    ["a cookie", "Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n"],
    ["Vary: *", "Cache-Control: max-age=60\r\nVary: x, *\r\n"],
    ["an age that cannot be read", "Cache-Control: max-age=60\r\nAge: 1, 2\r\n"],
    ["nothing said about it", ""],
    ["only a date to guess from", "Last-Modified: Mon, 02 Jan 2006 15:04:05 GMT\r\n"],
    ["its targeted field's word", "Cache-Control: max-age=60\r\nCDN-Cache-Control: no-store\r\n"],
  ])("never answers with what has %s", async (_what, fields) => {
    const gateway = await world();
    ask(gateway, GET, response(fields));
    expect(bodyOf(ask(gateway, GET, response("", "second")).got)).toBe("second");
    expectQuiet(gateway);
  });

  it("obeys CDN-Cache-Control before Cache-Control, passes it on, and ignores it when it is no dictionary", async () => {
    const gateway = await world();
    const { got } = ask(gateway, GET, response("Cache-Control: no-store\r\nCDN-Cache-Control: max-age=60\r\n"));
    expect(got).toContain("CDN-Cache-Control: max-age=60\r\n");
    expect(cacheStatus(ask(gateway, GET).got)).toBe("hit; ttl=60");
    ask(gateway, get("", "/b"), response("Cache-Control: no-store\r\nCDN-Cache-Control: max-age=60, ,\r\n"));
    expect(bodyOf(ask(gateway, get("", "/b"), response("", "again")).got)).toBe("again");
  });

  it("does not store what came for credentials, unless the response allows it", async () => {
    const gateway = await world();
    const mine = get("Authorization: Basic YTpi\r\n");
    ask(gateway, mine, response("Cache-Control: max-age=60\r\n"));
    expect(bodyOf(ask(gateway, GET, response("Cache-Control: no-store\r\n", "public")).got)).toBe("public");
    ask(gateway, mine, response("Cache-Control: public, max-age=60\r\n"));
    expect(bodyOf(ask(gateway, GET).got)).toBe("stored");
  });

  it("keeps variants apart by the fields that Vary names, and together where they say the same", async () => {
    const gateway = await world();
    const vary = "Cache-Control: max-age=60\r\nVary: Accept-Language\r\n";
    ask(gateway, get("Accept-Language: de, en;q=0.5\r\n"), response(vary, "deutsch"));
    ask(gateway, get("Accept-Language: fr\r\n"), response(vary, "français!"));
    expect(bodyOf(ask(gateway, get("Accept-Language: EN;q=0.50 ,DE\r\n")).got)).toBe("deutsch");
    expect(cacheStatus(ask(gateway, get("Accept-Language: it\r\n"), response(vary, "x")).got)).toContain(
      "fwd=vary-miss",
    );
    expectQuiet(gateway);
  });

  it("keeps no more variants of one URL than it may", async () => {
    const gateway = await world(true, { rest: { cache: { variants: 2 } } });
    const vary = "Cache-Control: max-age=60\r\nVary: X-V\r\n";
    for (const value of ["1", "2", "3"]) ask(gateway, get(`X-V: ${value}\r\n`), response(vary, `v${value}`));
    expect(bodyOf(ask(gateway, get("X-V: 3\r\n")).got)).toBe("v3");
    expect(bodyOf(ask(gateway, get("X-V: 2\r\n")).got)).toBe("v2");
    expect(bodyOf(ask(gateway, get("X-V: 1\r\n"), response(vary, "anew")).got)).toBe("anew");
  });

  it("answers a client's own conditions, ranges and HEAD from the stored response", async () => {
    const gateway = await world();
    ask(
      gateway,
      GET,
      response('Cache-Control: max-age=60\r\nETag: "v1"\r\nContent-Type: text/plain\r\n', "0123456789"),
    );
    const unmodified = ask(gateway, get('If-None-Match: "v0", W/"v1"\r\n')).got;
    expect(statusLine(unmodified)).toBe("304");
    expect(unmodified).toContain('ETag: "v1"');
    expect(unmodified).not.toContain("Content-Type");
    const part = ask(gateway, get("Range: bytes=2-4\r\n")).got;
    expect(statusLine(part)).toBe("206");
    expect(part).toContain("Content-Range: bytes 2-4/10\r\n");
    expect(part).toContain("Content-Length: 3\r\n");
    expect(bodyOf(part)).toBe("234");
    expect(bodyOf(ask(gateway, get("Range: bytes=-3\r\n")).got)).toBe("789");
    expect(statusLine(ask(gateway, get("Range: bytes=10-\r\n")).got)).toBe("416");
    expect(bodyOf(ask(gateway, get("Range: bytes=0-1,4-5\r\n")).got)).toBe("0123456789");
    expect(bodyOf(ask(gateway, get('Range: bytes=0-1\r\nIf-Range: "v0"\r\n')).got)).toBe("0123456789");
    const head = ask(gateway, get("", "/a", "HEAD")).got;
    expect(head).toContain("Content-Length: 10\r\n");
    expect(bodyOf(head)).toBe("");
    expect(requestsTo(gateway)).toBe(1);
    expectQuiet(gateway);
  });

  it("never stores a part, nor what was cut, in any framing", async () => {
    const gateway = await world();
    ask(
      gateway,
      get("Range: bytes=0-1\r\n"),
      "HTTP/1.1 206 Partial Content\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\n01",
    );
    for (const [index, head] of [
      "Content-Length: 9\r\n\r\n0123",
      "Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n",
      "\r\n0123",
    ].entries()) {
      ask(gateway, GET, `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n${head}`);
      gateway.network.dialled[gateway.network.dialled.length - 1]?.rst();
      expect(gateway.records.at(-1)?.outcome, String(index)).toBe("failed");
    }
    expect(bodyOf(ask(gateway, GET, response("", "whole")).got)).toBe("whole");
    expectQuiet(gateway);
  });

  it("forgets what an unsafe request may have changed, also under Location, unless that failed", async () => {
    const gateway = await world();
    const lasting = "Cache-Control: max-age=60\r\n";
    for (const target of ["/a", "/b", "/c"]) ask(gateway, get("", target), response(lasting));
    const post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    ask(gateway, post, response("", "no", "500 Internal Server Error"));
    expect(cacheStatus(ask(gateway, GET).got)).toContain("hit");
    ask(gateway, post, response("Location: /b\r\nContent-Location: http://elsewhere/c\r\n", "", "201 Created"));
    for (const target of ["/a", "/b"]) {
      expect(bodyOf(ask(gateway, get("", target), response("", "anew")).got)).toBe("anew");
    }
    expect(cacheStatus(ask(gateway, get("", "/c")).got)).toContain("hit");
    expectQuiet(gateway);
  });

  it("does not store the state before an unsafe request that overtook it", async () => {
    const gateway = await world();
    const slow = gateway.client();
    slow.send(GET);
    gateway.advance(100);
    ask(gateway, "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n", response("", "gone"));
    gateway.advance(100);
    gateway.origin(1).send(response("Cache-Control: max-age=60\r\n", "before"));
    expect(bodyOf(slow.received)).toBe("before");
    expect(bodyOf(ask(gateway, GET, response("", "after")).got)).toBe("after");
    expectQuiet(gateway);
  });

  it("passes by what is not its business", async () => {
    const gateway = await world();
    expect(cacheStatus(ask(gateway, get("If-Match: *\r\n"), response("")).got)).toBe("fwd=bypass; detail=NO-FRESHNESS");
    expect(
      cacheStatus(ask(gateway, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", response("")).got),
    ).toBe("fwd=method");
    const withBody = "GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb";
    expect(cacheStatus(ask(gateway, withBody, response("Cache-Control: max-age=60\r\n")).got)).toContain("fwd=bypass");
    expect(cacheStatus(ask(gateway, GET, response("")).got)).toContain("uri-miss");
    expectQuiet(gateway);
  });

  it("passes on what is too large to be stored, and says so", async () => {
    const gateway = await world(true, { rest: { cache: { object: "1KiB" } } });
    const large = "x".repeat(2_000);
    const { got } = ask(gateway, GET, response("Cache-Control: max-age=60\r\n", large));
    expect(cacheStatus(got)).toBe("fwd=uri-miss; detail=TOO-LARGE");
    expect(bodyOf(got)).toBe(large);
    const chunked = `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${large}\r\n0\r\n\r\n`;
    expect(ask(gateway, GET, chunked).got).toContain(large);
    expect(bodyOf(ask(gateway, GET, response("", "anew")).got)).toBe("anew");
    expectQuiet(gateway);
  });

  it("evicts what is used least when its memory is full", async () => {
    const gateway = await world(true, { rest: { cache: { memory: "64KiB", object: "32KiB" } } });
    const lasting = "Cache-Control: max-age=60\r\n";
    const large = "x".repeat(16_000);
    ask(gateway, get("", "/kept"), response(lasting, large));
    for (let index = 0; index < 10; index += 1) {
      ask(gateway, get("", `/${index}`), response(lasting, large));
      expect(cacheStatus(ask(gateway, get("", "/kept")).got), String(index)).toContain("hit");
    }
    expect(cacheStatus(ask(gateway, get("", "/0"), response("")).got)).toContain("uri-miss");
    expectQuiet(gateway);
  });
});

describe("requests for the same at the same time", () => {
  it("are one request to the origin, and each client gets the response as it comes", async () => {
    const gateway = await world();
    const clients = [gateway.client(), gateway.client(), gateway.client()];
    for (const client of clients) client.send(GET);
    expect(requestsTo(gateway)).toBe(1);
    gateway.origin(1).send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nsto");
    for (const client of clients) expect(client.received).toContain("sto");
    const late = gateway.client();
    late.send(GET);
    expect(late.received).toContain("sto");
    gateway.origin(1).send("red");
    for (const client of [...clients, late]) expect(client.received.replaceAll(/[\r\n\d]/g, "")).toContain("stored");
    expect(requestsTo(gateway)).toBe(1);
    expect(gateway.records.map((record) => record.cache).toSorted()).toEqual([
      "collapsed",
      "collapsed",
      "collapsed",
      "miss",
    ]);
    expect(cacheStatus(clients[1]?.received ?? "")).toBe("fwd=uri-miss; collapsed");
    expectQuiet(gateway);
  });

  it("go their own ways when the response is not for others", async () => {
    const gateway = await world();
    const clients = [gateway.client(), gateway.client(), gateway.client()];
    for (const client of clients) client.send(GET);
    gateway.origin(1).send(response("Cache-Control: private\r\n", "one"));
    expect(requestsTo(gateway)).toBe(3);
    for (const number of [1, 2, 3]) {
      const peer = gateway.network.dialled[number - 1];
      if (number > 1 || (peer?.received.match(/GET/g)?.length ?? 0) > 1)
        peer?.send(response("Cache-Control: private\r\n", "own"));
    }
    expect(clients.map((client) => bodyOf(client.received))).toEqual(["one", "own", "own"]);
    // It is known of this URL now: nobody waits in vain.
    const next = [gateway.client(), gateway.client()];
    for (const client of next) client.send(GET);
    expect(requestsTo(gateway)).toBe(5);
  });

  it("do not end with the client that came first", async () => {
    const gateway = await world();
    const [first, second] = [gateway.client(), gateway.client()];
    first.send(GET);
    second.send(GET);
    first.rst();
    gateway.origin(1).send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nsto");
    gateway.origin(1).send("red");
    expect(second.received).toContain("sto");
    expect(gateway.records.map((record) => [record.cache, record.outcome])).toEqual([
      ["miss", "aborted"],
      ["collapsed", "served"],
    ]);
    expect(cacheStatus(ask(gateway, GET).got)).toContain("hit");
    expectQuiet(gateway);
  });

  it("do not wait for the client that came first when it is slow", async () => {
    const gateway = await world();
    const [slow, second] = [gateway.client(), gateway.client()];
    slow.takeOnly(10);
    slow.send(GET);
    second.send(GET);
    const body = "y".repeat(100_000);
    const whole = response("Cache-Control: max-age=60\r\n", body);
    gateway.origin(1).send(whole.slice(0, 60_000));
    expect(gateway.origin(1).stalled).toBe(false);
    gateway.origin(1).send(whole.slice(60_000));
    expect(second.received.replaceAll(/[^y]/g, "").length).toBe(body.length);
    slow.takeAll();
    expect(slow.received.replaceAll(/[^y]/g, "").length).toBe(body.length);
    expectQuiet(gateway);
  });

  it("are taken over by the next when the first fails, one at a time", async () => {
    const gateway = await world();
    const clients = [gateway.client(), gateway.client(), gateway.client()];
    for (const client of clients) client.send(GET);
    gateway.origin(1).rst();
    expect(statusLine(clients[0]?.received ?? "")).toBe("502");
    expect(requestsTo(gateway)).toBe(2);
    gateway.origin(2).send(response("Cache-Control: max-age=60\r\n"));
    expect(clients.slice(1).map((client) => statusLine(client.received))).toEqual(["200", "200"]);
    expectQuiet(gateway);
  });

  it("do not wait longer than they may", async () => {
    const gateway = await world(true, { rest: { cache: { wait: "1s" } } });
    const [first, second] = [gateway.client(), gateway.client()];
    first.send(GET);
    second.send(GET);
    gateway.advance(900);
    expect(requestsTo(gateway)).toBe(1);
    gateway.advance(200);
    expect(requestsTo(gateway)).toBe(2);
    gateway.origin(2).send(response("", "own"));
    expect(bodyOf(second.received)).toBe("own");
    expect(gateway.records[0]?.decisions.map((decision) => decision.code)).toContain("cache.waited-too-long");
    gateway.origin(1).send(response(""));
    expectQuiet(gateway);
  });

  it("wait in no greater number than they may", async () => {
    const gateway = await world(true, { rest: { cache: { waiters: 1 } } });
    for (const client of [gateway.client(), gateway.client(), gateway.client()]) client.send(GET);
    expect(requestsTo(gateway)).toBe(2);
  });

  it("that want another variant ask for it", async () => {
    const gateway = await world();
    const [one, two] = [gateway.client(), gateway.client()];
    one.send(get("X-V: 1\r\n"));
    two.send(get("X-V: 2\r\n"));
    const vary = "Cache-Control: max-age=60\r\nVary: X-V\r\n";
    gateway.origin(1).send(response(vary, "v1"));
    expect(requestsTo(gateway)).toBe(2);
    const last = gateway.network.dialled.at(-1);
    last?.send(response(vary, "v2"));
    expect([one, two].map((client) => bodyOf(client.received))).toEqual(["v1", "v2"]);
    expectQuiet(gateway);
  });

  it("share a break as well: nobody takes a part for the whole", async () => {
    const gateway = await world(true, { service: {}, rest: {} });
    const [one, two] = [gateway.client(), gateway.client()];
    one.send(GET);
    two.send(GET);
    gateway.origin(1).send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\nsto");
    gateway.origin(1).rst();
    for (const client of [one, two]) {
      expect(client.received).not.toMatch(/0\r\n\r\n$/);
      expect(client.ended).not.toBe("");
    }
    expect(gateway.records.map((record) => record.outcome)).toEqual(["failed", "failed"]);
    expect(gateway.records[0]?.cause).not.toBeNull();
    expect(gateway.records[1]?.cause).toBe(gateway.records[0]?.cause);
    expectQuiet(gateway);
  });
});

describe("requests that wait for the same, with something stored that may answer when no origin does", () => {
  const OLD = response("Cache-Control: max-age=1\r\nConnection: close\r\n", "old");

  /** Something stored, stale, and two clients that want it; the second waits for what the first one gets. */
  async function waiting(rest: MemoryGatewayOptions = {}, acceptAtOnce = true): Promise<[MemoryGateway, Peer, Peer]> {
    const gateway = await world(true, rest);
    ask(gateway, GET, OLD);
    gateway.advance(2_000);
    gateway.network.acceptAtOnce = acceptAtOnce;
    const [first, second] = [gateway.client(), gateway.client()];
    for (const client of [first, second]) client.send(GET);
    expect(gateway.network.dialled).toHaveLength(2);
    return [gateway, first, second];
  }

  it("get it with the first one when that has failed, and no origin is asked again for them", async () => {
    const [gateway, first, second] = await waiting();
    gateway.origin(2).rst();
    for (const client of [first, second]) expect(bodyOf(client.received)).toBe("old");
    expect(gateway.network.dialled).toHaveLength(2);
    const record = gateway.records.find(({ attempts }) => attempts.length === 0);
    expect(record).toMatchObject({ outcome: "rescued", cache: "last-good" });
    expect(record?.decisions.at(-1)?.reason).toMatch(
      /^request [0-9a-f]{32}, which fetched it for others, was answered by no origin; a stored response 2 s old/,
    );
    expect(cacheStatus(second.received)).toBe("fwd=stale; collapsed; detail=DISCONNECTED");
    expectQuiet(gateway);
  });

  it("get it when an origin answered the first one with an error, where that is allowed", async () => {
    for (const [staleIfError, asked] of [
      ["1h", 2],
      ["0s", 3],
    ] as const) {
      const gateway = await world({ staleIfError });
      ask(gateway, GET, OLD);
      gateway.advance(2_000);
      const [first, second] = [gateway.client(), gateway.client()];
      for (const client of [first, second]) client.send(GET);
      gateway.origin(2).send(response("Connection: close\r\n", "no", "503 Sorry"));
      expect(gateway.network.dialled).toHaveLength(asked);
      expect(bodyOf(first.received)).toBe(asked === 2 ? "old" : "no");
      expect(bodyOf(second.received)).toBe(asked === 2 ? "old" : "");
    }
  });

  it("get it after a second behind an origin that cannot even be connected to", async () => {
    const [gateway, first, second] = await waiting({}, false);
    gateway.advance(900);
    expect(second.received).toBe("");
    gateway.advance(250);
    expect(bodyOf(second.received)).toBe("old");
    expect(first.received).toBe("");
    gateway.advance(1_000);
    expect(bodyOf(first.received)).toBe("old");
    expectQuiet(gateway);
  });

  it("wait for an origin that is only slow, and get its answer", async () => {
    const [gateway, , second] = await waiting();
    gateway.advance(4_500);
    expect(second.received).toBe("");
    gateway.origin(2).send(response("Cache-Control: max-age=60\r\n", "new"));
    expect(bodyOf(second.received)).toBe("new");
    expectQuiet(gateway);
  });

  it("get it when they have waited for as long as they may and no origin has sent a byte", async () => {
    const [gateway, first, second] = await waiting();
    gateway.advance(5_200);
    expect(bodyOf(second.received)).toBe("old");
    expect(gateway.network.dialled).toHaveLength(2);
    gateway.origin(2).send(response("Cache-Control: max-age=60\r\n", "new"));
    expect(bodyOf(first.received)).toBe("new");
    expectQuiet(gateway);
  });

  it("get it after a second behind an error that was held back for an origin that says nothing", async () => {
    for (const [staleIfError, given] of [
      ["1h", "old"],
      ["0s", ""],
    ] as const) {
      const gateway = await memoryGateway({
        origins: ["http://10.0.0.1", "http://10.0.0.2"],
        service: { routes: [{ cache: { staleIfError } }] },
      });
      ask(gateway, GET, OLD);
      gateway.advance(2_000);
      const [first, second] = [gateway.client(), gateway.client()];
      for (const client of [first, second]) client.send(GET);
      gateway.origin(2).send(response("Connection: close\r\n", "no", "503 Sorry"));
      expect(gateway.network.dialled).toHaveLength(3);
      gateway.advance(900);
      expect(second.received).toBe("");
      gateway.advance(250);
      expect(bodyOf(second.received)).toBe(given);
      expect(first.received).toBe("");
      gateway.origin(3).send(response("Cache-Control: max-age=60\r\n", "new"));
      expect(bodyOf(first.received)).toBe("new");
      expect(bodyOf(second.received)).toBe(given === "" ? "new" : "old");
      expectQuiet(gateway);
    }
  });

  it("ask by themselves then when what is stored may not answer", async () => {
    const gateway = await world();
    ask(gateway, GET, response("Cache-Control: max-age=1, must-revalidate\r\nConnection: close\r\n", "old"));
    gateway.advance(2_000);
    const [first, second] = [gateway.client(), gateway.client()];
    for (const client of [first, second]) client.send(GET);
    gateway.advance(5_200);
    expect(second.received).toBe("");
    expect(gateway.network.dialled).toHaveLength(3);
  });
});

describe("a stale response", () => {
  it("answers at once while it is fetched anew, where its origin allows that", async () => {
    const gateway = await world();
    ask(gateway, GET, response("Cache-Control: max-age=1, stale-while-revalidate=10\r\n", "old"));
    gateway.advance(2_000);
    const { got } = ask(gateway, GET);
    expect(bodyOf(got)).toBe("old");
    expect(cacheStatus(got)).toBe("hit; ttl=-1; detail=STALE-WHILE-REVALIDATE");
    // One fetch behind its back, however many ask.
    expect(bodyOf(ask(gateway, GET).got)).toBe("old");
    expect(requestsTo(gateway)).toBe(2);
    gateway.origin(1).send(response("Cache-Control: max-age=60\r\n", "new"));
    expect(bodyOf(ask(gateway, GET).got)).toBe("new");
    expect(gateway.records.map((record) => record.cache)).toEqual(["miss", "stale", "stale", "refresh", "hit"]);
    expectQuiet(gateway);
  });

  it("answers for an origin's 5xx only where its origin or the route allows that", async () => {
    const failing = response("", "no", "503 Service Unavailable");
    for (const [cache, directive, given] of [
      [true, "", "no"],
      [true, ", stale-if-error=100", "old"],
      [{ staleIfError: "1d" }, "", "old"],
      [{ staleIfError: "1d" }, ", must-revalidate", "no"],
      [{ staleIfError: "1d" }, ", s-maxage=1", "no"],
      [{ staleIfError: "0s" }, "", "no"],
    ] as const) {
      const gateway = await world(cache);
      ask(gateway, GET, response(`Cache-Control: max-age=1${directive}\r\n`, "old"));
      gateway.advance(2_000);
      const { got } = ask(gateway, GET, failing);
      expect(bodyOf(got), directive).toBe(given);
      if (given === "old") {
        expect(cacheStatus(got)).toBe("fwd=stale; fwd-status=503; detail=STALE-IF-ERROR");
        expect(gateway.records.at(-1)).toMatchObject({
          outcome: "rescued",
          cache: "last-good",
          originStatus: 503,
          cause: null,
        });
        expect(gateway.records.at(-1)?.attempts[0]?.cause).toBe("origin.app_5xx");
      }
      expectQuiet(gateway);
    }
  });

  it("answers when no origin does, and not for longer than it may", async () => {
    for (const [directive, seconds, status] of [
      ["", 2, "200"],
      ["", 90_000, "502"],
      [", must-revalidate", 2, "502"],
      [", proxy-revalidate", 2, "502"],
      [", s-maxage=1", 2, "502"],
      [", no-cache", 2, "502"],
    ] as const) {
      const gateway = await world();
      ask(gateway, GET, response(`Cache-Control: max-age=1${directive}\r\n`));
      for (let left = seconds; left > 0; left -= 3_600) gateway.advance(Math.min(left, 3_600) * 1000);
      const client = gateway.client();
      client.send(GET);
      gateway.network.dialled.at(-1)?.rst();
      expect(statusLine(client.received), `${directive} ${seconds}`).toBe(status);
      if (status === "200") expect(cacheStatus(client.received)).toBe("fwd=stale; detail=DISCONNECTED");
      expectQuiet(gateway);
    }
  });

  it("is a matter of a moment for errors that are stored on the route's word", async () => {
    const gateway = await world({ negative: "10s" });
    ask(gateway, GET, response("", "none", "404 Not Found"));
    expect(bodyOf(ask(gateway, GET).got)).toBe("none");
    gateway.advance(11_000);
    expect(bodyOf(ask(gateway, GET, response("", "there")).got)).toBe("there");
    const plain = await world();
    ask(plain, GET, response("", "none", "404 Not Found"));
    expect(bodyOf(ask(plain, GET, response("", "there")).got)).toBe("there");
  });
});

describe("options of a route", () => {
  it("reload: clients may ask for a newer response", async () => {
    const gateway = await world({ reload: true });
    ask(gateway, GET, response("Cache-Control: max-age=60\r\n"));
    gateway.advance(5_000);
    expect(cacheStatus(ask(gateway, get("Cache-Control: max-age=9\r\n")).got)).toContain("hit");
    expect(
      cacheStatus(
        ask(gateway, get("Cache-Control: max-age=4\r\n"), response("Cache-Control: max-age=60\r\n", "new")).got,
      ),
    ).toContain("fwd=request");
    expect(bodyOf(ask(gateway, GET).got)).toBe("new");
    expect(cacheStatus(ask(gateway, get("Pragma: no-cache\r\n"), response("")).got)).toContain("fwd=request");
    const deaf = await world();
    ask(deaf, GET, response("Cache-Control: max-age=60\r\n"));
    expect(cacheStatus(ask(deaf, get("Cache-Control: no-cache\r\n")).got)).toContain("hit");
  });

  it("setCookie: responses that set cookies are stored with them", async () => {
    const gateway = await world({ setCookie: true });
    ask(gateway, GET, response("Cache-Control: max-age=60\r\nSet-Cookie: lang=de\r\n"));
    expect(ask(gateway, GET).got).toContain("Set-Cookie: lang=de");
  });

  it("staleWhileRevalidate: for responses that do not say it themselves", async () => {
    const gateway = await world({ staleWhileRevalidate: "10s" });
    ask(gateway, GET, response("Cache-Control: max-age=1\r\n"));
    gateway.advance(2_000);
    expect(cacheStatus(ask(gateway, GET).got)).toContain("STALE-WHILE-REVALIDATE");
  });

  it("false, or no memory: nothing is stored, not even for bad times", async () => {
    for (const gateway of [await world(false), await unconfigured({ rest: { cache: { memory: "0B" } } })]) {
      ask(gateway, GET, response("Cache-Control: max-age=60\r\n"));
      const client = gateway.client();
      client.send(GET);
      gateway.network.dialled.at(-1)?.rst();
      expect(statusLine(client.received)).toBe("502");
    }
  });
});

describe("without any configuration", () => {
  it("each request is answered by an origin, and the response says nothing of a cache", async () => {
    const gateway = await unconfigured();
    for (const body of ["one", "two"]) {
      const { got } = ask(gateway, GET, response("Cache-Control: max-age=60\r\n", body));
      expect(bodyOf(got)).toBe(body);
      expect(cacheStatus(got)).toBe("");
    }
    expect(gateway.records.map((record) => record.cache)).toEqual(["", ""]);
    expectQuiet(gateway);
  });

  it("the last good copy is forgotten when a request may have changed it, whatever form its target has", async () => {
    const lasting = "Cache-Control: max-age=60\r\n";
    for (const target of ["/a", "http://x/a"]) {
      const gateway = await unconfigured();
      ask(gateway, GET, response(lasting));
      ask(gateway, `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`, response("", "done"));
      const { client } = ask(gateway, GET, "HTTP/1.1 200 OK\r\n");
      gateway.network.dialled.at(-1)?.rst();
      expect(statusLine(client.received), target).toBe("502");
      expectQuiet(gateway);
    }
  });

  it("the last good copy answers when no origin does", async () => {
    const gateway = await unconfigured();
    ask(gateway, GET, response("Cache-Control: max-age=1\r\n", "good"));
    gateway.advance(10_000);
    const client = gateway.client();
    client.send(GET);
    gateway.network.dialled.at(-1)?.rst();
    expect(bodyOf(client.received)).toBe("good");
    expect(client.received).toMatch(/\r\nAge: 1\d\r\n/);
    expect(cacheStatus(client.received)).toBe("fwd=stale; detail=DISCONNECTED");
    expect(gateway.records[1]).toMatchObject({ outcome: "rescued", cache: "last-good", cause: null });
    expectQuiet(gateway);
  });

  it("a 5xx of an origin is passed on: it did answer", async () => {
    const gateway = await unconfigured();
    ask(gateway, GET, response("Cache-Control: max-age=1000\r\n", "good"));
    expect(statusLine(ask(gateway, GET, response("", "bad", "500 Internal Server Error")).got)).toBe("500");
  });

  it("what only has a validator is kept for those without cookies", async () => {
    const gateway = await unconfigured();
    ask(gateway, GET, response('ETag: "v1"\r\n', "plain"));
    const fails = (request: string): string => {
      const client = gateway.client();
      client.send(request);
      gateway.network.dialled.at(-1)?.rst();
      return client.received;
    };
    expect(bodyOf(fails(GET))).toBe("plain");
    expect(statusLine(fails(get("Cookie: session=1\r\n")))).toBe("502");
    ask(gateway, get("Cookie: session=1\r\n", "/b"), response('ETag: "v1"\r\n', "mine"));
    expect(statusLine(fails(get("", "/b")))).toBe("502");
  });

  it("requests for what is known to be for everybody are put together while it is fetched", async () => {
    const gateway = await unconfigured();
    const lasting = "Cache-Control: max-age=60\r\n";
    const before = [gateway.client(), gateway.client()];
    for (const client of before) client.send(GET);
    expect(requestsTo(gateway)).toBe(2);
    for (const number of [1, 2]) gateway.origin(number).send(response(lasting));
    const after = [gateway.client(), gateway.client()];
    for (const client of after) client.send(GET);
    expect(requestsTo(gateway)).toBe(3);
    gateway.network.dialled
      .find((peer) => (peer.received.match(/GET/g)?.length ?? 0) === 2)
      ?.send(response(lasting, "shared"));
    expect(after.map((client) => bodyOf(client.received))).toEqual(["shared", "shared"]);
    expect(gateway.records.at(-1)?.cache).toBe("collapsed");
    expectQuiet(gateway);
  });
});

describe("a 5xx where something is stored", () => {
  const SORRY = response("", "sorry", "503 Sorry");

  it("without configuration gives way to what its origin allows to be stale then, and to nothing else", async () => {
    for (const [directive, given] of [
      ["max-age=1", "sorry"],
      ["max-age=100", "sorry"],
      ["max-age=1, stale-if-error=100", "old"],
      ["max-age=1, stale-if-error=1", "sorry"],
    ] as const) {
      const gateway = await unconfigured();
      ask(gateway, GET, response(`Cache-Control: ${directive}\r\n`, "old"));
      gateway.advance(3_000);
      const { got } = ask(gateway, GET, SORRY);
      expect(bodyOf(got), directive).toBe(given);
      expectQuiet(gateway);
    }
  });

  it.each([[undefined], [true]])(
    "that was held back while others failed is not given then (cache: %s)",
    async (cache) => {
      const gateway = await memoryGateway({
        origins: ["http://10.0.0.1", "http://10.0.0.2"],
        service: { ejection: false, ...(cache === undefined ? {} : { routes: [{ cache }] }) },
      });
      ask(gateway, GET, response("Cache-Control: max-age=1, stale-if-error=100\r\nConnection: close\r\n", "old"));
      gateway.advance(3_000);
      const client = gateway.client();
      client.send(GET);
      const asked = gateway.network.dialled.length;
      gateway.origin(asked).send(SORRY);
      expect(client.received).toBe("");
      gateway.origin(asked + 1).rst();
      expect(bodyOf(client.received)).toBe("old");
      const { outcome, decisions } = gateway.records.at(-1) ?? { outcome: "", decisions: [] };
      expect(outcome).toBe("rescued");
      const codes = decisions.map(({ code }) => code);
      expect(codes).toContain("cache.last-good");
      expect(codes).not.toContain("held.given");
      expectQuiet(gateway);
    },
  );
});

describe("purging", () => {
  async function filled(): Promise<MemoryGateway> {
    const gateway = await world();
    for (const [target, tags] of [
      ["/a/1", "Cache-Tag: one, news\r\n"],
      ["/a/2?x=1", "Surrogate-Key: two news\r\n"],
      ["/b", ""],
    ] as const) {
      ask(gateway, get("", target), response(`Cache-Control: max-age=60\r\n${tags}`));
    }
    return gateway;
  }

  it.each([
    [{ kind: "url", url: "http://X/a/2?x=1" }, ["/a/2?x=1"]],
    [{ kind: "url", url: "/b" }, ["/b"]],
    [{ kind: "url", url: "https://x:443/b" }, ["/b"]],
    [{ kind: "url", url: "http://y/b" }, []],
    [{ kind: "url", url: "/a/2" }, []],
    [{ kind: "prefix", prefix: "/a/" }, ["/a/1", "/a/2?x=1"]],
    [{ kind: "prefix", prefix: "http://x" }, ["/a/1", "/a/2?x=1", "/b"]],
    [{ kind: "tag", tag: "news" }, ["/a/1", "/a/2?x=1"]],
    [{ kind: "tag", tag: "two" }, ["/a/2?x=1"]],
    [{ kind: "tag", tag: "new" }, []],
  ] as const)("%j removes %j and nothing else", async (target, gone) => {
    const gateway = await filled();
    expect(gateway.gateway.actions.purgeCache(target)).toEqual({ purged: gone.length });
    const left = ["/a/1", "/a/2?x=1", "/b"].filter((path) => {
      const client = gateway.client();
      client.send(get("", path));
      return client.received !== "";
    });
    expect(left).toEqual(["/a/1", "/a/2?x=1", "/b"].filter((path) => !(gone as readonly string[]).includes(path)));
  });

  it("refuses what is no URL", async () => {
    const gateway = await filled();
    for (const url of ["", "a/1", "ftp://x/a", "http://x/a b"]) {
      expect(gateway.gateway.actions.purgeCache({ kind: "url", url }), url).toBeNull();
    }
  });

  it("also keeps out what was on its way", async () => {
    const gateway = await world();
    const client = gateway.client();
    client.send(GET);
    gateway.advance(50);
    expect(gateway.gateway.actions.purgeCache({ kind: "url", url: "/a" })).toEqual({ purged: 0 });
    gateway.origin(1).send(response("Cache-Control: max-age=60\r\n"));
    expect(bodyOf(client.received)).toBe("stored");
    expect(bodyOf(ask(gateway, GET, response("", "anew")).got)).toBe("anew");
  });

  it("frees the memory, and the tags with it", async () => {
    const gateway = await filled();
    gateway.gateway.actions.purgeCache({ kind: "prefix", prefix: "/" });
    expect(gateway.gateway.actions.purgeCache({ kind: "tag", tag: "news" })).toEqual({ purged: 0 });
  });
});
