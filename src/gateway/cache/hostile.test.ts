/** What attackers and bad luck try on the cache: each of these once got something that was not theirs. */
import { TimerWheel } from "../../kernel/timer-wheel.ts";
import { Flight } from "./flight.ts";
import { Store } from "./store.ts";
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../../test/support/memory-gateway.ts";

const LASTING = "Cache-Control: max-age=60\r\n";

function request(fields = "", target = "/a", method = "GET", host = "x"): string {
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
}

function response(fields: string, body = "stored", status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
}

async function cached(options: MemoryGatewayOptions = {}): Promise<MemoryGateway> {
  return memoryGateway({
    ...options,
    service: { retry: false, ejection: false, ...options.service, routes: [{ cache: true }] },
  });
}

/** Nothing is configured: the last good copy answers when no origin does. */
async function unconfigured(options: MemoryGatewayOptions = {}): Promise<MemoryGateway> {
  return memoryGateway({ ...options, service: { retry: false, ejection: false, ...options.service } });
}

/** What a new client gets. `answer`: what the origin says when it is asked; "reset": it breaks the connection instead. */
function ask(gateway: MemoryGateway, text: string, answer = ""): string {
  const client = gateway.client();
  const before = gateway.network.dialled.map((peer) => peer.received.length);
  client.send(text);
  const asked = gateway.network.dialled.find((peer, index) => peer.received.length > (before[index] ?? 0));
  if (answer === "reset") asked?.rst();
  else if (answer !== "") asked?.send(answer);
  return client.received;
}

const statusOf = (got: string): string => /^HTTP\/1\.1 (\d{3})/.exec(got)?.[1] ?? "";
const bodyOf = (got: string): string => got.slice(got.indexOf("\r\n\r\n") + 4);

describe("a request that is no GET", () => {
  it.each(["DELETE", "POST", "PUT", "OPTIONS"])(
    "%s never gets the copy of a GET when its origin fails",
    async (method) => {
      const gateway = await cached();
      ask(gateway, request(), response(LASTING));
      expect(statusOf(ask(gateway, request("Content-Length: 0\r\n", "/a", method), "reset"))).toBe("502");
      expect(statusOf(ask(gateway, request("Content-Length: 0\r\n", "/a", method), response("", "", "503 No")))).toBe(
        "503",
      );
    },
  );

  it.each(["OPTIONS", "TRACE"])("%s leaves nothing behind for a GET", async (method) => {
    const gateway = await cached();
    ask(gateway, request("", "/a", method), response(LASTING, "options"));
    expect(bodyOf(ask(gateway, request(), response("", "page")))).toBe("page");
  });
});

describe("what the answer depends on besides the URL", () => {
  it.each([
    ["a range", "Range: bytes=900-\r\n", "416 Range Not Satisfiable"],
    ["a condition", 'If-Match: "v0"\r\n', "412 Precondition Failed"],
    ["an expectation", "X-A: 1\r\n", "417 Expectation Failed"],
    ["missing credentials", "", "401 Unauthorized"],
    ["too many fields", "", "431 Request Header Fields Too Large"],
    ["too many requests", "", "429 Too Many Requests"],
  ])("is not stored: %s", async (_what, fields, status) => {
    const gateway = await cached();
    expect(ask(gateway, request(fields), response(LASTING, "no", status))).toContain(status);
    expect(bodyOf(ask(gateway, request(), response("", "page")))).toBe("page");
  });

  it("a condition on the origin's state is not answered by a copy when the origin fails", async () => {
    const gateway = await cached();
    ask(gateway, request(), response(LASTING));
    expect(statusOf(ask(gateway, request('If-Match: "v0"\r\n'), "reset"))).toBe("502");
  });

  it("another port in Host is another URL", async () => {
    const gateway = await cached();
    ask(
      gateway,
      request("", "/a", "GET", "x:443"),
      response(`${LASTING}Location: http://x:443/b\r\n`, "", "301 Moved"),
    );
    expect(bodyOf(ask(gateway, request(), response("", "page")))).toBe("page");
  });

  it("what a trusted proxy says of scheme and host is a part of the URL", async () => {
    const gateway = await cached({ listener: { trustedProxies: ["192.0.2.0/24"] } });
    ask(
      gateway,
      request("X-Forwarded-Proto: http\r\n"),
      response(`${LASTING}Location: https://x/a\r\n`, "", "301 Moved"),
    );
    expect(bodyOf(ask(gateway, request("X-Forwarded-Proto: https\r\n"), response("", "page")))).toBe("page");
    expect(statusOf(ask(gateway, request("X-Forwarded-Proto: http\r\n")))).toBe("301");
    ask(gateway, request("X-Forwarded-Host: evil\r\n", "/b"), response(LASTING, "evil"));
    expect(bodyOf(ask(gateway, request("", "/b"), response("", "page")))).toBe("page");
  });

  it.each(["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-User", "Goodgate-Mode"])(
    "Vary on %s, which the gateway writes itself, keeps a response from being stored",
    async (name) => {
      const gateway = await cached();
      ask(gateway, request(`${name}: one\r\n`), response(`${LASTING}Vary: ${name}\r\n`, "one"));
      expect(bodyOf(ask(gateway, request(`${name}: one\r\n`), response("", "two")))).toBe("two");
    },
  );

  it("a field that Connection keeps from the origin selects nothing", async () => {
    const gateway = await cached();
    const vary = `${LASTING}Vary: Accept-Language\r\n`;
    ask(gateway, request("Accept-Language: fr\r\nConnection: Accept-Language\r\n"), response(vary, "english"));
    expect(bodyOf(ask(gateway, request("Accept-Language: fr\r\n"), response(vary, "french")))).toBe("french");
    expect(bodyOf(ask(gateway, request()))).toBe("english");
  });
});

