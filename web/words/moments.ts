/** Moments as people read them, in the zone that they chose, which is always told: `14:05:09`, `21 Nov, 14:05:09`. */
import type { Zone } from "../state/settings.ts";

export function clockText(at: number, now: number, zone: Zone): string {
  if (Math.abs(at) > 8.64e15) return String(at);
  const date = new Date(at);
  const time = parts(date, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const day = (moment: number): string =>
    parts(new Date(moment), zone, { year: "numeric", month: "2-digit", day: "2-digit" });
  if (day(at) === day(now)) return time;
  const isThisYear = day(at).slice(-4) === day(now).slice(-4);
  const named = parts(date, zone, { day: "numeric", month: "short", ...(isThisYear ? {} : { year: "numeric" }) });
  return `${named}, ${time}`;
}

/** `Europe/Vienna (UTC+1)`, `UTC`. */
export function zoneText(zone: Zone, at: number): string {
  if (zone === "UTC") return "UTC";
  const format = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" });
  const offset = format.formatToParts(at).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const name = format.resolvedOptions().timeZone;
  return name === "UTC" || name === "Etc/UTC" ? "UTC" : `${name} (${offset.replace("GMT", "UTC")})`;
}

function parts(date: Date, zone: Zone, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-GB", { ...options, ...(zone === "UTC" ? { timeZone: "UTC" } : {}) }).format(date);
}
