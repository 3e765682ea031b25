/** Any frames in any order from an origin, cut anywhere, while the gateway does what it likes with its streams. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { frame } from "../../test/support/h2-frames.ts";
import { plainBlock } from "../../test/support/h2-origin-peer.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { memoryNetwork } from "../../test/support/memory-socket.ts";
import type { Address, SocketListener, SocketPort } from "../kernel/socket.ts";
import { createHttp2Dial } from "./h2-dial.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Act =
  | { readonly kind: "frame"; readonly bytes: Buffer; readonly cut: number }
  | { readonly kind: "dial" | "fin" | "rst" }
  | { readonly kind: "stream"; readonly which: number; readonly what: "pause" | "resume" | "reset" | "destroy" | "end" }
  | { readonly kind: "write"; readonly which: number; readonly bytes: number }
  | { readonly kind: "room"; readonly bytes: number }
  | { readonly kind: "time"; readonly ms: number };

const block = fc.oneof(
  fc.constant(plainBlock({ ":status": "200" })),
  fc.constant(plainBlock({ ":status": "200", "content-length": "4" })),
  fc.constant(plainBlock({ ":status": "103" })),
  fc.constant(plainBlock({ "grpc-status": "0" })),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
);
const anyFrame = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 10 }) }, fc.nat({ max: 255 })),
    fc.oneof(fc.constantFrom(0, 1, 4, 5, 8), fc.nat({ max: 255 })),
    fc.oneof({ weight: 5, arbitrary: fc.constantFrom(0, 1, 3, 5, 7) }, fc.nat({ max: 100 })),
    fc.oneof(block, fc.constantFrom(Buffer.alloc(4, 1), Buffer.alloc(6), Buffer.alloc(8), Buffer.from("body"))),
  )
  .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload));
const which = fc.nat({ max: 5 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("frame" as const), bytes: anyFrame, cut: fc.nat({ max: 20 }) }),
  },
  fc.record({ kind: fc.constantFrom("dial" as const, "dial" as const, "fin" as const, "rst" as const) }),
  fc.record({
    kind: fc.constant("stream" as const),
    which,
    what: fc.constantFrom("pause" as const, "resume" as const, "reset" as const, "destroy" as const, "end" as const),
  }),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("write" as const), which, bytes: fc.constantFrom(0, 10, 200_000) }),
  },
  fc.record({ kind: fc.constant("room" as const), bytes: fc.constantFrom(0, 10, 1_000_000) }),
  fc.record({ kind: fc.constant("time" as const), ms: fc.constantFrom(1_000, 5_000, 61_000) }),
);

it("nothing throws, and every stream ends exactly once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
      const network = memoryNetwork();
      const time = manualSchedule();
      const dial = createHttp2Dial({
        dial: (to, listener) => network.dial(to, listener),
        clock: time.clock,
        schedule: time.schedule,
      });
      const address: Address = {
        ip: "10.0.0.1",
        port: 80,
        family: 4,
        transport: {
          tls: null,
          proxyProtocol: 0,
          unixPath: "",
          http2: {
            choice: "prior",
            idleMs: 60_000,
            streamsMax: 100,
            windowBytes: 262_144,
            sessions: { open: 0, idle: 0 },
          },
        },
      };
      const faults: unknown[] = [];
      const streams: { port: SocketPort; connected: boolean; closes: number; begun: boolean }[] = [];
      const begin = (): void => {
        const one = { port: null as unknown as SocketPort, connected: false, closes: 0, begun: false };
        const told = (): void => {
          if (one.closes > 0) faults.push("told after the end");
        };
        const listener: SocketListener = {
          onConnect: () => {
            told();
            one.connected = true;
          },
          onData: told,
          onDrain: told,
          onFin: told,
          onError: told,
          onClose: () => {
            one.closes += 1;
          },
          onFault: (error) => faults.push(error),
        };
        one.port = dial(address, listener);
        streams.push(one);
      };
      begin();
      network.settle();
      await turn();
      network.dialled[0]?.send(frame(4, 0, 0));
      await turn();
      for (const each of acts) {
        const peer = network.dialled.at(-1);
        switch (each.kind) {
          case "frame":
            peer?.send(each.bytes.subarray(0, each.cut));
            peer?.send(each.bytes.subarray(each.cut));
            break;
          case "dial":
            begin();
            network.settle();
            await turn();
            network.dialled.at(-1)?.send(frame(4, 0, 0));
            break;
          case "fin":
            peer?.fin();
            break;
          case "rst":
            peer?.rst();
            break;
          case "stream":
            streams[each.which]?.port[each.what]();
            break;
          case "write": {
            const one = streams[each.which];
            if (one === undefined || !one.connected || one.closes > 0) break;
            if (!one.begun)
              one.port.write(Buffer.from("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
            one.begun = true;
            if (each.bytes > 0) {
              one.port.write(Buffer.from(`${each.bytes.toString(16)}\r\n${"x".repeat(each.bytes)}\r\n`));
            }
            break;
          }
          case "room":
            if (each.bytes === 1_000_000) peer?.takeAll();
            else peer?.takeOnly(each.bytes);
            break;
          case "time":
            time.advance(each.ms);
        }
        network.settle();
        await turn();
      }
      for (const { port } of streams) port.destroy();
      await turn();
      network.settle();
      expect(faults).toEqual([]);
      expect(streams.map(({ closes }) => closes)).toEqual(streams.map(() => 1));
    }),
    { numRuns: 300 },
  );
});
