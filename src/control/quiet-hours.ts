/**
 * Quiet hours: when a message that nobody must act on at once is kept for the morning. Written in the wall time of a
 * place, because people sleep by that, also on the two days of the year on which an hour is missing or comes twice.
 *
 * A function of the instant and the place alone: the time zones come from Intl, not from where the process runs.
 */
export interface QuietHours {
  /** IANA name, e.g. `Europe/Berlin`. */
  readonly zone: string;
  /** Minutes after midnight, 0–1439. */
  readonly fromMinute: number;
  /** Exclusive. Before `fromMinute`: it goes over midnight. Equal: the whole day. */
  readonly toMinute: number;
  /** 0 is Sunday. The days on which they begin; empty: every day. */
  readonly days: readonly number[];
}

const DAYS: readonly string[] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MINUTES_PER_DAY = 1440;
/** One formatter costs more than all its uses. Bounded by the zones of the configuration. */
const formats = new Map<string, Intl.DateTimeFormat>();

export function isQuiet(hours: QuietHours, at: number): boolean {
  const { day, minute } = wallTime(hours.zone, at);
  const { fromMinute, toMinute } = hours;
  const begins = (on: number): boolean => hours.days.length === 0 || hours.days.includes(on);
  if (fromMinute < toMinute) return begins(day) && minute >= fromMinute && minute < toMinute;
  const yesterday = (day + 6) % 7;
  return (begins(day) && minute >= fromMinute) || (begins(yesterday) && minute < toMinute);
}

/** Whether the system knows a zone of this name. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

function wallTime(zone: string, at: number): { day: number; minute: number } {
  let day = 0;
  let minute = 0;
  for (const { type, value } of formatOf(zone).formatToParts(at)) {
    if (type === "weekday") day = DAYS.indexOf(value);
    else if (type === "hour") minute += Number(value) * 60;
    else if (type === "minute") minute += Number(value);
  }
  return { day, minute: minute % MINUTES_PER_DAY };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  formats.set(zone, format);
  return format;
}
