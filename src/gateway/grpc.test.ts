import { describe, expect, it } from "vitest";
import { http2Origin } from "../../test/support/h2-origin-peer.ts";
import type { Http2Origin } from "../../test/support/h2-origin-peer.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { tellStory } from "../contract/story.ts";
import { grpcStatusText } from "../kernel/grpc-status.ts";
import { FLAG, FRAME } from "../http2/frames.ts";
import { outcomeOf } from "./origin-address.ts";

const END = FLAG.END_STREAM;
const OK = { ":status": "200", "content-type": "application/grpc" };
const HEAD = [
  "POST /shop.Cart/Add HTTP/1.1",
  "Host: a",
  "Content-Type: application/grpc+proto",
  "TE: trailers",
  "Transfer-Encoding: chunked",
].join("\r\n");
const WHOLE = `${HEAD}\r\n\r\n5\r\n\0\0\0\0\0\r\n0\r\n\r\n`;
const TWO = { origins: ["http://10.0.0.1", "http://10.0.0.2"] };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface World extends MemoryGateway {
  /** The HTTP/2 origin on this connection; its SETTINGS have been said. */
  at(number: number): Promise<Http2Origin>;
}

async function world(options: MemoryGatewayOptions = {}): Promise<World> {
  const made = await memoryGateway({ ...options, service: { http2: true, ...options.service } });
  const known = new Map<number, Http2Origin>();
  return {
    ...made,
    async at(number) {
      const before = known.get(number);
      if (before !== undefined) return before;
      await turn();
      const origin = http2Origin(made.origin(number));
      known.set(number, origin);
      origin.settings();
      await turn();
      return origin;
    },
  };
}

/** A call that has been sent, and the origin that has it. */
async function called(
  options: MemoryGatewayOptions = {},
  request = WHOLE,
): Promise<Omit<World, "client"> & { client: Peer; first: Http2Origin }> {
  const made = await world(options);
  const client = made.client();
  client.send(request);
  const first = await made.at(1);
  return { ...made, client, first };
}

/** As `explain` begins. */
function headlineOf(record: ExchangeRecord | undefined): string {
  return record === undefined ? "" : tellStory(record).headline;
}

