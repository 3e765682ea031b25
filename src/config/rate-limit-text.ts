/** A rate limit in words, the same for `check --explain`, for records and for the page of a refusal's evidence. */
import type { RateLimitSettings } from "./settings.ts";
import { formatDuration } from "./units.ts";

/** `100 requests in 1s for each client, 200 at once`. */
export function rateLimitText({ count, periodMs, burst, per, header, shadow }: RateLimitSettings): string {
  const requests = count === 1 ? "1 request" : `${count} requests`;
  const whom =
    per === "client"
      ? "for each client"
      : per === "route"
        ? "for all clients together"
        : `for each value of the field ${header}`;
  const atOnce = burst === count ? "" : `, ${burst} at once`;
  return `${requests} in ${formatDuration(periodMs)} ${whom}${atOnce}${shadow ? " (shadow: only noted)" : ""}`;
}
