/**
 * Durations, sizes and counts as people read them. One place, so that the story of an exchange, the CLI
 * and the pages say the same figure in the same way. No locale: the same record reads the same anywhere.
 */

/** `812 µs`, `12.3 ms`, `3.2 s`, `2 min 5 s`, `3 h 10 min`, `4 d 2 h`. Negative times (a step not reached) give `–`. */
export function durationText(us: number): string {
  if (!(us >= 0)) return "–";
  if (us < 999.5) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${shortDecimal(us / 1000)} ms`;
  if (us < 59_950_000) return `${shortDecimal(us / 1_000_000)} s`;
  const seconds = Math.round(us / 1_000_000);
  if (seconds < 3600) return joined(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return joined(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return joined(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** `0 bytes`, `1 byte`, `512 bytes`, `3.1 KiB`, `64 KiB`, `1.5 GiB`: powers of 1024, as the configuration writes sizes. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return countText(Math.max(0, Math.round(bytes)), "byte");
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${shortDecimal(value)} ${SIZE_UNITS[unit] ?? ""}`;
}

/** `1 attempt`, `3 attempts`; `plural` where adding an s is wrong. */
export function countText(count: number, singular: string, plural: string = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinalText(position: number): string {
  const lastTwo = position % 100;
  if (lastTwo >= 11 && lastTwo <= 13) return `${position}th`;
  return `${position}${{ 1: "st", 2: "nd", 3: "rd" }[position % 10] ?? "th"}`;
}

const SIZE_UNITS: readonly string[] = ["KiB", "MiB", "GiB", "TiB"];

/** Three significant digits at most, no trailing zeros: 12.3, 123, 1.2, 64. */
function shortDecimal(value: number): string {
  return String(value < 99.95 ? Math.round(value * 10) / 10 : Math.round(value));
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
