/** Requests with an Idempotency-Key through the whole gateway, on a network and a disk in memory. */
import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import { memoryLedger } from "../../test/support/memory-ledger.ts";
import type { MemoryLedger } from "../../test/support/memory-ledger.ts";
import type { KeyView } from "../contract/keys.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const PAID = "HTTP/1.1 201 Created\r\nContent-Length: 4\r\nX-Order: 7\r\n\r\npaid";

interface World extends MemoryGateway {
  readonly ledger: MemoryLedger;
  /** The disk has taken everything. */
  commit(): void;
}

async function world(
  route: unknown = "honour",
  options: MemoryGatewayOptions = {},
  ledger: MemoryLedger = memoryLedger(),
): Promise<World> {
  const made = await memoryGateway({
    ...options,
    ledger,
    service: { routes: [{ name: "all", idempotencyKey: route }], ...options.service },
  });
  return Object.assign(Object.create(made) as MemoryGateway, {
    ledger,
    commit() {
      ledger.commitAll();
      made.network.settle();
    },
  });
}

function pay(key: string | null, body = "amount=1", fields = ""): string {
  const field = key === null ? "" : `Idempotency-Key: ${key}\r\n`;
  return `POST /pay HTTP/1.1\r\nHost: x\r\n${field}Content-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

function statusOf(client: Peer): string {
  return /^HTTP\/1\.1 (\d{3})/.exec(client.received)?.[1] ?? "";
}

function sentTo(it: World): string[] {
  return it.network.dialled.map((peer) => peer.received).filter((received) => received !== "");
}

/** A client that has sent this, and the disk has kept up. */
function asks(it: World, request: string): Peer {
  const client = it.client();
  client.send(request);
  it.commit();
  return client;
}

function decisions(it: World): string[] {
  return it.records
    .flatMap((record) => record.decisions.map(({ code }) => code))
    .filter((code) => code.startsWith("key."));
}

function expectQuiet(it: World): void {
  expect(it.faults).toEqual([]);
  expect(it.gateway.view.status().exchangesActive).toBe(0);
  expect(it.ledger.waiting).toBe(0);
}

describe("a request with a key", () => {
  it("leaves when it is recorded as started, and its answer when that is stored", async () => {
    const it = await world();
    const client = it.client();
    client.send(pay('"k1"'));
    expect(it.network.dialled).toHaveLength(0);
    it.commit();
    expect(it.ledger.entries).toMatchObject([
      { key: "k1", method: "POST", target: "/pay", state: { kind: "started" } },
    ]);
    it.origin(1).send(PAID);
    expect(client.received).toBe("");
    it.commit();
    expect(client.received).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(client.received).toMatch(/\r\nX-Order: 7\r\n/);
    expect(client.received).toMatch(/\r\n\r\npaid$/);
    expect(client.received).not.toContain("Idempotency-Replayed");
    expect(decisions(it)).toEqual(["key.begun", "key.stored"]);
    expect(it.records[0]).toMatchObject({ outcome: "served", status: 201, originStatus: 201, responseBytes: 4 });
    // The connection goes on.
    client.send(pay(null));
    it.origin(1).send(PAID);
    expect(client.received.match(/paid/g)).toHaveLength(2);
    expectQuiet(it);
  });

  it.each(["k1", '"k1"'])(
    "is answered again when it comes again (as %s), and the origin hears nothing",
    async (again) => {
      const it = await world();
      asks(it, pay('"k1"'));
      it.origin(1).send(PAID);
      it.commit();
      const client = asks(it, pay(again));
      expect(client.received).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
      expect(client.received).toMatch(/\r\nX-Order: 7\r\n/);
      expect(client.received).toMatch(/\r\nIdempotency-Replayed: true\r\n/);
      expect(client.received).toMatch(/\r\nX-Request-Id: (?!undefined)/);
      expect(client.received).toMatch(/\r\n\r\npaid$/);
      expect(sentTo(it)).toHaveLength(1);
      expect(it.records[1]).toMatchObject({ outcome: "served", status: 201, originStatus: 0, attempts: [] });
      client.send(pay("k1"));
      it.commit();
      expect(client.received.match(/paid/g)).toHaveLength(2);
      expectQuiet(it);
    },
  );

  it.each([
    ["another body", "POST /pay HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k1\r\nContent-Length: 8\r\n\r\namount=2"],
    ["another query", "POST /pay?x HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k1\r\nContent-Length: 8\r\n\r\namount=1"],
    ["another host", "POST /pay HTTP/1.1\r\nHost: y\r\nIdempotency-Key: k1\r\nContent-Length: 8\r\n\r\namount=1"],
    ["another method", "PATCH /pay HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k1\r\nContent-Length: 8\r\n\r\namount=1"],
  ])("and %s is refused with 422, answered or under way", async (_what, request) => {
    const it = await world();
    asks(it, pay("k1"));
    expect(statusOf(asks(it, request))).toBe("422");
    it.origin(1).send(PAID);
    it.commit();
    const client = asks(it, request);
    expect(client.received).toMatch(/^HTTP\/1\.1 422 Unprocessable Content\r\n/);
    expect(client.received).toMatch(/\r\nContent-Type: application\/problem\+json\r\n/);
    expect(sentTo(it)).toHaveLength(1);
    expect(it.records.filter(({ cause }) => cause === "client.key_reused")).toHaveLength(2);
    expectQuiet(it);
  });

  it.each(["Authorization: Bearer", "Cookie: session=", "X-Api-Key: ", "X-Auth-Token: ", "x-access-token: "])(
    "is another one with other credentials (%s…), and gives nobody another's answer",
    async (field) => {
      const it = await world();
      asks(it, pay("k1", "amount=1", `${field}mine\r\n`));
      it.origin(1).send(PAID);
      it.commit();
      const other = asks(it, pay("k1", "amount=1", `${field}theirs\r\n`));
      expect(other.received).toBe("");
      expect(sentTo(it)[0]?.match(/POST/g)).toHaveLength(2);
      it.origin(1).send("HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\ntheirs");
      it.commit();
      expect(other.received).toMatch(/theirs$/);
      expect(asks(it, pay("k1", "amount=1", `${field}mine\r\n`)).received).toMatch(/paid$/);
      expectQuiet(it);
    },
  );

  it("is one key with the host written otherwise", async () => {
    const it = await world();
    asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    expect(asks(it, pay("k1").replace("Host: x", "Host: X:80")).received).toMatch(/Idempotency-Replayed/);
  });

  it("is one key in whatever pieces and framing its body comes", async () => {
    const it = await world();
    asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    const client = it.client();
    client.send(
      "POST /pay HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\namo\r\n",
    );
    client.send("5\r\nunt=1\r\n0\r\n\r\n");
    it.commit();
    expect(client.received).toMatch(/Idempotency-Replayed/);
    expectQuiet(it);
  });

  it("waits for the one under way and gets its answer", async () => {
    const it = await world();
    const first = asks(it, pay("k1"));
    const second = asks(it, pay("k1"));
    const third = asks(it, pay("k1"));
    expect(sentTo(it)).toHaveLength(1);
    it.origin(1).send(PAID);
    it.commit();
    expect([first, second, third].map(statusOf)).toEqual(["201", "201", "201"]);
    expect(second.received).toMatch(/Idempotency-Replayed: true/);
    expect(sentTo(it)).toHaveLength(1);
    expect(decisions(it)).toContain("key.waited");
    const { routes, ledger } = it.gateway.view.metrics();
    expect(routes.at(-1)?.rescues.keys).toEqual({ stored: 1, replayed: 2, uncertain: 0 });
    expect(ledger.keys).toBe(1);
    expectQuiet(it);
  });

  it("waits no longer than it may, and no more of them than may", async () => {
    const it = await world("honour", { rest: { idempotency: { wait: "3s", waiters: 1 } } });
    asks(it, pay("k1"));
    const second = asks(it, pay("k1"));
    const third = asks(it, pay("k1"));
    expect(third.received).toMatch(/^HTTP\/1\.1 409 Conflict\r\n/);
    expect(third.received).toMatch(/\r\nRetry-After: 1\r\n/);
    expect(second.received).toBe("");
    it.advance(3_100);
    expect(statusOf(second)).toBe("409");
    expect(it.records.map(({ cause }) => cause)).toEqual(["client.key_in_flight", "client.key_in_flight"]);
    it.origin(1).send(PAID);
    it.commit();
    expectQuiet(it);
  });

  it("that was turned away by the origin leaves the key free, also for who waited", async () => {
    const it = await world();
    const first = asks(it, pay("k1"));
    const second = asks(it, pay("k1"));
    it.origin(1).send("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    it.commit();
    expect(statusOf(first)).toBe("429");
    expect(second.received).toBe("");
    it.origin(1).send(PAID);
    it.commit();
    expect(statusOf(second)).toBe("201");
    expect(decisions(it)).toContain("key.freed");
    expectQuiet(it);
  });

  it("that never reached an origin leaves the key free", async () => {
    const it = await world("honour", { service: { retry: { attempts: 1 } } });
    it.network.acceptAtOnce = false;
    const client = asks(it, pay("k1"));
    it.origin(1).refuse("ECONNREFUSED");
    it.commit();
    expect(statusOf(client)).toBe("502");
    expect(client.received).not.toContain("may have been carried out");
    expect(it.ledger.entries).toEqual([]);
    it.network.acceptAtOnce = true;
    const again = asks(it, pay("k1"));
    it.origin(2).send(PAID);
    it.commit();
    expect(statusOf(again)).toBe("201");
    expectQuiet(it);
  });

  it("that was sent and not answered is never sent again, and both tries are told", async () => {
    const it = await world("honour", { origins: ["http://10.0.0.1", "http://10.0.0.2"] });
    const client = asks(it, pay("k1"));
    it.origin(1).rst();
    it.commit();
    expect(statusOf(client)).toBe("502");
    expect(client.received).toContain("It may have been carried out");
    const again = asks(it, pay("k1"));
    expect(again.received).toMatch(/^HTTP\/1\.1 409 Conflict\r\n/);
    expect(again.received).toContain("may have been carried out");
    expect(sentTo(it)).toHaveLength(1);
    expect(it.records[1]).toMatchObject({ cause: "origin.uncertain", party: "origin", attempts: [] });
    expect(it.gateway.view.metrics().routes.at(-1)?.rescues.keys.uncertain).toBe(1);
    expectQuiet(it);
  });

  it("whose answer was cut is uncertain, and nothing of the cut answer is given", async () => {
    const it = await world();
    const client = asks(it, pay("k1"));
    it.origin(1).send("HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\npa");
    it.origin(1).fin();
    it.commit();
    expect(statusOf(client)).toBe("502");
    expect(it.records[0]).toMatchObject({ cause: "origin.truncated", originStatus: 201 });
    expect(statusOf(asks(it, pay("k1")))).toBe("409");
    expectQuiet(it);
  });

  it("keeps a refusal by the application as its answer", async () => {
    const it = await world();
    asks(it, pay("k1"));
    it.origin(1).send("HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\n\r\n");
    it.commit();
    expect(asks(it, pay("k1")).received).toMatch(/^HTTP\/1\.1 402 [^]*Idempotency-Replayed: true/);
    asks(it, pay("k2"));
    it.origin(1).send("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops");
    it.commit();
    expect(asks(it, pay("k2")).received).toMatch(/^HTTP\/1\.1 500 [^]*Idempotency-Replayed: true[^]*oops$/);
    expect(it.records.map(({ outcome }) => outcome)).toEqual(["served", "served", "failed", "failed"]);
    expectQuiet(it);
  });

  it("expires", async () => {
    const it = await world({ keep: "1m" });
    asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    it.advance(61_000);
    const client = asks(it, pay("k1"));
    expect(client.received).toBe("");
    it.network.dialled.at(-1)?.send(PAID);
    it.commit();
    expect(client.received).not.toContain("Replayed");
    expectQuiet(it);
  });
});

describe("whose key it is", () => {
  it("another client with the same key is another one, and gets no answer that is not its own", async () => {
    const it = await world();
    asks(it, pay("k1", "amount=1", "Authorization: Bearer alice\r\n"));
    it.origin(1).send(PAID);
    it.commit();
    const other = asks(it, pay("k1", "amount=1", "Authorization: Bearer mallory\r\n"));
    expect(other.received).toBe("");
    it.origin(1).send(PAID.replace("paid", "mine"));
    it.commit();
    expect(other.received).toMatch(/mine$/);
    // A cookie says who it is only where nothing else does.
    const back = asks(it, pay("k1", "amount=1", "Authorization: Bearer alice\r\nCookie: seen=1\r\n"));
    expect(back.received).toMatch(/Replayed[^]*paid$/);
    const visitor = asks(it, pay("k1", "amount=1", "Cookie: session=1\r\n"));
    expect(visitor.received).toBe("");
    it.origin(1).send(PAID);
    it.commit();
    expect(asks(it, pay("k1", "amount=1", "Cookie: session=2\r\n")).received).toBe("");
    it.origin(1).send(PAID);
    it.commit();
    expectQuiet(it);
  });

  it("with scope service a key is one key, and other credentials are refused", async () => {
    const it = await world({ scope: "service" });
    asks(it, pay("k1", "amount=1", "Authorization: Bearer old\r\n"));
    it.origin(1).send(PAID);
    it.commit();
    expect(statusOf(asks(it, pay("k1", "amount=1", "Authorization: Bearer new\r\n")))).toBe("422");
    expect(asks(it, pay("k1", "amount=1", "Authorization: Bearer old\r\n")).received).toContain("Replayed");
    expectQuiet(it);
  });

  it("the same key on another path is another one", async () => {
    const it = await world();
    asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    const client = asks(it, pay("k1").replace("/pay", "/refund"));
    expect(client.received).toBe("");
    it.origin(1).send(PAID);
    it.commit();
    expect(client.received).not.toContain("Replayed");
    expectQuiet(it);
  });
});

describe("a route", () => {
  it("that requires keys refuses requests without one, and only those that are not idempotent", async () => {
    const it = await world("required");
    const client = asks(it, pay(null));
    expect(client.received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(client.received).toContain("Idempotency-Key");
    expect(it.records[0]).toMatchObject({ cause: "client.key_missing", outcome: "refused" });
    const put = asks(it, "PUT /pay HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    it.origin(1).send(PAID);
    expect(put.received).toMatch(/paid$/);
    expectQuiet(it);
  });

  it("refuses a key that cannot be read", async () => {
    const it = await world();
    const twice = pay("k1", "amount=1", "Idempotency-Key: k1\r\n");
    for (const request of [pay('"open'), pay("a b"), pay(""), twice]) {
      const client = asks(it, request);
      expect(client.received).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(it.records.map(({ cause }) => cause)).toEqual(Array.from({ length: 4 }, () => "client.key_malformed"));
    expect(it.network.dialled).toHaveLength(0);
    expectQuiet(it);
  });

  it("that is off passes the key on, readable or not", async () => {
    const it = await world("off");
    const client = asks(it, pay("a b"));
    expect(it.origin(1).received).toContain("Idempotency-Key: a b");
    it.origin(1).send(PAID);
    expect(client.received).toMatch(/paid$/);
    expect(it.ledger.entries).toEqual([]);
    expectQuiet(it);
  });

  it("looks at no key of idempotent methods", async () => {
    const it = await world();
    const client = asks(it, "GET /pay HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k1\r\n\r\n");
    it.origin(1).send(PAID);
    expect(client.received).toMatch(/paid$/);
    expect(it.ledger.entries).toEqual([]);
    expectQuiet(it);
  });

  it("without a place to keep keys honours none, and serves none that it requires", async () => {
    const world = await memoryGateway({
      service: { routes: [{ name: "must", match: { path: "/must" }, idempotencyKey: "required" }] },
    });
    const client = world.client();
    client.send(pay("k1"));
    world.origin(1).send(PAID);
    expect(client.received).toMatch(/paid$/);
    client.send(pay("k1").replace("/pay", "/must"));
    expect(world.records[1]).toMatchObject({ cause: "gw.key_unprotected", status: 503 });
  });
});

describe("origins that honour keys", () => {
  const honour = { origins: "honour" };

  it("get the request again elsewhere when one of them broke off", async () => {
    const it = await world(honour, { origins: ["http://10.0.0.1", "http://10.0.0.2"] });
    const client = asks(it, pay("k1"));
    it.origin(1).rst();
    it.origin(2).send(PAID);
    it.commit();
    expect(client.received).toMatch(/paid$/);
    expect(it.origin(2).received).toContain("Idempotency-Key: k1");
    expect(it.origin(2).received).toMatch(/amount=1$/);
    expect(it.records[0]).toMatchObject({ outcome: "rescued" });
    expectQuiet(it);
  });

  it("are asked again by the next try when none answered", async () => {
    const it = await world(honour);
    const first = asks(it, pay("k1"));
    it.origin(1).rst();
    it.commit();
    expect(statusOf(first)).toBe("502");
    const second = asks(it, pay("k1"));
    expect(it.ledger.entries).toMatchObject([{ state: { kind: "started" } }]);
    it.origin(2).send(PAID);
    it.commit();
    expect(second.received).toMatch(/paid$/);
    expect(decisions(it)).toEqual(["key.begun", "key.uncertain", "key.again", "key.stored"]);
    expect(asks(it, pay("k1")).received).toContain("Replayed");
    expectQuiet(it);
  });

  it("that could not be reached the second time leave the key as uncertain as it was", async () => {
    const it = await world(honour, { service: { retry: { attempts: 1 } } });
    asks(it, pay("k1"));
    it.origin(1).rst();
    it.commit();
    it.network.acceptAtOnce = false;
    asks(it, pay("k1"));
    it.origin(2).refuse("ECONNREFUSED");
    it.commit();
    expect(it.ledger.entries).toMatchObject([{ state: { kind: "uncertain" } }]);
    expectQuiet(it);
  });
});

describe("a client that leaves", () => {
  it("does not stop its request, and gets the answer with the next try", async () => {
    const it = await world();
    const first = asks(it, pay("k1"));
    first.rst();
    expect(it.origin(1).ended).toBe("");
    const second = asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    expect(second.received).toMatch(/Replayed[^]*paid$/);
    expect(it.records).toMatchObject([
      { outcome: "aborted", cause: "client.abort_wait", originStatus: 201 },
      { outcome: "served", status: 201 },
    ]);
    expect(sentTo(it)).toHaveLength(1);
    expectQuiet(it);
  });

  it("before its key was recorded leaves the key free", async () => {
    const it = await world();
    const first = it.client();
    first.send(pay("k1"));
    first.rst();
    const second = asks(it, pay("k1"));
    expect(sentTo(it)).toHaveLength(1);
    it.origin(1).send(PAID);
    it.commit();
    expect(second.received).toMatch(/paid$/);
    expect(second.received).not.toContain("Replayed");
    expectQuiet(it);
  });

  it("while it waits for another is forgotten", async () => {
    const it = await world();
    const first = asks(it, pay("k1"));
    asks(it, pay("k1")).rst();
    it.origin(1).send(PAID);
    it.commit();
    expect(first.received).toMatch(/paid$/);
    expectQuiet(it);
  });

  it("inside its body ends an attempt that had begun, and the key is uncertain", async () => {
    const it = await world();
    const client = it.client();
    const body = "x".repeat(100_000);
    client.send(pay("k1", body).slice(0, 90_000));
    it.commit();
    expect(it.origin(1).received).toContain("xxx");
    client.rst();
    it.commit();
    expect(it.origin(1).ended).toBe("rst");
    expect(it.ledger.entries).toMatchObject([{ state: { kind: "uncertain" } }]);
    expectQuiet(it);
  });
});

describe("a body of which only the beginning is looked at before it is sent", () => {
  const BEGINNING = "b".repeat(64 * 1024);
  const LARGE = pay("k1", `${BEGINNING}${"x".repeat(40_000)}`);
  const OTHER = pay("k1", `${BEGINNING}${"x".repeat(39_999)}y`);
  const CUT = LARGE.length - 10_000;

  /** All of it but the end. */
  function begins(it: World, request: string): ReturnType<World["client"]> {
    const client = it.client();
    client.send(request.slice(0, CUT));
    it.commit();
    return client;
  }

  it.each([
    ["gets the stored answer when all of it has come and is the same", LARGE, "201"],
    ["is refused when all of it has come and is another one", OTHER, "422"],
  ])("%s", async (_, request, status) => {
    const it = await world();
    const first = asks(it, LARGE);
    it.origin(1).send(PAID);
    it.commit();
    expect(statusOf(first)).toBe("201");
    const second = begins(it, request);
    expect(second.received).toBe("");
    expect(it.gateway.view.metrics().replayBytes).toBe(0);
    second.send(request.slice(CUT));
    expect(statusOf(second)).toBe(status);
    expect(sentTo(it)).toHaveLength(1);
    const evidence = `the key "k1" belongs to another request, whose body is the same for the first 64 KiB and not to its end`;
    expect(it.records[1]).toMatchObject(
      status === "201"
        ? { outcome: "served", requestBytes: 64 * 1024 + 40_000 }
        : { outcome: "refused", cause: "client.key_reused", evidence },
    );
    expectQuiet(it);
    // Its connection goes on: all of it was read.
    second.send(pay(null));
    expect(it.network.dialled.at(-1)?.received).toContain("POST /pay");
  });

  it("is compared after it has waited for the one under way, and the others get what is theirs", async () => {
    const it = await world();
    const first = asks(it, LARGE);
    const [same, other] = [begins(it, LARGE), begins(it, OTHER)];
    it.origin(1).send(PAID);
    it.commit();
    expect(statusOf(first)).toBe("201");
    expect(same.received + other.received).toBe("");
    same.send(LARGE.slice(CUT));
    other.send(OTHER.slice(CUT));
    expect([statusOf(same), statusOf(other)]).toEqual(["201", "422"]);
    expect(sentTo(it)).toHaveLength(1);
    expectQuiet(it);
  });

  it("is sent to its end when the one that it waited for left the key free", async () => {
    const it = await world();
    asks(it, LARGE);
    const second = begins(it, LARGE);
    it.origin(1).send("HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n");
    it.commit();
    second.send(LARGE.slice(CUT));
    it.commit();
    it.network.dialled.at(-1)?.send(PAID);
    it.commit();
    expect(statusOf(second)).toBe("201");
    const [, , again = ""] = it.origin(1).received.split("POST /pay");
    expect(again.slice(again.indexOf("\r\n\r\n") + 4)).toBe(LARGE.slice(LARGE.indexOf("\r\n\r\n") + 4));
    expect(statusOf(asks(it, LARGE))).toBe("201");
    expect(statusOf(asks(it, OTHER))).toBe("422");
    expectQuiet(it);
  });

  it("is known by its beginning where the first one was answered before its end", async () => {
    const it = await world();
    const first = begins(it, LARGE);
    it.origin(1).send(PAID);
    it.commit();
    expect(statusOf(first)).toBe("201");
    const again = begins(it, OTHER);
    expect(statusOf(again)).toBe("201");
    expect(sentTo(it)).toHaveLength(1);
  });

  it("ends with its client while it is compared, and the key stays what it is", async () => {
    const it = await world();
    asks(it, LARGE);
    it.origin(1).send(PAID);
    it.commit();
    begins(it, LARGE).rst();
    expect(statusOf(asks(it, LARGE))).toBe("201");
    expectQuiet(it);
  });
});

describe("an origin that takes too long", () => {
  const slow = { service: { routes: [{ name: "all", timeouts: { firstByte: "2s" } }] } };

  it("costs the client its patience and not its answer: the next try gets it", async () => {
    const it = await world("honour", slow);
    const first = asks(it, pay("k1"));
    it.advance(2_100);
    expect(first.received).toMatch(/^HTTP\/1\.1 504 /);
    expect(first.received).toContain("It may have been carried out");
    const second = asks(it, pay("k1"));
    it.advance(1_000);
    expect(second.received).toBe("");
    it.origin(1).send(PAID);
    it.commit();
    expect(second.received).toMatch(/Replayed[^]*paid$/);
    expect(sentTo(it)).toHaveLength(1);
    expect(it.records).toMatchObject([
      { outcome: "failed", cause: "origin.ttfb_timeout", status: 504 },
      { status: 201 },
    ]);
    // The first client's connection had been given back long ago.
    first.send(pay("k1"));
    it.commit();
    expect(first.received).toMatch(/Replayed[^]*paid$/);
    expectQuiet(it);
  });

  it("and then breaks off leaves the record with what the client was told", async () => {
    const it = await world("honour", slow);
    const client = asks(it, pay("k1"));
    it.advance(2_100);
    it.origin(1).rst();
    it.commit();
    const body = client.received.split("\r\n\r\n")[1] ?? "";
    expect(it.records).toMatchObject([
      { cause: "origin.ttfb_timeout", status: 504, originStatus: 0, responseBytes: body.length },
    ]);
    expectQuiet(it);
  });

  it("is given up after a while, and then the key is uncertain", async () => {
    const it = await world("honour", { ...slow, rest: { idempotency: { late: "10s" } } });
    asks(it, pay("k1"));
    it.advance(12_200);
    it.commit();
    expect(it.origin(1).ended).toBe("rst");
    expect(it.records).toMatchObject([{ outcome: "failed", cause: "origin.ttfb_timeout", status: 504 }]);
    expect(statusOf(asks(it, pay("k1")))).toBe("409");
    expectQuiet(it);
  });

  it("counts as failing when it took too long, not only when it is given up", async () => {
    const it = await world("honour", slow);
    asks(it, pay("k1"));
    it.advance(2_100);
    expect(it.gateway.view.origins()[0]?.addresses[0]?.failures).toBe(1);
    it.origin(1).send(PAID);
    it.commit();
    expectQuiet(it);
  });
});

describe("answers that are not stored", () => {
  it("too large: passed on when it is stored that there was one, and a repeat is told so", async () => {
    const it = await world("honour", { rest: { idempotency: { answer: "1KiB" } } });
    const client = asks(it, pay("k1"));
    it.origin(1).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    it.origin(1).send(`400\r\n${"a".repeat(1024)}\r\n`);
    expect(client.received).toBe("");
    it.origin(1).send(`8\r\n${"b".repeat(8)}\r\n`);
    expect(client.received).toBe("");
    expect(it.origin(1).stalled).toBe(true);
    it.commit();
    expect(client.received).toMatch(/Transfer-Encoding: chunked/);
    expect(client.received).toContain("bbbbbbbb");
    expect(it.origin(1).stalled).toBe(false);
    it.origin(1).send(`3\r\nccc\r\n0\r\n\r\n`);
    expect(client.received).toMatch(/3\r\nccc\r\n0\r\n\r\n$/);
    const again = asks(it, pay("k1"));
    expect(statusOf(again)).toBe("409");
    expect(it.records).toMatchObject([
      { outcome: "served", responseBytes: 1035 },
      { cause: "gw.answer_not_kept", outcome: "failed" },
    ]);
    expect(it.records[1]?.evidence).toContain("answered with 200");
    expectQuiet(it);
  });

  it("too large by its own word, and complete before the disk has answered", async () => {
    const it = await world("honour", { rest: { idempotency: { answer: "1KiB" } } });
    const client = asks(it, pay("k1"));
    it.origin(1).send(`HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${"a".repeat(2000)}`);
    expect(client.received).toBe("");
    it.commit();
    expect(client.received).toMatch(/\r\nContent-Length: 2000\r\n/);
    expect(client.received.endsWith("a".repeat(2000))).toBe(true);
    client.send(pay("k2"));
    it.commit();
    it.network.dialled.at(-1)?.send(PAID);
    it.commit();
    expect(client.received).toMatch(/paid$/);
    expectQuiet(it);
  });

  it("a stream of events is passed on as it comes", async () => {
    const it = await world();
    const client = asks(it, pay("k1"));
    it.origin(1).send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    it.commit();
    expect(client.received).toContain("data: 1");
    it.origin(1).send("data: 2\n\n");
    expect(client.received).toContain("data: 2");
    client.rst();
    expect(it.origin(1).ended).toBe("rst");
    expect(decisions(it)).toEqual(["key.begun", "key.not-kept"]);
    expectQuiet(it);
  });

  it("one that comes slowly is passed on after a while", async () => {
    const it = await world();
    const client = asks(it, pay("k1"));
    it.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    it.advance(2_100);
    it.commit();
    expect(client.received).toMatch(/abc$/);
    it.origin(1).send("def");
    expect(client.received).toMatch(/abcdef$/);
    expectQuiet(it);
  });

  it("a client that is slower than the answer holds its origin up, not the memory", async () => {
    const it = await world("honour", { rest: { idempotency: { answer: "1KiB" } } });
    const client = it.client();
    client.takeOnly(0);
    client.send(pay("k1"));
    it.commit();
    it.origin(1).send(`HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n${"a".repeat(20_000)}`);
    it.commit();
    expect(it.origin(1).stalled).toBe(true);
    client.takeAll();
    expect(it.origin(1).stalled).toBe(false);
    it.origin(1).send("b".repeat(10_000));
    expect(client.received.endsWith("b".repeat(10_000))).toBe(true);
    expectQuiet(it);
  });

  it("all answers under way have a bound in memory", async () => {
    const it = await world("honour", { rest: { idempotency: { receiving: "100B" } } });
    const client = asks(it, pay("k1"));
    it.origin(1).send(`HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n${"a".repeat(200)}`);
    it.commit();
    expect(client.received).toMatch(/aaa$/);
    it.origin(1).send("b".repeat(100));
    expect(decisions(it)).toEqual(["key.begun", "key.not-kept"]);
    // What was held is given back.
    asks(it, pay("k2"));
    it.origin(1).send(PAID);
    it.commit();
    expect(decisions(it).slice(2)).toEqual(["key.begun", "key.stored"]);
    expectQuiet(it);
  });
});

describe("a disk that fails", () => {
  const full = { kind: "failed", code: "disk-full", detail: "database or disk is full" } as const;

  it("before the request is sent: it is passed on without a promise where none is required", async () => {
    const it = await world();
    it.ledger.failure = full;
    const client = asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    expect(client.received).toMatch(/paid$/);
    expect(decisions(it)).toEqual(["key.unprotected"]);
    expectQuiet(it);
  });

  it("before the request is sent: it is not sent where a key is required", async () => {
    const it = await world("required");
    it.ledger.failure = full;
    const client = asks(it, pay("k1"));
    expect(client.received).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: 5/);
    expect(it.network.dialled).toHaveLength(0);
    expect(it.records[0]).toMatchObject({ cause: "gw.key_unprotected" });
    it.ledger.failure = null;
    asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    expectQuiet(it);
  });

  it("after the origin has answered: the client gets the answer, and the key is never used for sending again", async () => {
    const it = await world();
    const client = asks(it, pay("k1"));
    it.ledger.failure = full;
    it.origin(1).send(PAID);
    it.commit();
    expect(client.received).toMatch(/paid$/);
    expect(decisions(it)).toEqual(["key.begun", "key.unstored"]);
    it.ledger.failure = null;
    expect(statusOf(asks(it, pay("k1")))).toBe("409");
    expect(sentTo(it)).toHaveLength(1);
    expectQuiet(it);
  });

  it("that hangs delays nobody for ever", async () => {
    const it = await world();
    const client = it.client();
    client.send(pay("k1"));
    it.advance(5_100);
    expect(sentTo(it)).toHaveLength(1);
    it.origin(1).send(PAID);
    it.advance(5_100);
    expect(client.received).toMatch(/paid$/);
    // It wakes up: what was sent has been sent, and is not known to be done.
    it.commit();
    expect(statusOf(asks(it, pay("k1")))).toBe("409");
    expect(sentTo(it)).toHaveLength(1);
    expectQuiet(it);
  });

  it("that hangs leaves nothing behind of a request that was refused for it", async () => {
    const it = await world("required");
    const client = it.client();
    client.send(pay("k1"));
    it.advance(5_100);
    expect(statusOf(client)).toBe("503");
    it.commit();
    expect(it.ledger.entries).toEqual([]);
    asks(it, pay("k1"));
    it.origin(1).send(PAID);
    it.commit();
    expectQuiet(it);
  });

  it("is told once in a while", async () => {
    const it = await world();
    const told: string[] = [];
    it.gateway.view.subscribe((event) => event.kind === "gateway" && told.push(event.code));
    it.ledger.failure = full;
    for (const key of ["a", "b"]) {
      asks(it, pay(key));
      it.origin(1).send(PAID);
      it.commit();
    }
    expect(told).toEqual(["keys.unprotected"]);
  });
});

it("a body that waits for 100 is invited by the gateway, which needs it before any origin does", async () => {
  const it = await world();
  const client = it.client();
  client.send(pay("k1", "amount=1", "Expect: 100-continue\r\n").slice(0, -8));
  expect(client.received).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  client.send("amount=1");
  it.commit();
  it.origin(1).send("HTTP/1.1 100 Continue\r\n\r\n");
  it.origin(1).send(PAID);
  it.commit();
  expect(client.received.match(/100 Continue/g)).toHaveLength(1);
  expect(client.received).toMatch(/paid$/);
  expectQuiet(it);
});

it("a body larger than what is kept is told apart by its beginning and its length, and streams", async () => {
  const it = await world();
  const body = "x".repeat(200_000);
  const client = it.client();
  client.send(pay("k1", body));
  expect(it.network.dialled).toHaveLength(0);
  it.commit();
  expect(it.origin(1).received.endsWith(body)).toBe(true);
  it.origin(1).send(PAID);
  it.commit();
  expect(client.received).toMatch(/paid$/);
  const again = it.client();
  again.send(pay("k1", body));
  it.commit();
  expect(again.received).toContain("Replayed");
  expect(statusOf(asks(it, pay("k1", `${body}x`)))).toBe("422");
  expectQuiet(it);
});

it("a gateway that stops gives up what its clients left behind, and calls it uncertain", async () => {
  const it = await world();
  asks(it, pay("k1")).rst();
  await it.gateway.close();
  it.commit();
  expect(it.ledger.entries).toMatchObject([{ state: { kind: "uncertain" } }]);
  expect(it.records).toHaveLength(1);
  expectQuiet(it);
});

describe("a person who looked at the origin", () => {
  async function uncertain(): Promise<World> {
    const it = await world();
    asks(it, pay("k1"));
    it.origin(1).rst();
    it.commit();
    return it;
  }

  async function settle(it: World, executed: boolean): Promise<unknown> {
    const { keys } = it.gateway;
    const found = keys?.find({ uncertain: true, limit: 10 });
    it.ledger.commitAll();
    const [key] = ((await found) ?? []) as KeyView[];
    const settled = keys?.settle(key?.id ?? "none", executed);
    // A disk answers between two turns.
    for (let turn = 0; turn < 4; turn += 1) {
      it.ledger.commitAll();
      await Promise.resolve();
    }
    return settled;
  }

  it("says that it was carried out: a repeat is told so", async () => {
    const it = await uncertain();
    const told: string[] = [];
    it.gateway.view.subscribe((event) => event.kind === "gateway" && told.push(event.code));
    expect(await settle(it, true)).toMatchObject({ kind: "settled", key: { key: "k1", state: "answered" } });
    expect(told).toEqual(["keys.settled"]);
    const client = asks(it, pay("k1"));
    expect(statusOf(client)).toBe("409");
    expect(client.received).toContain("was carried out");
    expect(it.records[1]).toMatchObject({ cause: "gw.answer_not_kept" });
  });

  it("says that it was not: a repeat is sent", async () => {
    const it = await uncertain();
    expect(await settle(it, false)).toMatchObject({ kind: "settled" });
    const client = asks(it, pay("k1"));
    it.origin(2).send(PAID);
    it.commit();
    expect(client.received).toMatch(/paid$/);
  });

  it("can settle nothing that is under way, answered or unknown", async () => {
    const it = await world();
    asks(it, pay("k1"));
    const id = it.ledger.entries[0]?.id ?? "";
    expect(await it.gateway.keys?.settle(id, true)).toMatchObject({ kind: "not uncertain" });
    it.origin(1).send(PAID);
    it.commit();
    const answered = it.gateway.keys?.settle(id, true);
    it.commit();
    expect(await answered).toMatchObject({ kind: "not uncertain" });
    const unknown = it.gateway.keys?.settle("none", true);
    it.commit();
    expect(await unknown).toEqual({ kind: "unknown" });
    expectQuiet(it);
  });
});
