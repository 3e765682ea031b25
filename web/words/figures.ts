/** Figures as people read them, each with its unit. Durations and sizes are in contract/quantities.ts. */
import { durationText } from "../../src/contract/quantities.ts";

/** `182/s`, `3.4/s`, `0.02/s`, `< 0.01/s`. */
export function rateText(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.01) return "< 0.01/s";
  const rounded = perSecond >= 100 ? Math.round(perSecond) : Number(perSecond.toPrecision(2));
  return `${grouped(rounded)}/s`;
}

/** `0.42 %`, `12 %`; a share that rounds to nothing is not nothing, and one that rounds to all is not all. */
export function ratioText(ratio: number): string {
  if (ratio === 0) return "0 %";
  if (ratio === 1) return "100 %";
  const percent = ratio * 100;
  if (percent > 0 && percent < 0.01) return "< 0.01 %";
  if (percent > 99 && percent < 100) return `${(Math.floor(percent * 1000) / 1000).toString()} %`;
  return `${Math.abs(percent) >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))} %`;
}

/** `12.3 ms`; null: `–`, because nothing ended that could have been measured. */
export function msText(ms: number | null): string {
  return ms === null ? "–" : durationText(ms * 1000);
}

/** `1 204 331`, with spaces at which no line breaks. */
export function grouped(count: number): string {
  const [whole = "", fraction] = String(count).split(".");
  const spaced = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, "\u202F");
  return fraction === undefined ? spaced : `${spaced}.${fraction}`;
}

/** `14.4×`. */
export function timesText(times: number): string {
  return `${times >= 10 ? Math.round(times) : Math.round(times * 10) / 10}×`;
}
