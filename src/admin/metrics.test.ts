import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExposition } from "../../test/support/parse-exposition.ts";
import type { ReadFamily } from "../../test/support/parse-exposition.ts";
import { HOSTILE_TEXT, quietView, sampleView } from "../../test/support/sample-view.ts";
import type { SampleView } from "../../test/support/sample-view.ts";
import { createHistogram, recordDuration } from "../kernel/histogram.ts";
import type { ConfigState } from "../contract/config-desk.ts";
import type { FleetView } from "../contract/fleet.ts";
import type { ControlTally } from "./control-tally.ts";
import { cumulativeCounts, DURATION_LIMITS_US } from "./duration-buckets.ts";
import { expositionFormat } from "./exposition.ts";
import type { ExpositionFormat } from "./exposition.ts";
import { METRICS } from "./metric-names.ts";
import type { MetricName } from "./metric-names.ts";
import { renderMetrics } from "./metrics.ts";

const FLEET: FleetView = {
  state: "connected",
  detail: "",
  since: 0,
  database: "db:5432/fleet",
  holder: "",
  nodes: [],
};
const CONFIG: ConfigState = {
  revision: { number: 3, hash: "0123456789ab", at: 1_000, by: "ann", reason: "", changes: [] },
  lastOk: false,
  lastAt: 2_000,
  lastProblem: "goodgate.yaml:3:1: no",
};
const TALLY: ControlTally = {
  control: {
    state: "hung",
    heardAt: 1,
    because: "",
    factsLost: 3,
    factsWaiting: 0,
    residentBytes: 90_000_000,
    tracesLeftOut: 0,
    restarts: 2,
  },
  incidentsOpen: { critical: 1, warning: 0, notice: 4 },
  incidentsOpened: 9,
  forecasts: { critical: 0, warning: 2, notice: 0 },
};

function read(view: SampleView, format: ExpositionFormat = "text"): Map<string, ReadFamily> {
  return parseExposition(
    renderMetrics(
      { metrics: view.metrics(), status: view.status(), control: TALLY, fleet: FLEET, config: CONFIG },
      format,
    ),
    format,
  );
}

function valueOf(
  families: Map<string, ReadFamily>,
  name: MetricName,
  labels: Record<string, string>,
): number | undefined {
  const wanted = JSON.stringify(labels);
  return families.get(name)?.samples.find((sample) => JSON.stringify(sample.labels) === wanted)?.value;
}