describe("responses of one client", () => {
  it.each(["X-Api-Key: mine", "X-Auth-Token: mine", "X-User: 7"])(
    "never answer for another when nothing but a validator says that they are for all: %s",
    async (field) => {
      const gateway = await unconfigured();
      ask(gateway, request(`${field}\r\n`), response('ETag: "v1"\r\n', "mine"));
      expect(statusOf(ask(gateway, request(), "reset"))).toBe("502");
      ask(gateway, request("", "/b"), response('ETag: "v1"\r\n', "plain"));
      expect(statusOf(ask(gateway, request(`${field}\r\n`, "/b"), "reset"))).toBe("502");
      expect(
        bodyOf(ask(gateway, request("User-Agent: curl/8\r\nAccept: */*\r\nSec-Fetch-Mode: cors\r\n", "/b"), "reset")),
      ).toBe("plain");
    },
  );

  it("a validation by one client is not one for others, where each has to ask", async () => {
    const gateway = await cached();
    const guarded = 'Cache-Control: no-cache\r\nETag: "v1"\r\n';
    ask(gateway, request("Cookie: session=1\r\n"), response(guarded, "members only"));
    const [member, stranger] = [gateway.client(), gateway.client()];
    member.send(request("Cookie: session=1\r\n"));
    stranger.send(request());
    gateway.network.dialled
      .find((peer) => peer.received.includes("If-None-Match"))
      ?.send(`HTTP/1.1 304 Not Modified\r\n${guarded}\r\n`);
    expect(bodyOf(member.received)).toBe("members only");
    expect(stranger.received).toBe("");
  });

  it("a copy without a word on sharing is not shared by validating it", async () => {
    const gateway = await cached();
    ask(gateway, request(), response('ETag: "v1"\r\n', "for guests"));
    const [guest, user] = [gateway.client(), gateway.client()];
    guest.send(request());
    user.send(request("Cookie: session=1\r\n"));
    gateway.network.dialled
      .find((peer) => peer.received.includes("If-None-Match"))
      ?.send('HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n');
    expect(bodyOf(guest.received)).toBe("for guests");
    expect(user.received).toBe("");
  });
});

describe("the last good copy", () => {
  it("is replaced by each newer one, and never lost by that", async () => {
    const gateway = await unconfigured();
    for (const body of ["one", "two", "three", "four"]) {
      ask(gateway, request(), response(`ETag: "${body}"\r\n`, body));
      gateway.advance(2_000);
      expect(bodyOf(ask(gateway, request(), "reset")), body).toBe(body);
    }
  });
});

