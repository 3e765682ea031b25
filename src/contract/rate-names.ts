/**
 * What workers and their hub call a rate limit. What it allows is part of the name: when the configuration changes a
 * limit, the new one is another one, and nobody takes what counts of the one for something of the other.
 */
import type { RateLimitSettings } from "../config/settings.ts";

export function rateName(service: string, route: string, limit: RateLimitSettings): string {
  const { name, count, periodMs, burst, per, header } = limit;
  return [service, route, name, per, header, count, periodMs, burst].join(" ");
}
