/**
 * Numbers as a person would say them, for the `because` sentences of policies. One place, so that the
 * same duration never reads differently in a record, on the dashboard and in a log.
 */

/** `350 ms`, `4.5 s`, `12 s`, `3 min`. */
export function durationInWords(ms: number): string {
  if (!(ms > 0)) return "0 ms";
  if (ms < 999.5) return ms < 0.95 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${trimZero(seconds.toFixed(1))} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}

/** `512 bytes`, `64 KiB`, `3.2 MiB`. */
export function sizeInWords(bytes: number): string {
  if (!(bytes > 0)) return "0 bytes";
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${Math.round(bytes)} bytes`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = "bytes";
  for (const next of units) {
    // 1023.95 would be printed as "1024" of the smaller unit.
    if (value < 1023.95) break;
    value /= 1024;
    unit = next;
  }
  return `${value < 9.95 ? trimZero(value.toFixed(1)) : value.toFixed(0)} ${unit}`;
}

/** `67 %`; never rounds a ratio below 1 up to `100 %`, because "100 %" means that nothing is missing. */
export function shareInWords(ratio: number): string {
  if (!(ratio > 0)) return "0 %";
  if (ratio >= 1) return "100 %";
  const percent = ratio * 100;
  if (percent > 99) return `${(Math.floor(percent * 10) / 10).toString()} %`;
  return `${Math.round(percent)} %`;
}

function trimZero(text: string): string {
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}
