/** What a collector of traces has of two workers, over a while in which it is away. */
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway } from "../support/gateway-process.ts";
import { httpReceiver } from "../support/http-receiver.ts";
import type { HttpReceiver } from "../support/http-receiver.ts";
import { until } from "../support/until.ts";

const ended: (() => unknown)[] = [];
afterEach(async () => {
  // oxlint-disable-next-line no-await-in-loop -- What was started last ends first.
  for (const end of ended.splice(0).toReversed()) await end();
});

interface Told {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

const PATIENCE_MS = 30_000;
const TIMES_MAX = 8;
const SERVER = 2;
const LEFT_OUT = "goodgate.traces.left_out";

/** Of all lives of the collector. */
function spansOf(collectors: readonly HttpReceiver[]): Told[] {
  return collectors
    .flatMap(({ taken }) => taken)
    .filter(({ path }) => path === "/v1/traces")
    .flatMap(({ body }) => {
      const { resourceSpans } = JSON.parse(body) as {
        resourceSpans: readonly { scopeSpans: readonly { spans: readonly Told[] }[] }[];
      };
      return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
    });
}

function attribute(span: Told, name: string): unknown {
  return Object.values(span.attributes.find(({ key }) => key === name)?.value ?? {})[0];
}

function exchangesOf(collectors: readonly HttpReceiver[]): Told[] {
  return spansOf(collectors).filter(({ kind }) => kind === SERVER);
}

/** How many exchanges its spans say have none. */
function leftOutOf(collectors: readonly HttpReceiver[]): number {
  return exchangesOf(collectors).reduce((sum, span) => sum + Number(attribute(span, LEFT_OUT) ?? 0), 0);
}

async function collector(port: number): Promise<HttpReceiver> {
  const made = await httpReceiver(
    () => ({ status: 200, headers: { "content-type": "application/json" }, body: "{}" }),
    port,
  );
  ended.push(made.close);
  return made;
}

describe("a collector of traces", () => {
  it("has each exchange of both workers once or knows that it was left out, also of the time when it was away", async () => {
    // Of its own, so that nobody else takes it while the collector is away.
    const port = await freePort();
    const first = await collector(port);
    const gateway = await startGateway(
      inFrontOf([`http://127.0.0.1:${await freePort()}`], {}, { workers: 2, telemetry: { otlp: { url: first.url } } }),
    );
    ended.push(() => gateway.stop());
    await until("the control process", async () =>
      (await gateway.status()).control.state === "running" ? true : null,
    );
    let asked = 0;
    const fail = async (times: number): Promise<void> => {
      // At once, so that each has a connection of its own and both workers get some.
      const answers = await Promise.all(
        Array.from({ length: times }, () => {
          asked += 1;
          return fetch(`${gateway.url}/${asked}`);
        }),
      );
      expect(answers.every(({ status }) => status >= 502)).toBe(true);
    };
    /** A control process that is late for a moment is told nothing, and the next request has that told. */
    const afterAnother = async (what: string, isSo: () => boolean): Promise<void> => {
      for (let times = 1; ; times += 1) {
        // oxlint-disable-next-line no-await-in-loop -- Another one only where the one before was not enough.
        await fail(1);
        try {
          // oxlint-disable-next-line no-await-in-loop -- As above.
          await until(what, () => (isSo() ? true : null), PATIENCE_MS);
          return;
        } catch (error) {
          if (times === TIMES_MAX) throw error;
        }
      }
    };
    const hasAll = (...collectors: readonly HttpReceiver[]): boolean =>
      exchangesOf(collectors).length + leftOutOf(collectors) === asked;
    const printed = (pattern: RegExp) => () => pattern.test(gateway.child.stdout() + gateway.child.stderr());
    await fail(40);
    await afterAnother("all of them", () => hasAll(first));
    first.close();
    await fail(20);
    await afterAnother("that it is away", printed(/otlp\.failing: .*ECONNREFUSED/));
    await fail(5);
    const second = await collector(port);
    await afterAnother("that it is back", printed(/otlp\.recovered/));
    const both = [first, second];
    await afterAnother("those that were kept for it, and the number of the others", () => hasAll(...both));
    expect(leftOutOf(both)).toBeGreaterThan(0);
    const ids = spansOf(both).map(({ spanId }) => spanId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(exchangesOf(both).map((span) => attribute(span, "goodgate.outcome")))).toEqual(new Set(["failed"]));
    // Each attempt under its exchange.
    const exchanges = new Set(exchangesOf(both).map(({ spanId }) => spanId));
    const attempts = spansOf(both).filter(({ kind }) => kind !== SERVER);
    expect(attempts.length).toBeGreaterThan(0);
    expect(attempts.every(({ parentSpanId = "" }) => exchanges.has(parentSpanId))).toBe(true);
  });
});
