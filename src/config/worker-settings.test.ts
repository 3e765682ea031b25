import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settingsFrom } from "../../test/support/gateway-parts.ts";
import type { Settings } from "./settings.ts";
import { settingsForWorker } from "./worker-settings.ts";

function settingsWith(numbers: {
  readonly connections: number;
  readonly perOrigin: number;
  readonly concurrency: number;
}): Settings {
  return settingsFrom({
    listeners: [{ bind: "127.0.0.1:8080" }],
    limits: { connections: numbers.connections },
    telemetry: { otlp: { url: "http://127.0.0.1:4318" } },
    services: {
      shop: {
        pools: [{ origins: ["http://10.0.0.1"] }],
        connections: { perOrigin: numbers.perOrigin, idlePerOrigin: numbers.perOrigin },
        routes: [{ match: { path: "/a" }, concurrency: numbers.concurrency }],
      },
    },
  });
}

/** Every amount that is divided. */
function amounts({ limits, records, cache, idempotency, services, otlp }: Settings): number[] {
  return [
    otlp?.tracesPerSecondMax ?? -1,
    limits.connectionsMax,
    limits.replayBytesTotal,
    records.failedMax,
    records.slowestMax,
    records.sampledMax,
    cache.memoryBytes,
    cache.waitersMax,
    idempotency.receivingBytesMax,
    ...services.flatMap(({ connections, overload, routes }) => [
      connections.perOriginMax,
      connections.idlePerOriginMax,
      overload?.waitingMax ?? 0,
      ...routes.map((route) => route.concurrency),
    ]),
  ];
}

describe("the settings of one worker", () => {
  it("add up to those of the node, to the last unit, for any number of workers", () => {
    const number = fc.integer({ min: 64, max: 100_000 });
    const numbers = fc.record({ connections: number, perOrigin: number, concurrency: number });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 64 }), (written, workers) => {
        const all = settingsWith(written);
        const parts = Array.from(
          { length: workers },
          (_, index) => settingsForWorker(all, index + 1, workers, "s").settings,
        );
        const sums = amounts(all).map((_, at) => parts.reduce((sum, part) => sum + (amounts(part)[at] ?? 0), 0));
        expect(sums).toEqual(amounts(all));
        const perSecond = parts.reduce((sum, part) => sum + (part.services[0]?.retry.budgetPerSecond ?? 0), 0);
        expect(perSecond).toBeCloseTo(all.services[0]?.retry.budgetPerSecond ?? -1);
      }),
      { numRuns: 30 },
    );
  });

  it("never leave a worker with nothing, and say what is more than was written for that", () => {
    const all = settingsWith({ connections: 100, perOrigin: 3, concurrency: 2 });
    for (const worker of [1, 2, 3, 4]) {
      const { settings, notes } = settingsForWorker(all, worker, 4, "s");
      expect(settings.services[0]?.connections.perOriginMax).toBe(1);
      expect(settings.services[0]?.routes[0]?.concurrency).toBe(1);
      expect(notes).toContain(
        "services.shop.connections.perOrigin is 3 and there are 4 workers: each may have 1, which is 4 in all",
      );
      expect(notes).toHaveLength(2);
    }
  });

  it("leave alone what is no amount, and what was not set", () => {
    const all = settingsWith({ connections: 100, perOrigin: 64, concurrency: 64 });
    const { settings, notes } = settingsForWorker(all, 2, 4, "s");
    const [before, after] = [all.services[0], settings.services[0]];
    expect(after?.ejection).toEqual(before?.ejection);
    expect(after?.routes.map(({ timeouts }) => timeouts)).toEqual(before?.routes.map(({ timeouts }) => timeouts));
    expect(after?.overload?.concurrency).toBe(0);
    expect(after?.routes.at(-1)?.concurrency).toBe(0);
    expect(notes).toEqual([]);
  });

  it("have one secret for tickets, so that each takes those of the others", () => {
    const all = settingsWith({ connections: 100, perOrigin: 64, concurrency: 64 });
    const secrets = [1, 2, 3].map((worker) => settingsForWorker(all, worker, 3, "made up").settings.waiting.secret);
    expect(secrets).toEqual(["made up", "made up", "made up"]);
    expect(settingsForWorker(all, 1, 1, "made up").settings).toBe(all);
  });
});
