/**
 * What is written against the names of `/metrics` outside the program: the dashboard and the rules in deploy/. A name
 * or a label that the gateway does not have would show an empty panel, and an alert that can never fire.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { METRICS } from "../../src/admin/metric-names.ts";
import type { Metric } from "../../src/admin/metric-names.ts";

const RULES = "deploy/prometheus/goodgate.rules.yaml";
/** What the scraper adds, and what histograms have besides. */
const LABELS_OF_OTHERS: ReadonlySet<string> = new Set(["instance", "job", "le"]);
const OUTCOMES: ReadonlySet<string> = new Set(["served", "rescued", "failed", "refused", "aborted"]);

interface Query {
  readonly from: string;
  readonly expr: string;
}

describe("queries on the metrics", () => {
  const queries = [...dashboardQueries(), ...ruleQueries()];

  it("are found", () => {
    expect(queries.filter(({ from }) => from.startsWith("panel")).length).toBeGreaterThan(15);
    expect(queries.filter(({ from }) => from.startsWith("rule")).length).toBeGreaterThan(15);
  });

  it.each(queries)("of $from name what there is", ({ expr }) => {
    const recorded = new Set(ruleFile().flatMap(({ record }) => record ?? []));
    for (const [, name = ""] of expr.matchAll(/(?<![\w:])((?:goodgate|process)[\w:]+)/g)) {
      if (name.includes(":")) expect(recorded, name).toContain(name);
      else expect(metricOf(name), name).not.toBeNull();
    }
    for (const [, name = "", matchers = ""] of expr.matchAll(/((?:goodgate|process)_\w+)\{([^}]*)\}/g)) {
      const labels = metricOf(name)?.labels ?? [];
      for (const [, label = "", value = ""] of matchers.matchAll(/(\w+)[=!~]+"([^"]*)"/g)) {
        expect([...labels, ...LABELS_OF_OTHERS], `${name} ${label}`).toContain(label);
        if (label === "outcome") for (const one of value.split("|")) expect(OUTCOMES).toContain(one);
      }
    }
  });

  it("group only by labels that their metrics have", () => {
    for (const { from, expr } of queries) {
      const labels = new Set(
        [...expr.matchAll(/(?:goodgate|process)_\w+/g)].flatMap(([name]) => metricOf(name)?.labels ?? []),
      );
      // A recorded series has the labels that it was summed by.
      if (/goodgate:/.test(expr)) labels.add("service");
      for (const [, list = ""] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
        for (const label of list.split(",").map((text) => text.trim()))
          expect([...labels, ...LABELS_OF_OTHERS], `${from}: ${label}`).toContain(label);
      }
    }
  });

  const promtool = spawnSync("promtool", ["--version"]).error === undefined;
  it.skipIf(!promtool)("and the rules please promtool and its unit tests (skipped where it is not installed)", () => {
    const checked = spawnSync("promtool", ["check", "rules", RULES], { encoding: "utf8" });
    expect(checked.status, checked.stdout + checked.stderr).toBe(0);
    const tested = spawnSync("promtool", ["test", "rules", "deploy/prometheus/goodgate.rules.test.yaml"], {
      encoding: "utf8",
    });
    expect(tested.status, tested.stdout + tested.stderr).toBe(0);
  });

  it("that wake somebody have a severity, a headline and a reason", () => {
    const alerts = ruleFile().filter(({ alert }) => alert !== undefined);
    for (const { alert, labels, annotations } of alerts) {
      expect(["critical", "warning"], alert).toContain(labels?.["severity"]);
      expect(annotations?.["summary"], alert).toMatch(/\S/);
      expect(annotations?.["description"], alert).toMatch(/\.$/);
    }
  });
});

function metricOf(name: string): Metric | null {
  const found = METRICS.find((metric) =>
    metric.type === "histogram"
      ? [`${metric.name}_bucket`, `${metric.name}_sum`, `${metric.name}_count`].includes(name)
      : metric.name === name,
  );
  return found ?? null;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

function dashboardQueries(): Query[] {
  const { panels } = JSON.parse(readFileSync("deploy/grafana/goodgate.json", "utf8")) as { panels: Panel[] };
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ from: `panel ${title}`, expr })));
}

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

function ruleFile(): Rule[] {
  const { groups } = parse(readFileSync(RULES, "utf8")) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

function ruleQueries(): Query[] {
  return ruleFile().map(({ record, alert, expr }) => ({ from: `rule ${record ?? alert ?? ""}`, expr }));
}
