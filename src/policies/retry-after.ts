/** How long an answer asks to wait (RFC 9110 §10.2.3): seconds, or a date, which is compared with our own clock. */
import { parseHttpTime } from "../kernel/http-time.ts";

/** No origin is waited for longer; it also keeps sums finite. */
const LONGEST_MS = 86_400_000;

/** ms; 0 when the value says nothing that can be waited for. `wallNow`: epoch ms. */
export function parseRetryAfter(value: string, wallNow: number): number {
  if (/^\d{1,10}$/.test(value)) return Math.min(Number(value) * 1000, LONGEST_MS);
  const at = parseHttpTime(value, wallNow);
  return Number.isNaN(at) ? 0 : Math.min(Math.max(0, at - wallNow), LONGEST_MS);
}
