import { afterEach, describe, expect, it } from "vitest";
import { httpReceiver } from "../../test/support/http-receiver.ts";
import type { HttpReceiver } from "../../test/support/http-receiver.ts";
import { sampleAttempt, sampleRecord } from "../../test/support/sample-record.ts";
import { until } from "../../test/support/until.ts";
import type { Otlp } from "../contract/otlp.ts";
import { spansOf } from "../contract/spans.ts";
import { openOtlp } from "./otlp.ts";

let receiver: HttpReceiver | null = null;
let otlp: Otlp | null = null;
afterEach(async () => {
  // First, as it tells a last time: one that is not there is asked again for seconds.
  await otlp?.close();
  receiver?.close();
  receiver = null;
  otlp = null;
});

/** A collector that takes JSON, and answers what it is told to. */
async function collector(status: number): Promise<HttpReceiver> {
  receiver = await httpReceiver(() => ({ status, headers: { "content-type": "application/json" }, body: "{}" }));
  return receiver;
}

const OPTIONS = { node: "edge-1", version: "0.1.0", traces: true, metrics: false, intervalMs: 60_000 };
const RECORD = {
  ...sampleRecord(),
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  parentSpanId: "00f067aa0ba902b7",
  attempts: [{ ...sampleAttempt(), number: 1, cause: "origin.refused" as const }],
};

function sent(to: Otlp): Promise<string | null> {
  return new Promise((resolve) => to.send(spansOf(RECORD, { withQuery: false }), resolve));
}

describe("OTLP", () => {
  it("brings spans to a collector with ids, times, parents, status and the headers that it asks for", async () => {
    const { url, taken } = await collector(200);
    otlp = openOtlp({ ...OPTIONS, url, headers: { authorization: "Bearer x" } }, () => []);
    expect(await sent(otlp)).toBe(null);
    expect(taken[0]).toMatchObject({ path: "/v1/traces", headers: { authorization: "Bearer x" } });
    const told = JSON.parse(taken[0]?.body ?? "") as {
      resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: Record<string, unknown>[] }[] }[];
    };
    const [resource] = told.resourceSpans;
    expect(resource?.resource.attributes).toContainEqual({ key: "service.name", value: { stringValue: "goodgate" } });
    const [exchange, attempt] = resource?.scopeSpans[0]?.spans ?? [];
    expect(exchange).toMatchObject({
      traceId: RECORD.traceId,
      parentSpanId: RECORD.parentSpanId,
      kind: 2,
      startTimeUnixNano: `${RECORD.startedAt}000000`,
    });
    expect(attempt).toMatchObject({
      traceId: RECORD.traceId,
      parentSpanId: exchange?.["spanId"],
      kind: 3,
      status: { code: 2, message: "origin.refused" },
    });
  });

  it("says that a collector refused them, and goes on", async () => {
    const { url, taken } = await collector(400);
    otlp = openOtlp({ ...OPTIONS, url, headers: {} }, () => []);
    expect(await sent(otlp)).not.toBe(null);
    expect(await sent(otlp)).not.toBe(null);
    expect(taken.length).toBe(2);
  });

  it("brings figures each interval, with their attributes", async () => {
    const { url, taken } = await collector(200);
    otlp = openOtlp({ ...OPTIONS, url, headers: {}, traces: false, metrics: true, intervalMs: 200 }, () => [
      { metric: "exchanges", value: 7, attributes: { service: "shop", outcome: "served" } },
      { metric: "incidents", value: 1, attributes: { severity: "critical" } },
    ]);
    const first = await until("figures came", () => taken.find(({ path }) => path === "/v1/metrics") ?? null);
    const text = first.body;
    expect(text).toContain('"goodgate.exchanges"');
    expect(text).toContain('"isMonotonic":true');
    expect(text).toContain('{"key":"severity","value":{"stringValue":"critical"}}');
    expect(await sent(otlp)).toBe(null);
  });
});
