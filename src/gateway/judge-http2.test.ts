/** Each way in which only HTTP/2 can fail, induced at an origin, and the cause that the gateway makes of it. */
import { expect, it } from "vitest";
import { http2Origin } from "../../test/support/h2-origin-peer.ts";
import type { Http2Origin } from "../../test/support/h2-origin-peer.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";
import type { CauseId } from "../kernel/causes.ts";
import { FLAG, FRAME } from "../http2/frames.ts";

const OK = { ":status": "200" };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Act {
  readonly at: Http2Origin;
  readonly peer: Peer;
  advance(ms: number): Promise<void>;
}

const WAYS: readonly (readonly [string, CauseId, RegExp, number, (act: Act) => unknown])[] = [
  ["REFUSED_STREAM", "origin.h2_refused", /REFUSED_STREAM/, 503, ({ at }) => at.reset(1, 7)],
  [
    "GOAWAY below it",
    "origin.h2_refused",
    /GOAWAY: ENHANCE_YOUR_CALM: too_many_pings/,
    503,
    ({ at }) => at.goaway(0, 11, "too_many_pings"),
  ],
  ["RST_STREAM", "origin.h2_reset", /INTERNAL_ERROR before a response/, 502, ({ at }) => at.reset(1, 2)],
  [
    "a field of HTTP/1.1",
    "origin.h2_protocol",
    /the field connection/,
    502,
    ({ at }) => at.head(1, { ...OK, connection: "close" }),
  ],
  ["a frame that may not be", "origin.h2_protocol", /PUSH_PROMISE/, 502, ({ at }) => at.send(FRAME.PUSH_PROMISE, 0, 1)],
  [
    "a head that is too large",
    "origin.header_too_big",
    /./,
    502,
    ({ at }) => at.head(1, { ...OK, "x-long": "x".repeat(16_000), "x-more": "" }, 0),
  ],
  [
    "an end before the content is whole",
    "origin.truncated",
    /ended the stream \(END_STREAM\): 3 of 5 bytes of content had come/,
    200,
    ({ at }) => {
      at.head(1, { ...OK, "content-length": "5" });
      at.data(1, "abc", true);
    },
  ],
  ["silence, and no answer to PING", "net.half_open", /PING was not answered/, 504, ({ advance }) => advance(20_000)],
];

it.each(WAYS)("%s is %s", async (_, cause, evidence, status, act) => {
  const world = await memoryGateway({
    service: { http2: true, retry: false, heads: { head: "8KiB" }, routes: [{ timeouts: { firstByte: "1m" } }] },
  });
  const client = world.client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await turn();
  const peer = world.origin(1);
  const at = http2Origin(peer);
  at.settings();
  await turn();
  await act({
    at,
    peer,
    async advance(ms) {
      for (let left = ms; left > 0; left -= 1_000) {
        world.advance(1_000);
        await turn();
      }
    },
  });
  await turn();
  expect(world.records[0]).toMatchObject({ cause, status });
  expect(world.records[0]?.evidence).toMatch(evidence);
  expect(world.records[0]?.attempts[0]).toMatchObject({ cause, protocol: "HTTP/2" });
  expect(world.faults).toEqual([]);
});

it.each<[string, RegExp, (peer: Peer, advance: (ms: number) => void) => void]>([
  [
    "answers in HTTP/1.1",
    /answered the preface in HTTP\/1\.1/,
    (peer) => peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"),
  ],
  ["sends what is no frame", /no frame of HTTP\/2/, (peer) => peer.send("SSH-2.0-OpenSSH_9.2\r\n")],
  ["closes", /closed the connection before its SETTINGS \(FIN\)/, (peer) => peer.fin()],
  ["says nothing", /no SETTINGS came within 3000 ms/, (_peer, advance) => advance(3_500)],
])("an origin that %s does not speak HTTP/2, and nothing had been sent", async (_, evidence, act) => {
  const world = await memoryGateway({ service: { http2: "prior", retry: false } });
  const client = world.client();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
  await turn();
  act(world.origin(1), world.advance);
  await turn();
  expect(world.records[0]).toMatchObject({ cause: "origin.h2_handshake", status: 502, party: "configuration" });
  expect(world.records[0]?.evidence).toMatch(evidence);
  expect(world.records[0]?.attempts[0]).toMatchObject({ sentUs: -1, sentBytes: 0 });
});

it("a response that ends with NO_ERROR in its middle is not taken for a whole one", async () => {
  const world = await memoryGateway({ service: { http2: true } });
  const client = world.client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await turn();
  const at = http2Origin(world.origin(1));
  at.settings();
  await turn();
  at.head(1, OK);
  at.data(1, "part");
  at.reset(1, 0);
  expect(client.take().endsWith("0\r\n\r\n")).toBe(false);
  expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "origin.h2_reset" });
  at.send(FRAME.PING, FLAG.ACK, 0, Buffer.alloc(8));
  expect(world.faults).toEqual([]);
});
