import { describe, expect, it } from "vitest";
import { sampleView } from "../../test/support/sample-view.ts";
import type { MetricsView } from "../contract/view.ts";
import { createHistogram, recordDuration } from "../kernel/histogram.ts";
import { createRateMemory } from "./rates.ts";

type Route = MetricsView["routes"][number];

/** The living counters of one route, as a view that hands out its own objects would show them. */
function livingMetrics(): { metrics: MetricsView; route: Route; serve: (count: number, us: number) => void } {
  const { metricsNow: metrics } = sampleView();
  metrics.routes = metrics.routes.slice(0, 1);
  const route = metrics.routes[0]!;
  const serve = (count: number, us: number): void => {
    route.byOutcome.served += count;
    for (let index = 0; index < count; index += 1) recordDuration(route.duration, us);
  };
  return { metrics, route, serve };
}

describe("rates", () => {
  it("cover everything since the start at the first look, and say so", () => {
    const { metrics, route } = livingMetrics();
    const window = createRateMemory().look(metrics, 5000);
    expect(window).toMatchObject({ isSinceStart: true, seconds: 10_800 });
    const exchanges = Object.values(route.byOutcome).reduce((sum, count) => sum + count, 0);
    expect(window.routes[0]).toMatchObject({ exchanges, failed: 97, rescued: 212, refusedOrAborted: 51 });
    expect(window.routes[0]?.perSecond).toBeCloseTo(exchanges / 10_800);
  });

  it("cover the time since the earlier look from then on, durations included", () => {
    const { metrics, route, serve } = livingMetrics();
    const memory = createRateMemory();
    memory.look(metrics, 0);
    serve(40, 2000);
    route.byOutcome.failed += 10;
    const window = memory.look(metrics, 10_000);
    expect(window).toMatchObject({ isSinceStart: false, seconds: 10 });
    expect(window.routes[0]).toMatchObject({ exchanges: 50, perSecond: 5, failed: 10, rescued: 0, retries: 0 });
    expect(window.routes[0]?.p99Us).toBeGreaterThanOrEqual(2000);
    expect(window.routes[0]?.p99Us).toBeLessThanOrEqual(2500);
  });

  it("reach back ten seconds when somebody looks all the time", () => {
    const { metrics } = livingMetrics();
    const memory = createRateMemory();
    for (let now = 0; now <= 600_000; now += 1000) {
      const { seconds, isSinceStart } = memory.look(metrics, now);
      if (isSinceStart) continue;
      expect(seconds).toBeLessThanOrEqual(10);
      if (now > 10_000) expect(seconds).toBeGreaterThanOrEqual(7);
    }
  });

  it("reach back to the last look when that was long ago", () => {
    const { metrics } = livingMetrics();
    const memory = createRateMemory();
    memory.look(metrics, 0);
    memory.look(metrics, 30_000);
    expect(memory.look(metrics, 630_000)).toMatchObject({ isSinceStart: false, seconds: 600 });
  });

  it("count a route from nothing that was not there before", () => {
    const { metrics, route } = livingMetrics();
    const memory = createRateMemory();
    memory.look({ ...metrics, routes: [] }, 0);
    expect(memory.look(metrics, 5000).routes[0]?.failed).toBe(route.byOutcome.failed);
  });

  it("do not shrink to a window of nothing when two people look at once", () => {
    const { metrics, serve } = livingMetrics();
    const memory = createRateMemory();
    memory.look(metrics, 0);
    serve(10, 1000);
    expect(memory.look(metrics, 0)).toMatchObject({ isSinceStart: true });
    expect(memory.look(metrics, 1000)).toMatchObject({ isSinceStart: true });
    expect(memory.look(metrics, 5000)).toMatchObject({ isSinceStart: false, seconds: 5, routes: [{ exchanges: 10 }] });
  });

  it("put the routes of a service together, durations included", () => {
    const { metrics } = livingMetrics();
    const first = metrics.routes[0]!;
    const second: Route = { ...first, route: "other", byOutcome: { ...first.byOutcome }, duration: createHistogram() };
    metrics.routes = [first, second];
    const memory = createRateMemory();
    memory.look(metrics, 0);
    for (let count = 0; count < 90; count += 1) recordDuration(first.duration, 1000);
    for (let count = 0; count < 10; count += 1) recordDuration(second.duration, 90_000);
    first.byOutcome.served += 90;
    second.byOutcome.rescued += 10;
    const { services, routes } = memory.look(metrics, 10_000);
    expect(services).toMatchObject([{ service: first.service, exchanges: 100, perSecond: 10, rescued: 10 }]);
    expect(services[0]?.p50Us).toBeLessThanOrEqual(1280);
    expect(services[0]?.p95Us).toBeGreaterThanOrEqual(90_000);
    expect(routes.map((route) => route.exchanges)).toEqual([90, 10]);
  });
});