describe("a call", () => {
  it("goes through with its trailers, and its outcome is on the record", async () => {
    const { client, first, records } = await called();
    expect(first.requests()[0]?.fields).toMatchObject({ ":path": "/shop.Cart/Add", te: "trailers" });
    first.head(1, OK);
    first.data(1, "\0\0\0\0\x01x");
    first.head(1, { "grpc-status": "0", "grpc-message": "fine" }, END);
    const answer = client.take();
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\n6\r\n\0\0\0\0\u0001x\r\n0\r\ngrpc-status: 0\r\ngrpc-message: fine\r\n\r\n$/);
    expect(records[0]).toMatchObject({ outcome: "served", grpcStatus: 0, cause: null });
  });

  it("has its trailers although the origin said how long its content is", async () => {
    const { client, first, records } = await called();
    first.head(1, { ...OK, "content-length": "5" });
    first.data(1, "\0\0\0\0\0");
    first.head(1, { "grpc-status": "0" }, END);
    expect(client.take()).toMatch(/\r\n0\r\ngrpc-status: 0\r\n\r\n$/);
    expect(records[0]).toMatchObject({ outcome: "served", grpcStatus: 0 });
  });

  it.each([
    [2, "failed", "origin.grpc_error"],
    [13, "failed", "origin.grpc_error"],
    [14, "failed", "origin.grpc_error"],
    [15, "failed", "origin.grpc_error"],
    [4, "failed", "origin.grpc_error"],
    [5, "served", null],
    [8, "served", null],
    [12, "served", null],
  ])("that ends with status %i is %s", async (status, outcome, cause) => {
    const { first, records } = await called();
    first.head(1, OK);
    first.head(1, { "grpc-status": String(status) }, END);
    expect(records[0]).toMatchObject({ outcome, cause, grpcStatus: status, originStatus: 200 });
    expect(records[0]?.attempts[0]?.cause).toBe(cause);
    expect(headlineOf(records[0])).toContain(`grpc-status ${grpcStatusText(status)}`);
  });

  it("that ends in order and without a status has failed", async () => {
    const { first, records } = await called();
    first.head(1, OK);
    first.data(1, "\0\0\0\0\0", true);
    expect(records[0]).toMatchObject({ outcome: "failed", cause: "origin.grpc_error", grpcStatus: -1 });
  });

  it("whose deadline the origin keeps is no failure of the origin's", async () => {
    const { first, records } = await called({}, WHOLE.replace("TE:", "grpc-timeout: 1S\r\nTE:"));
    expect(first.requests()[0]?.fields["grpc-timeout"]).toMatch(/^\d+m$/);
    first.head(1, { ...OK, "grpc-status": "4" }, END);
    expect(records[0]).toMatchObject({ outcome: "failed", cause: "origin.deadline", grpcStatus: 4 });
    expect(outcomeOf("origin.deadline")).toBe("ignore");
  });

  it("is broken for its client when it is broken at the origin, and never ends in order", async () => {
    const { client, first, records } = await called();
    first.head(1, OK);
    first.data(1, "\0\0\0\0\x01x");
    first.reset(1, 2);
    expect(records[0]).toMatchObject({ outcome: "failed", cause: "origin.h2_reset" });
    expect(records[0]?.evidence).toContain("INTERNAL_ERROR");
    expect(client.take().endsWith("0\r\n\r\n")).toBe(false);
    expect(client.ended).toBe("fin");
  });

  it("of both sides at once goes on until its client has said all, however long both are silent", async () => {
    const { client, first, records, advance } = await called({}, `${HEAD}\r\n\r\n`);
    client.send("6\r\n\0\0\0\0\x01a\r\n");
    await turn();
    first.head(1, OK);
    first.data(1, "\0\0\0\0\x01A");
    expect(client.take()).toMatch(/A\r\n$/);
    for (let seconds = 0; seconds < 600; seconds += 2) {
      advance(2_000);
      await turn();
      if (first.frames().some(({ type }) => type === FRAME.PING)) first.send(FRAME.PING, FLAG.ACK, 0, Buffer.alloc(8));
    }
    expect(records).toHaveLength(0);
    first.frames();
    client.send("6\r\n\0\0\0\0\x01b\r\n");
    await turn();
    expect(first.frames().map(({ payload }) => payload.toString("latin1"))).toEqual(["\0\0\0\0\u0001b"]);
    first.data(1, "\0\0\0\0\x01B");
    client.send("0\r\n\r\n");
    await turn();
    expect(first.frames().map(({ flags }) => flags)).toEqual([END]);
    first.head(1, { "grpc-status": "0" }, END);
    expect(client.take()).toMatch(/B\r\n0\r\ngrpc-status: 0\r\n\r\n$/);
    expect(records[0]).toMatchObject({ outcome: "served", cause: null, grpcStatus: 0 });
    expect(records[0]?.decisions.map(({ code }) => code)).not.toContain("relay.early-reply");
  });

  it("that the origin ends before its client has said all is no early reply", async () => {
    const { client, first, records } = await called({}, `${HEAD}\r\n\r\n6\r\n\0\0\0\0\x01a\r\n`);
    first.head(1, { ...OK, "grpc-status": "7" }, END);
    first.reset(1, 0);
    expect(client.take()).toMatch(/grpc-status: 7/);
    expect(records[0]).toMatchObject({ outcome: "served", cause: null, grpcStatus: 7 });
  });

  it("stops at the origin when its client leaves", async () => {
    const { client, first, records } = await called();
    first.head(1, OK);
    first.frames();
    client.rst();
    await turn();
    expect(first.frames().map(({ type, payload }) => [type, payload.readUInt32BE(0)])).toEqual([[FRAME.RST_STREAM, 8]]);
    expect(records[0]).toMatchObject({ outcome: "aborted" });
  });
});

