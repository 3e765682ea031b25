/**
 * Dates in fields (RFC 9110 §5.6.7): the form of today and the two old ones that a recipient must still read.
 * `Date.parse` takes far more, in the time zone of the machine; a date that is none has to be known as such, because
 * an Expires that cannot be read means "already expired" (RFC 9111 §5.3).
 */

/** Epoch ms, or NaN. `nowMs` gives the century to years of two digits. */
export function parseHttpTime(text: string, nowMs: number): number {
  const today = IMF.exec(text);
  if (today !== null) return epochOf(today[3], today[2], today[1], today, 4);
  const old = RFC850.exec(text);
  if (old !== null) return epochOf(fullYear(Number(old[3]), nowMs), old[2], old[1], old, 4);
  const oldest = ASCTIME.exec(text);
  if (oldest !== null) return epochOf(oldest[6], oldest[1], oldest[2], oldest, 3);
  return Number.NaN;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const IMF = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const RFC850 = /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const ASCTIME = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

function epochOf(
  year: string | number | undefined,
  month: string | undefined,
  day: string | undefined,
  clock: RegExpExecArray,
  hoursAt: number,
): number {
  const monthIndex = MONTHS.indexOf(month ?? "");
  const [date, hours, minutes, seconds] = [day, clock[hoursAt], clock[hoursAt + 1], clock[hoursAt + 2]].map(Number);
  if (monthIndex === -1 || date === undefined || hours === undefined || minutes === undefined || seconds === undefined)
    return Number.NaN;
  // 60 is a leap second.
  if (date < 1 || date > 31 || hours > 23 || minutes > 59 || seconds > 60) return Number.NaN;
  return Date.UTC(Number(year), monthIndex, date, hours, minutes, Math.min(seconds, 59));
}

/** RFC 9110 §5.6.7: what seems more than 50 years ahead was in the century before. */
function fullYear(two: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + two;
  return year > thisYear + 50 ? year - 100 : year;
}