describe("a purge", () => {
  it("holds for those who ask after it, although a response from before is still on its way", async () => {
    const gateway = await cached();
    const first = gateway.client();
    first.send(request());
    gateway.origin(1).send(`HTTP/1.1 200 OK\r\n${LASTING}Content-Length: 6\r\n\r\nbef`);
    gateway.advance(100);
    gateway.gateway.actions.purgeCache({ kind: "url", url: "/a" });
    expect(bodyOf(ask(gateway, request(), response("", "after")))).toBe("after");
    gateway.origin(1).send("ore");
    expect(bodyOf(first.received)).toBe("before");
  });
});

describe("an error that is replaced by a stored response", () => {
  it("keeps its client no longer than a moment, however its body drags on", async () => {
    const gateway = await cached();
    ask(gateway, request(), response("Cache-Control: max-age=1, stale-if-error=600\r\n"));
    gateway.advance(2_000);
    const client = gateway.client();
    client.send(request());
    gateway.origin(1).send("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let turn = 0; turn < 6; turn += 1) {
      gateway.origin(1).send("1\r\nx\r\n");
      gateway.advance(500);
    }
    expect(bodyOf(client.received)).toBe("stored");
  });

  it("does not read on for it without end", async () => {
    const gateway = await cached();
    ask(gateway, request(), response("Cache-Control: max-age=1, stale-if-error=600\r\n"));
    gateway.advance(2_000);
    const client = gateway.client();
    client.send(request());
    gateway.origin(1).send("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let turn = 0; turn < 20; turn += 1) gateway.origin(1).send(`8000\r\n${"x".repeat(32_768)}\r\n`);
    expect(bodyOf(client.received)).toBe("stored");
  });
});

describe("memory and connections", () => {
  const endless = `HTTP/1.1 200 OK\r\n${LASTING}Transfer-Encoding: chunked\r\n\r\n`;
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;

  it("a response without an end is let go when everybody who wanted it has left", async () => {
    const gateway = await cached({ rest: { cache: { object: "1MiB" } } });
    const [first, second] = [gateway.client(), gateway.client()];
    first.send(request());
    second.send(request());
    gateway.origin(1).send(endless + chunk);
    first.rst();
    second.rst();
    for (let sent = 0; sent < 40 && gateway.origin(1).ended === ""; sent += 1) gateway.origin(1).send(chunk);
    expect(gateway.origin(1).ended).not.toBe("");
    expect(gateway.gateway.view.status().exchangesActive).toBe(0);
  });

  it("a response without an end is not fetched for the store behind a stale one", async () => {
    const gateway = await cached({ rest: { cache: { object: "1MiB" } } });
    ask(gateway, request(), response("Cache-Control: max-age=1, stale-while-revalidate=60\r\n"));
    gateway.advance(2_000);
    expect(bodyOf(ask(gateway, request()))).toBe("stored");
    const refreshing = gateway.network.dialled.find(
      (peer) => peer.received.split("GET").length > 2 || peer !== gateway.origin(1),
    );
    const peer = refreshing ?? gateway.origin(1);
    peer.send(endless);
    for (let sent = 0; sent < 40 && peer.ended === ""; sent += 1) peer.send(chunk);
    expect(peer.ended).not.toBe("");
    expect(gateway.gateway.view.status().exchangesActive).toBe(0);
  });

  it("a key under which nothing could be stored takes no memory", () => {
    const store = new Store(1_000_000, 8);
    const partition = store.partition("shop");
    const wheel = new TimerWheel(0);
    for (let index = 0; index < 100; index += 1) {
      const slot = store.slotFor(partition, "x", `/${index}`);
      const flight = new Flight(store, slot, { hasFollowers: false, record: { id: "1", attempts: [] } }, wheel, 0);
      expect(store.slots).toBe(1);
      flight.end("alone");
      expect(store.slots).toBe(0);
    }
    expect(partition.hosts.size).toBe(0);
  });

  it("a slow client that came first does not gather a response that is too large to be stored", async () => {
    const gateway = await cached({ rest: { cache: { object: "1MiB" } } });
    const [slow, second] = [gateway.client(), gateway.client()];
    slow.takeOnly(10);
    slow.send(request());
    second.send(request());
    gateway.origin(1).send(endless);
    for (let sent = 0; sent < 64 && !gateway.origin(1).stalled && slow.ended === ""; sent += 1)
      gateway.origin(1).send(chunk);
    expect(gateway.origin(1).stalled || slow.ended !== "").toBe(true);
  });
});
