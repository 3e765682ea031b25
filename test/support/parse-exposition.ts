/**
 * A strict reader of the Prometheus text format and of OpenMetrics, written from their specifications and not
 * from our writer: it refuses whatever they do not allow, so that a test which reads with it proves more than
 * that writer and reader agree.
 */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: ReadSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^(?:[+-]Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

export function parseExposition(text: string, format: "text" | "openmetrics"): Map<string, ReadFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const lines = text.slice(0, -1).split("\n");
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new Error("OpenMetrics ends with # EOF");
  const families = new Map<string, ReadFamily>();
  const seen = new Set<string>();
  let family: ReadFamily | null = null;
  let help: { name: string; text: string } | null = null;
  for (const line of lines) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, keyword = "", name = "", rest = ""] = comment;
      if (!NAME.test(name)) throw new Error(`bad name: ${line}`);
      if (families.has(name)) throw new Error(`${name} comes twice`);
      if (keyword === "HELP") {
        help = { name, text: unescape(rest, format === "openmetrics") };
      } else {
        if (help?.name !== name) throw new Error(`TYPE without its HELP: ${line}`);
        if (!["counter", "gauge", "histogram"].includes(rest)) throw new Error(`bad type: ${line}`);
        family = { name, type: rest, help: help.text, samples: [] };
        families.set(name, family);
      }
      continue;
    }
    if (line.startsWith("#") || line.trim() === "") throw new Error(`not allowed: ${JSON.stringify(line)}`);
    const sample = parseSample(line);
    if (
      family === null ||
      !suffixesOf(family.type, format).includes(sample.name.slice(family.name.length)) ||
      !sample.name.startsWith(family.name)
    ) {
      throw new Error(`a sample outside its family: ${line}`);
    }
    const key = `${sample.name}${seriesOf(sample.labels)}`;
    if (seen.has(key)) throw new Error(`the same series twice: ${line}`);
    seen.add(key);
    if (family.type !== "gauge" && !(sample.value >= 0)) throw new Error(`negative: ${line}`);
    family.samples.push(sample);
  }
  for (const read of families.values()) if (read.type === "histogram") checkHistogram(read);
  return families;
}

/** The same text for the same labels, in whatever order they stand. */
function seriesOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(
    Object.keys(labels)
      .toSorted((one, other) => (one < other ? -1 : 1))
      .map((name) => [name, labels[name]]),
  );
}

function suffixesOf(type: string, format: "text" | "openmetrics"): readonly string[] {
  if (type === "histogram") return ["_bucket", "_sum", "_count"];
  return type === "counter" && format === "openmetrics" ? ["_total"] : [""];
}

function parseSample(line: string): ReadSample {
  const name = /^[^{ ]+/.exec(line)?.[0] ?? "";
  if (!NAME.test(name)) throw new Error(`bad name: ${line}`);
  let at = name.length;
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  if (line[at] === "{") {
    at += 1;
    for (;;) {
      const [whole = "", label = "", value = ""] = /^([^=]+)="((?:[^"\\\n]|\\["\\n])*)"/.exec(line.slice(at)) ?? [];
      if (!LABEL.test(label)) throw new Error(`bad label: ${line}`);
      if (label in labels) throw new Error(`${label} comes twice: ${line}`);
      labels[label] = unescape(value, true);
      at += whole.length;
      if (line[at] === ",") at += 1;
      else if (line[at] === "}") break;
      else throw new Error(`bad label set: ${line}`);
    }
    at += 1;
  }
  const rest = line.slice(at);
  if (!rest.startsWith(" ") || !NUMBER.test(rest.slice(1))) throw new Error(`bad value: ${line}`);
  return { name, labels, value: Number(rest.slice(1).replace("Inf", "Infinity")) };
}

function unescape(text: string, withQuotes: boolean): string {
  return text.replaceAll(/\\(.?)/g, (_, character: string) => {
    if (character === "n") return "\n";
    if (character === "\\" || (withQuotes && character === '"')) return character;
    throw new Error(`bad escape in ${text}`);
  });
}

function checkHistogram(family: ReadFamily): void {
  const series = new Map<string, ReadSample[]>();
  for (const sample of family.samples) {
    const { le: _le, ...labels } = sample.labels;
    const key = seriesOf(labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const samples of series.values()) {
    const buckets = samples.filter((sample) => sample.name.endsWith("_bucket"));
    const limits = buckets.map((bucket) => Number((bucket.labels["le"] ?? "none").replace("Inf", "Infinity")));
    const counts = buckets.map((bucket) => bucket.value);
    const isRising = (list: readonly number[], strictly: boolean): boolean =>
      list.every(
        (value, index) => index === 0 || value > (list[index - 1] ?? 0) || (!strictly && value === list[index - 1]),
      );
    if (!isRising(limits, true) || limits.at(-1) !== Infinity) throw new Error(`${family.name}: bad limits`);
    if (!isRising(counts, false)) throw new Error(`${family.name}: counts that fall`);
    const count = samples.find((sample) => sample.name.endsWith("_count"));
    if (count?.value !== counts.at(-1)) throw new Error(`${family.name}: +Inf is not the count`);
    if (!samples.some((sample) => sample.name.endsWith("_sum"))) throw new Error(`${family.name}: no sum`);
  }
}
