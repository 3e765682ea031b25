import { describe, expect, it } from "vitest";
import { http2Origin } from "../../test/support/h2-origin-peer.ts";
import type { Http2Origin } from "../../test/support/h2-origin-peer.ts";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";
import { FLAG, FRAME } from "../http2/frames.ts";
import type { CheckResult } from "../policies/health.ts";
import { healthRequest, servingStatus } from "./grpc-check.ts";

const OK = { ":status": "200", "content-type": "application/grpc" };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Checked {
  readonly origin: Http2Origin;
  readonly peer: Peer;
  readonly results: readonly CheckResult[];
}

/** A check under way. */
async function checking(grpc: boolean | string = true): Promise<Checked> {
  const { gateway, network } = await memoryGateway({ service: { http2: true, health: { grpc } } });
  const [target] = gateway.checkTargets();
  if (target === undefined) throw new Error("nothing is checked");
  const results: CheckResult[] = [];
  gateway.probe(target, (result) => results.push(result));
  network.settle();
  await turn();
  const peer = network.dialled.at(-1);
  if (peer === undefined) throw new Error("nothing was dialled");
  const origin = http2Origin(peer);
  origin.settings();
  await turn();
  return { origin, peer, results };
}

describe("the messages of gRPC's health checks", () => {
  it("are written", () => {
    expect(healthRequest("")).toEqual(Buffer.from([0, 0, 0, 0, 0]));
    expect(healthRequest("a.B")).toEqual(Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x61, 0x2e, 0x42]));
    const long = healthRequest("x".repeat(200));
    expect([...long.subarray(0, 8)]).toEqual([0, 0, 0, 0, 203, 0x0a, 0xc8, 0x01]);
  });

  it.each([
    [[0, 0, 0, 0, 2, 8, 1], 1],
    [[0, 0, 0, 0, 2, 8, 2], 2],
    [[0, 0, 0, 0, 0], 0],
    [[0, 0, 0, 0, 2, 8], -1],
    [[1, 0, 0, 0, 2, 8, 1], -1],
    [[0, 0, 0, 0, 2, 16, 1], -1],
    [[0, 0, 0], -1],
    [[], -1],
  ])("%j is read as %i", (bytes, expected) => {
    expect(servingStatus(Buffer.from(bytes))).toBe(expected);
  });
});

describe("a check by gRPC", () => {
  it("is shown as one", async () => {
    const { gateway } = await memoryGateway({ service: { http2: true, health: { grpc: true } } });
    const kinds = gateway.view.origins().flatMap(({ addresses }) => addresses.map(({ check }) => check.kind));
    expect(new Set(kinds)).toEqual(new Set(["grpc"]));
  });

  it("asks on a connection of its own, and is well when the service is SERVING", async () => {
    const { origin, peer, results } = await checking("shop.Cart");
    const frames = origin.frames();
    const [head, data] = frames.filter(({ stream }) => stream === 1);
    expect(head?.payload.toString("latin1")).toContain("/grpc.health.v1.Health/Check");
    expect([data?.payload, data?.flags]).toEqual([healthRequest("shop.Cart"), FLAG.END_STREAM]);
    origin.head(1, OK);
    origin.data(1, Buffer.from([0, 0, 0, 0, 2, 8, 1]));
    origin.head(1, { "grpc-status": "0" }, FLAG.END_STREAM);
    expect(results).toEqual([{ ok: true, detail: "SERVING" }]);
    await turn();
    expect(peer.ended).toBe("fin");
  });

  it("is not when the service says otherwise, is unknown, or cannot be asked", async () => {
    const cases: [string, (origin: Http2Origin) => void][] = [
      [
        "NOT_SERVING",
        (origin) => {
          origin.head(1, OK);
          origin.data(1, Buffer.from([0, 0, 0, 0, 2, 8, 2]));
          origin.head(1, { "grpc-status": "0" }, FLAG.END_STREAM);
        },
      ],
      ["UNIMPLEMENTED", (origin) => origin.head(1, { ...OK, "grpc-status": "12" }, FLAG.END_STREAM)],
      ["NOT_FOUND", (origin) => origin.head(1, { ...OK, "grpc-status": "5" }, FLAG.END_STREAM)],
      ["UNAVAILABLE (14)", (origin) => origin.head(1, { ...OK, "grpc-status": "14" }, FLAG.END_STREAM)],
      ["status 404", (origin) => origin.head(1, { ":status": "404" }, FLAG.END_STREAM)],
      ["INTERNAL_ERROR", (origin) => origin.reset(1, 2)],
      [
        "cannot be read",
        (origin) => {
          origin.head(1, OK);
          origin.data(1, "nonsense");
          origin.head(1, { "grpc-status": "0" }, FLAG.END_STREAM);
        },
      ],
      [
        "no grpc-status",
        (origin) => {
          origin.head(1, OK);
          origin.data(1, "", true);
        },
      ],
      ["GOAWAY", (origin) => origin.send(FRAME.GOAWAY, 0, 0, Buffer.alloc(8))],
    ];
    for (const [detail, act] of cases) {
      const { origin, results } = await checking();
      act(origin);
      expect(results, detail).toHaveLength(1);
      expect(results[0]?.ok).toBe(false);
      expect(results[0]?.detail).toContain(detail);
    }
  });
});
