import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryRecord, sampleAttempt, sampleRecord } from "../../test/support/sample-record.ts";
import { writeFirstTraceparent } from "../http1/trace-context.ts";
import { ByteWriter } from "../http1/writer.ts";
import { spansOf } from "./spans.ts";

const BARE = { withQuery: false };

describe("an exchange as spans", () => {
  const record = {
    ...sampleRecord(),
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    parentSpanId: "00f067aa0ba902b7",
    target: "/pay?card=4111",
    attempts: [
      { ...sampleAttempt(), number: 1, cause: "origin.refused" as const, address: "[::1]:80" },
      { ...sampleAttempt(), number: 2, cause: null, status: 200 },
    ],
  };

  it("is one for the exchange under the caller's, and one for each attempt under it", () => {
    const [exchange, ...attempts] = spansOf(record, BARE);
    expect(exchange).toMatchObject({ traceId: record.traceId, parentSpanId: "00f067aa0ba902b7", kind: "server" });
    expect(attempts.map(({ kind, parentSpanId, traceId }) => [kind, parentSpanId, traceId])).toEqual(
      attempts.map(() => ["client", exchange?.spanId, record.traceId]),
    );
    expect(attempts.map(({ error }) => error)).toEqual(["origin.refused", ""]);
    expect(attempts[0]?.attributes).toMatchObject({
      "server.address": "::1",
      "server.port": 80,
      "http.request.resend_count": 0,
    });
    expect(attempts[1]?.attributes).toMatchObject({ "http.request.resend_count": 1 });
  });

  it("is called as origins were told when the trace begins here", () => {
    const writer = new ByteWriter(64);
    writeFirstTraceparent(writer, record.traceId);
    const line = writer.bytes.subarray(0, writer.length).toString("latin1");
    const told = /-([0-9a-f]{16})-00\r\n$/.exec(line)?.[1];
    expect(spansOf({ ...record, parentSpanId: "" }, BARE)[0]).toMatchObject({ spanId: told, parentSpanId: "" });
  });

  it("keeps the query to itself unless it is asked for", () => {
    expect(JSON.stringify(spansOf(record, BARE))).not.toContain("4111");
    expect(spansOf(record, { withQuery: true })[0]?.attributes["url.query"]).toBe("card=4111");
  });

  it("takes a refusal for no error of the gateway, and a failure for one, with its cause", () => {
    expect(spansOf({ ...record, outcome: "refused", cause: "client.bad_request" }, BARE)[0]?.error).toBe("");
    expect(spansOf({ ...record, outcome: "failed", cause: "origin.refused" }, BARE)[0]?.error).toBe("origin.refused");
  });

  it("of one that belongs to no trace is nothing", () => {
    expect(spansOf({ ...record, traceId: "" }, BARE)).toEqual([]);
  });

  it("whatever the record: ids are well formed and unlike each other, no span ends before it begins, no odd method is a name", () => {
    fc.assert(
      fc.property(arbitraryRecord(), fc.uuid(), (any, id) => {
        const spans = spansOf({ ...any, traceId: id.replaceAll("-", "") }, BARE);
        expect(spans.length).toBe(1 + any.attempts.length);
        for (const { traceId, spanId, startUs, endUs, attributes } of spans) {
          expect(traceId).toMatch(/^[0-9a-f]{32}$/);
          expect(spanId).toMatch(/^[0-9a-f]{16}$/);
          expect(endUs).toBeGreaterThanOrEqual(startUs);
          expect(attributes["http.request.method"]).toMatch(/^(?:[A-Z]+|_OTHER)$/);
        }
      }),
    );
  });
});