describe("the metrics", () => {
  it("are the documented ones, in their order and with their types and help", () => {
    const families = [...read(sampleView()).values()];
    expect(families.map(({ name, type, help }) => ({ name, type, help }))).toEqual(
      METRICS.map(({ name, type, help }) => ({ name, type, help })),
    );
  });

  it("carry exactly the documented labels", () => {
    for (const metric of METRICS) {
      for (const sample of read(sampleView()).get(metric.name)?.samples ?? []) {
        const { le: _le, ...labels } = sample.labels;
        expect(Object.keys(labels), metric.name).toEqual([...metric.labels]);
      }
    }
  });

  it("hold a sample each once there is traffic", () => {
    for (const family of read(sampleView()).values()) expect(family.samples, family.name).not.toHaveLength(0);
  });

  it("say what the control plane has told", () => {
    const families = read(sampleView());
    expect(valueOf(families, "goodgate_control_state", { state: "hung" })).toBe(1);
    expect(valueOf(families, "goodgate_control_state", { state: "running" })).toBe(0);
    expect(valueOf(families, "goodgate_control_facts_lost_total", {})).toBe(3);
    expect(valueOf(families, "goodgate_control_restarts_total", {})).toBe(2);
    expect(valueOf(families, "goodgate_control_resident_memory_bytes", {})).toBe(90_000_000);
    expect(valueOf(families, "goodgate_incidents_open", { severity: "notice" })).toBe(4);
    expect(valueOf(families, "goodgate_incidents_opened_total", {})).toBe(9);
    expect(valueOf(families, "goodgate_forecasts", { severity: "warning" })).toBe(2);
  });

  it("say what the view says", () => {
    const families = read(sampleView());
    const origin = { service: "shop", pool: "blue", origin: "http://127.0.0.1:3001", address: "127.0.0.1:3001" };
    expect(valueOf(families, "goodgate_exchanges_total", { service: "shop", route: "default", status: "2xx" })).toBe(
      401_000,
    );
    expect(valueOf(families, "goodgate_exchanges_total", { service: "shop", route: "default", status: "1xx" })).toBe(0);
    expect(
      valueOf(families, "goodgate_exchange_outcomes_total", { service: "shop", route: "default", outcome: "rescued" }),
    ).toBe(212);
    expect(
      valueOf(families, "goodgate_attempt_failures_total", { ...origin, cause: "origin.refused", party: "origin" }),
    ).toBe(431);
    expect(valueOf(families, "goodgate_origin_available", origin)).toBe(0);
    expect(valueOf(families, "goodgate_pool_active", { service: "shop", pool: "blue" })).toBe(1);
    expect(valueOf(families, "goodgate_pool_active", { service: "shop", pool: "green" })).toBe(0);
    expect(valueOf(families, "goodgate_pool_origins_available", { service: "shop", pool: "blue" })).toBe(1);
    expect(valueOf(families, "goodgate_service_state", { service: "shop", state: "failing open" })).toBe(1);
    expect(valueOf(families, "goodgate_refusals_total", { reason: "bare-lf" })).toBe(3);
    expect(valueOf(families, "goodgate_event_loop_delay_seconds", { statistic: "max" })).toBe(0.0182);
    expect(valueOf(families, "goodgate_build_info", { version: "0.1.0" })).toBe(1);
    expect(valueOf(families, "goodgate_config_revision", {})).toBe(3);
    expect(valueOf(families, "goodgate_config_info", { hash: "0123456789ab" })).toBe(1);
    expect(valueOf(families, "goodgate_config_last_reload_successful", {})).toBe(0);
    expect(valueOf(families, "goodgate_config_last_reload_timestamp_seconds", {})).toBe(2);
    expect(valueOf(families, "goodgate_draining", {})).toBe(0);
    expect(valueOf(families, "goodgate_hedges_total", { service: "shop", route: "default", result: "won" })).toBe(21);
    expect(
      valueOf(families, "goodgate_resumes_total", { service: "shop", route: "default", result: "mismatched" }),
    ).toBe(1);
    expect(valueOf(families, "goodgate_keys_total", { service: "shop", route: "default", result: "replayed" })).toBe(
      12,
    );
    expect(valueOf(families, "goodgate_origin_ejections_total", origin)).toBe(6);
    expect(valueOf(families, "goodgate_breakers_open", { service: "shop", pool: "blue" })).toBe(1);
    expect(valueOf(families, "goodgate_poison_quarantines_total", { service: "shop" })).toBe(2);
    expect(valueOf(families, "goodgate_ledger_keys", {})).toBe(414);
    expect(valueOf(families, "goodgate_ledger_bytes", {})).toBe(1_310_720);
  });

  it("survive labels that try to break out of their quotes", () => {
    const view = sampleView();
    const nasty = `a\\"b\nc\\n${HOSTILE_TEXT} 1\n# EOF`;
    view.metricsNow.routes = [{ ...view.metricsNow.routes[0]!, service: nasty, route: 'x"} 1' }];
    for (const format of ["text", "openmetrics"] as const) {
      const families = read(view, format);
      const sum = families
        .get("goodgate_exchange_duration_seconds")
        ?.samples.find((sample) => sample.name.endsWith("_sum"));
      expect(sum?.labels).toEqual({ service: nasty, route: 'x"} 1' });
    }
  });

  it("are well-formed before there is anything to tell", () => {
    expect(read(quietView()).get("goodgate_exchanges_total")?.samples).toEqual([]);
  });

  it("are well-formed OpenMetrics, where the family of a counter has no suffix", () => {
    const families = read(sampleView(), "openmetrics");
    expect(families.get("goodgate_exchanges")?.type).toBe("counter");
    expect(families.has("goodgate_exchanges_total")).toBe(false);
    for (const sample of families.get("goodgate_exchange_duration_seconds")?.samples ?? []) {
      if (sample.labels["le"] !== undefined) expect(sample.labels["le"]).toMatch(/^(\d+\.\d+|\+Inf)$/);
    }
  });

  const promtool = spawnSync("promtool", ["--version"]).error === undefined;
  it.skipIf(!promtool)("please promtool (skipped where it is not installed)", () => {
    const view = sampleView();
    const checked = spawnSync("promtool", ["check", "metrics"], {
      input: renderMetrics(
        { metrics: view.metrics(), status: view.status(), control: TALLY, fleet: FLEET, config: CONFIG },
        "text",
      ),
      encoding: "utf8",
    });
    expect(checked.stderr).toBe("");
    expect(checked.status).toBe(0);
  });
});

describe("names of metrics", () => {
  it("follow the conventions: counters end in _total, nothing else does, units are base units", () => {
    for (const { name, type, help } of METRICS) {
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      expect(name).toMatch(/^(goodgate|process)_[a-z_]+$/);
      expect(name).not.toMatch(/_(ms|us|kib|mib|percent)(_|$)/);
      expect(help, name).toMatch(/\.$/);
    }
    expect(new Set(METRICS.map((metric) => metric.name)).size).toBe(METRICS.length);
  });
});

describe("buckets of durations", () => {
  it("count exactly the durations below each limit", () => {
    const values = fc.oneof(
      fc.double({ min: 0, max: 100_000_000, noNaN: true }),
      fc.constantFrom(...DURATION_LIMITS_US.flatMap((limit) => [limit - 1, limit, limit + 1])),
    );
    fc.assert(
      fc.property(fc.array(values, { maxLength: 200 }), (durations) => {
        const histogram = createHistogram();
        for (const duration of durations) recordDuration(histogram, duration);
        const expected = DURATION_LIMITS_US.map((limit) => durations.filter((duration) => duration < limit).length);
        expect(cumulativeCounts(histogram)).toEqual(expected);
      }),
    );
  });
});

describe("the format", () => {
  it("is plain text unless OpenMetrics is named and not liked less", () => {
    const prometheus =
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    expect(expositionFormat(prometheus)).toBe("openmetrics");
    expect(expositionFormat("")).toBe("text");
    expect(expositionFormat("*/*")).toBe("text");
    expect(expositionFormat("text/plain, application/openmetrics-text;q=0.9")).toBe("text");
    expect(expositionFormat("application/openmetrics-text;q=0")).toBe("text");
    expect(expositionFormat("application/openmetrics-text;q=high")).toBe("text");
  });
});
