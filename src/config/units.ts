/**
 * Durations, sizes and ratios as an operator writes them. A bare number is refused for the first two:
 * whether `timeout: 30` means seconds or milliseconds is the commonest slip in gateway files, and nobody
 * notices it until the night it matters.
 *
 * One number and one unit, nothing more: `1m30s` is `90s`.
 */
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

const DURATION_UNITS: readonly (readonly [string, number])[] = [
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
];

const SIZE_UNITS: readonly (readonly [string, number])[] = [
  ["B", 1],
  ["KB", 1000],
  ["KiB", 1024],
  ["MB", 1000 ** 2],
  ["MiB", 1024 ** 2],
  ["GB", 1000 ** 3],
  ["GiB", 1024 ** 3],
];

/** For JSON Schema: what `parseDuration` and `parseSize` take before their bounds. */
export const DURATION_PATTERN = "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$";
export const SIZE_PATTERN = "^[0-9]+(\\.[0-9]+)?(B|KB|KiB|MB|MiB|GB|GiB)$";

/** `300ms`, `2s`, `1.5m`, `1h`, `1d` to whole milliseconds. */
export function parseDuration(input: unknown, bounds: Bounds): Parsed<number> {
  return parseQuantity(input, bounds, DURATION);
}

/** `512B`, `64KiB`, `1MiB`, `10MB` to whole bytes. */
export function parseSize(input: unknown, bounds: Bounds): Parsed<number> {
  return parseQuantity(input, bounds, SIZE);
}

/** `0.1` or `10%` to a number from 0 to 1. */
export function parseRatio(input: unknown, bounds: Bounds): Parsed<number> {
  const ratio = ratioOf(input);
  if (ratio === null)
    return refused(`${quoted(input)} is not a ratio.`, "Write a percentage such as 10%, or a number from 0 to 1.");
  if (ratio >= bounds.min && ratio <= bounds.max) return accepted(ratio);
  const hint =
    typeof input === "number" && input > 1 && input / 100 <= bounds.max ? `For ${input} percent write ${input}%.` : "";
  return refused(`${quoted(input)} is out of bounds: ${formatRatio(bounds.min)} to ${formatRatio(bounds.max)}.`, hint);
}

/** The shortest exact form: 90000 is `90s`, 60000 is `1m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  return formatQuantity(ms, DURATION_UNITS);
}

/** The shortest exact form in powers of 1024: 65536 is `64KiB`. */
export function formatSize(bytes: number): string {
  return formatQuantity(
    bytes,
    SIZE_UNITS.filter(([unit]) => unit === "B" || unit.includes("i")),
  );
}

export function formatRatio(ratio: number): string {
  return `${Number((ratio * 100).toFixed(6))}%`;
}

interface QuantityKind {
  readonly noun: string;
  readonly units: readonly (readonly [string, number])[];
  readonly examples: string;
  /** Units offered when a bare number was written. */
  readonly offered: readonly [string, string];
  readonly smallest: string;
  readonly format: (value: number) => string;
}

const DURATION: QuantityKind = {
  noun: "duration",
  units: DURATION_UNITS,
  examples: "300ms, 2s, 1m, 1h or 1d",
  offered: ["s", "ms"],
  smallest: "millisecond",
  format: formatDuration,
};

const SIZE: QuantityKind = {
  noun: "size",
  units: SIZE_UNITS,
  examples: "512B, 64KiB, 1MiB or 10MB",
  offered: ["KiB", "B"],
  smallest: "byte",
  format: formatSize,
};

function parseQuantity(input: unknown, bounds: Bounds, kind: QuantityKind): Parsed<number> {
  const bare = bareNumber(input);
  if (bare !== null) {
    const [first, second] = kind.offered;
    return refused(
      `${quoted(input)} has no unit, so it is not a ${kind.noun}.`,
      `Write ${bare}${first} or ${bare}${second}.`,
    );
  }
  const parts = typeof input === "string" ? /^(\d{1,15}(?:\.\d{1,9})?) ?([A-Za-z]+)$/.exec(input) : null;
  const unit = parts?.[2] ?? "";
  const factor = kind.units.find(([name]) => name === unit)?.[1];
  if (parts === null || factor === undefined || typeof input !== "string" || input.includes(" ")) {
    const relaxed = kind.units.find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[0];
    const meant = parts !== null && relaxed !== undefined ? `, here ${parts[1] ?? ""}${relaxed}` : "";
    return refused(
      `${quoted(input)} is not a ${kind.noun}.`,
      `Write a number and a unit without a space: ${kind.examples}${meant}.`,
    );
  }
  // Rounding first: 1.1s is 1100.0000000000002 ms in binary fractions.
  const value = Number((Number(parts[1]) * factor).toFixed(6));
  if (!Number.isInteger(value)) return refused(`${quoted(input)} is not a whole number of ${kind.smallest}s.`);
  if (value < bounds.min || value > bounds.max) {
    return refused(`${quoted(input)} is out of bounds: ${kind.format(bounds.min)} to ${kind.format(bounds.max)}.`);
  }
  return accepted(value);
}

function bareNumber(input: unknown): string | null {
  if (typeof input === "number") return String(input);
  return typeof input === "string" && /^\d+(\.\d+)?$/.test(input) ? input : null;
}

function ratioOf(input: unknown): number | null {
  if (typeof input === "number") return input;
  const percent = typeof input === "string" ? /^(\d{1,9}(?:\.\d{1,9})?)%$/.exec(input) : null;
  return percent === null ? null : Number((Number(percent[1]) / 100).toFixed(12));
}

function formatQuantity(value: number, units: readonly (readonly [string, number])[]): string {
  let shown = "";
  for (const [unit, factor] of units) {
    if (shown === "" || (value !== 0 && value % factor === 0)) shown = `${value / factor}${unit}`;
  }
  return shown;
}
