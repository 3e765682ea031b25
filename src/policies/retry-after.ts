/** How long an answer asks to wait (RFC 9110 §10.2.3): seconds, or a date, which is compared with our own clock. */

/** No origin is waited for longer; it also keeps sums finite. */
const LONGEST_MS = 86_400_000;

/** ms; 0 when the value says nothing that can be waited for. `wallNow`: epoch ms. */
export function parseRetryAfter(value: string, wallNow: number): number {
  if (/^\d{1,10}$/.test(value)) return Math.min(Number(value) * 1000, LONGEST_MS);
  // Only the form that RFC 9110 §5.6.7 tells everybody to send: what else Date reads, it reads as it likes.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value)) return 0;
  const at = Date.parse(value);
  return Number.isNaN(at) ? 0 : Math.min(Math.max(0, at - wallNow), LONGEST_MS);
}
