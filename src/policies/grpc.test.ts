import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GRPC, grpcMeaning, grpcStatusFor, grpcStatusText } from "../kernel/grpc-status.ts";
import { encodeGrpcMessage, grpcOutcome, isGrpcType, parseGrpcStatus } from "./grpc.ts";

describe("the outcome of a call", () => {
  it("is a failure where the server failed, and an answer where it had one", () => {
    const failing = Object.values(GRPC).filter((status) => grpcOutcome(status) === "failure");
    expect(failing).toEqual([GRPC.UNKNOWN, GRPC.INTERNAL, GRPC.UNAVAILABLE, GRPC.DATA_LOSS]);
    expect(grpcOutcome(GRPC.DEADLINE_EXCEEDED)).toBe("missed");
    expect(grpcOutcome(-1)).toBe("failure");
    expect(grpcOutcome(77)).toBe("answer");
  });

  it("has a name, and is read strictly", () => {
    expect(grpcStatusText(14)).toBe("UNAVAILABLE (14)");
    expect(grpcStatusText(99)).toBe("an unknown status (99)");
    expect(new Set(Object.values(GRPC).map(grpcMeaning)).size).toBe(17);
    expect(Object.values(GRPC).map(grpcMeaning)).not.toContain("");
    expect(grpcMeaning(99)).toBe("");
    expect([null, "", "x", "-1", "1.5", "1234", "0x1", "14"].map(parseGrpcStatus)).toEqual([
      -1, -1, -1, -1, -1, -1, -1, 14,
    ]);
  });
});

describe("what a client of gRPC is told", () => {
  it("follows the mapping of gRPC, but for rates", () => {
    const mapped = [400, 401, 403, 404, 408, 429, 431, 500, 502, 503, 504].map(grpcStatusFor);
    expect(mapped).toEqual([13, 16, 7, 12, 1, 8, 13, 2, 14, 14, 14]);
  });

  it("is printable ASCII, and can be read back whatever it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const written = encodeGrpcMessage(text);
        expect(written).toMatch(/^(?:[ -$&-~]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(written)).toBe(Buffer.from(text).toString());
      }),
    );
  });
});

describe("a content type", () => {
  it.each([
    ["application/grpc", true],
    ["application/grpc+proto", true],
    ["application/grpc; charset=x", true],
    ["Application/GRPC+json", true],
    ["application/grpc-web", false],
    ["application/grpc-web+proto", false],
    ["application/grpcx", false],
    ["text/plain", false],
    ["", false],
  ])("%j is that of gRPC: %s", (type, expected) => {
    expect(isGrpcType(type)).toBe(expected);
  });
});
