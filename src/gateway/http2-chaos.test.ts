/**
 * Clients that send any frames in any order, cut anywhere, and origins that answer, wait or break: whatever happens,
 * nothing throws, each request leaves exactly one record, and nothing is left when the connection is gone.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FLAG, FRAME } from "../http2/frames.ts";
import {
  block,
  data,
  frame,
  FrameReader,
  GET,
  OPENING,
  POST,
  request,
  reset,
  settings,
  windowUpdate,
} from "../../test/support/h2-frames.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const id = fc.nat(6).map((n) => 1 + 2 * n);
const content = fc.oneof(
  fc.constantFrom("", "x", "abc"),
  fc.integer({ min: 1, max: 16_384 }).map((n) => "z".repeat(n)),
);

const clientFrame: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(id, fc.boolean()).map(([stream, ends]) => request(stream, ends ? GET : POST, ends)),
  },
  { weight: 6, arbitrary: fc.tuple(id, content, fc.boolean()).map(([stream, text, ends]) => data(stream, text, ends)) },
  { weight: 2, arbitrary: id.map((stream) => request(stream, [...POST, ["content-length", "3"]], false)) },
  { weight: 2, arbitrary: id.map((stream) => reset(stream)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.oneof(fc.constant(0), id), fc.nat(100_000))
      .map(([stream, more]) => windowUpdate(stream, more)),
  },
  { weight: 1, arbitrary: fc.nat(100_000).map((size) => settings([4, size])) },
  {
    weight: 1,
    arbitrary: id.map((stream) =>
      frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, stream, block([["x-t", "1"]])),
    ),
  },
  {
    weight: 1,
    arbitrary: id.map((stream) =>
      request(stream, [[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)], false),
    ),
  },
  { weight: 1, arbitrary: fc.constant(frame(FRAME.PING, 0, 0, "12345678")) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(12), fc.nat(255), fc.nat(12), fc.uint8Array({ maxLength: 40 }))
      .map(([type, flags, stream, payload]) => frame(type, flags, stream, Buffer.from(payload))),
  },
);

type Event =
  | { readonly kind: "client"; readonly bytes: Buffer; readonly cut: number }
  | {
      readonly kind: "origin";
      readonly which: number;
      readonly does: "answer" | "long" | "half" | "rest" | "reset" | "upgrade" | "fin";
    }
  | { readonly kind: "room"; readonly bytes: number }
  | { readonly kind: "time"; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("client" as const), bytes: clientFrame, cut: fc.nat(30) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("origin" as const),
      which: fc.nat(8),
      does: fc.constantFrom(
        "answer" as const,
        "long" as const,
        "half" as const,
        "rest" as const,
        "reset" as const,
        "upgrade" as const,
        "fin" as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("room" as const), bytes: fc.constantFrom(0, 10, 5000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.constantFrom(50, 3_000, 31_000) }) },
);

const ANSWERS = {
  answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
  long: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7530\r\n${"y".repeat(30_000)}\r\n`,
  half: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
  rest: "0\r\n\r\n",
  upgrade: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello",
};

function play(world: MemoryGateway, client: Peer, event: Event): void {
  switch (event.kind) {
    case "client":
      client.send(event.bytes.subarray(0, event.cut));
      client.send(event.bytes.subarray(event.cut));
      return;
    case "origin": {
      const origin = world.network.dialled[event.which];
      if (origin === undefined) return;
      if (event.does === "reset") origin.rst();
      else if (event.does === "fin") origin.fin();
      else origin.send(ANSWERS[event.does]);
      return;
    }
    case "room":
      if (event.bytes === 0) client.takeOnly(0);
      else client.takeMore(event.bytes);
      return;
    case "time":
      world.advance(event.ms);
  }
}

test("whatever a client and its origins do, nothing breaks and nothing is left", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 40 }), fc.boolean(), async (events, isPolite) => {
      const world = await memoryGateway({ service: { health: false, ejection: false, retry: false, overload: false } });
      const client = world.client();
      client.send(OPENING);
      for (const one of events) play(world, client, one);
      client.takeAll();
      if (isPolite) client.fin();
      else client.rst();
      world.advance(200_000);
      expect(world.faults).toEqual([]);
      const { connections, exchangesActive } = world.gateway.view.status();
      expect({ connections, exchangesActive }).toEqual({ connections: 0, exchangesActive: 0 });
      expect(new Set(world.records.map((record) => record.id)).size).toBe(world.records.length);
      // What came back is frames, to the last byte, unless it was cut because nobody took it.
      const reader = new FrameReader();
      reader.push(Buffer.from(client.received, "latin1"));
      if (client.ended !== "rst") expect(reader.rest).toBe(0);
      await world.gateway.close();
    }),
    { numRuns: 150 },
  );
});