describe("a call is repeated", () => {
  it("when the origin refused it unseen, though it is a POST", async () => {
    const made = await called(TWO);
    made.first.reset(1, 7);
    const second = await made.at(2);
    second.head(1, OK);
    second.head(1, { "grpc-status": "0" }, END);
    expect(made.records[0]).toMatchObject({ outcome: "rescued", grpcStatus: 0 });
    expect(made.records[0]?.attempts[0]).toMatchObject({ cause: "origin.h2_refused" });
    expect(second.requests()[0]?.fields["grpc-previous-rpc-attempts"]).toBeUndefined();
  });

  it("at the only origin, on another connection, when that leaves the one it was on", async () => {
    const made = await called();
    made.first.goaway(0, 0, "max_age");
    const second = await made.at(2);
    second.head(1, OK);
    second.head(1, { "grpc-status": "0" }, END);
    expect(made.records[0]).toMatchObject({ outcome: "rescued" });
    expect(made.records[0]?.attempts[0]?.evidence).toContain("max_age");
  });

  it("not when it may have been run", async () => {
    const made = await called(TWO);
    made.first.reset(1, 2);
    expect(made.records[0]).toMatchObject({ outcome: "failed", cause: "origin.h2_reset", grpcStatus: 13, status: 200 });
    expect(made.client.take()).toMatch(/\r\ngrpc-status: 13\r\n/);
  });

  it("when it is unavailable and its route says that it may run twice, and says how often it was sent", async () => {
    const made = await called({ ...TWO, service: { routes: [{ idempotent: true }] } });
    made.first.head(1, { ...OK, "grpc-status": "14" }, END);
    const second = await made.at(2);
    expect(second.requests()[0]?.fields["grpc-previous-rpc-attempts"]).toBe("1");
    second.head(1, OK);
    second.head(1, { "grpc-status": "0" }, END);
    expect(made.records[0]).toMatchObject({ outcome: "rescued", grpcStatus: 0 });
  });

  it("and the answer that was held back is given when the other origin has none", async () => {
    const made = await called({ ...TWO, service: { routes: [{ idempotent: true }] } });
    made.first.head(1, { ...OK, "grpc-status": "14", "grpc-message": "no database" }, END);
    const second = await made.at(2);
    second.reset(1, 2);
    expect(made.client.take()).toMatch(/grpc-message: no database/);
    expect(made.records[0]).toMatchObject({ outcome: "failed", cause: "origin.grpc_error", grpcStatus: 14 });
  });
});

describe("what the gateway has to say itself", () => {
  it("is said in gRPC's own form", async () => {
    const made = await world();
    const client = made.client();
    client.send(WHOLE);
    await turn();
    made.network.dialled[0]?.rst();
    const answer = client.take();
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    for (const line of ["Content-Type: application/grpc", "grpc-status: 14", "Content-Length: 0"]) {
      expect(answer).toContain(`${line}\r\n`);
    }
    expect(answer).toMatch(/\r\ngrpc-message: [ -~]+ Reference: \w+\r\n/);
    expect(made.records[0]).toMatchObject({ outcome: "failed", status: 200, grpcStatus: 14 });
    expect(headlineOf(made.records[0])).toContain("with grpc-status UNAVAILABLE (14): ");
  });

  it.each([
    [2, "INTERNAL_ERROR", 13],
    [8, "CANCEL", 1],
    [11, "ENHANCE_YOUR_CALM", 8],
    [12, "INADEQUATE_SECURITY", 7],
  ])(
    "for a stream that the origin breaks off with code %i is what its client would make of that",
    async (code, name, status) => {
      const { client, first, records } = await called({ service: { retry: false } });
      first.reset(1, code);
      expect(client.take()).toMatch(new RegExp(`\r\ngrpc-status: ${status}\r\n`, "i"));
      expect(records[0]).toMatchObject({ cause: "origin.h2_reset", grpcStatus: status });
      expect(records[0]?.evidence).toContain(name);
    },
  );

  it("when the time is over is DEADLINE_EXCEEDED", async () => {
    const made = await called({}, WHOLE.replace("TE:", "grpc-timeout: 300m\r\nTE:"));
    made.advance(400);
    expect(made.client.take()).toMatch(/grpc-status: 4\r\n/);
    expect(made.records[0]).toMatchObject({ cause: "origin.deadline", grpcStatus: 4 });
  });

  it("for a call that belongs nowhere is UNIMPLEMENTED, and for one too many RESOURCE_EXHAUSTED with a time to wait", async () => {
    const made = await world({ service: { hosts: ["a"], routes: [{ rateLimit: { rate: "1/m" } }] } });
    const lost = made.client();
    lost.send(WHOLE.replace("Host: a", "Host: b"));
    expect(lost.take()).toMatch(/grpc-status: 12\r\n/);
    for (const expected of [null, /grpc-status: 8\r\n.*grpc-retry-pushback-ms: \d+000\r\n/s]) {
      const client = made.client();
      client.send(WHOLE);
      if (expected !== null) expect(client.take()).toMatch(expected);
    }
  });

  it("to others stays as it was", async () => {
    const made = await world();
    const client = made.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n\r\n");
    await turn();
    made.network.dialled[0]?.rst();
    expect(client.take()).toMatch(/^HTTP\/1\.1 502 /);
  });
});
