/**
 * Samples as text that Prometheus reads: its own text format 0.0.4, or OpenMetrics 1.0 for who asks for it.
 *
 * Written by hand because our numbers are plain counters that the workers already keep: an exporter library
 * would want to own them, be told of each change on the request's way, and cost there what a page of
 * formatting costs here, once for each scrape.
 */
import type { Histogram } from "../kernel/histogram.ts";
import { cumulativeCounts, DURATION_LIMITS_US } from "./duration-buckets.ts";
import type { Metric } from "./metric-names.ts";

export type ExpositionFormat = "text" | "openmetrics";

export const EXPOSITION_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** A histogram for metrics of that type. */
  readonly value: number | Histogram;
}

export interface Family {
  readonly metric: Metric;
  readonly samples: readonly Sample[];
}

export function expose(families: readonly Family[], format: ExpositionFormat): string {
  const lines: string[] = [];
  for (const { metric, samples } of families) {
    // OpenMetrics names the family of a counter without the suffix that its samples carry.
    const family =
      format === "openmetrics" && metric.type === "counter" ? metric.name.replace(/_total$/, "") : metric.name;
    lines.push(`# HELP ${family} ${escapeHelp(metric.help, format)}`, `# TYPE ${family} ${metric.type}`);
    for (const sample of samples) addSample(lines, metric, sample);
  }
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

/** The format for an `Accept` field: OpenMetrics when it is named and not liked less than plain text. */
export function expositionFormat(accept: string): ExpositionFormat {
  let openmetrics = 0;
  let text = 0;
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = qualityOf(parameters);
    if (type === "application/openmetrics-text") openmetrics = Math.max(openmetrics, quality);
    if (type === "text/plain" || type === "text/*") text = Math.max(text, quality);
  }
  return openmetrics > 0 && openmetrics >= text ? "openmetrics" : "text";
}

function qualityOf(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  if (weight === undefined) return 1;
  const quality = Number(weight.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}

function addSample(lines: string[], metric: Metric, sample: Sample): void {
  const pairs = metric.labels.map((label) => `${label}="${escapeLabel(sample.labels[label] ?? "")}"`);
  const value = sample.value;
  if (typeof value === "number") {
    lines.push(`${metric.name}${labelSet(pairs)} ${numberText(value)}`);
    return;
  }
  const counts = cumulativeCounts(value);
  DURATION_LIMITS_US.forEach((limitUs, index) => {
    const le = `le="${floatText(limitUs / 1_000_000)}"`;
    lines.push(`${metric.name}_bucket${labelSet([...pairs, le])} ${numberText(counts[index] ?? 0)}`);
  });
  lines.push(
    `${metric.name}_bucket${labelSet([...pairs, 'le="+Inf"'])} ${numberText(value.count)}`,
    `${metric.name}_sum${labelSet(pairs)} ${numberText(value.sumUs / 1_000_000)}`,
    `${metric.name}_count${labelSet(pairs)} ${numberText(value.count)}`,
  );
}

function labelSet(pairs: readonly string[]): string {
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

/** OpenMetrics wants the limits of buckets as floats ("1.0", not "1"); no limit of ours is large enough for an exponent. */
function floatText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** The two formats differ: only OpenMetrics escapes quotes here. */
function escapeHelp(text: string, format: ExpositionFormat): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}
