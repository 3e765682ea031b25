/**
 * Freshness: whether a stored response may answer now, and if not, whether it may when nothing better is to be had
 * (RFC 9111 §4.2, RFC 5861). It knows ages and permissions and nothing of fields: reading those is done once, when a
 * response is stored, so that a hit costs a few comparisons.
 *
 * Three grades of need are told apart, because the standards permit different things for them: no need at all,
 * an origin that answered with an error, and no origin that answered ("disconnected", RFC 9111 §4.2.4).
 */

/** What the origin and the operator allow for one stored response. ms; plain data, as it is kept on disk. */
export interface Freshness {
  /** From the age 0 on. 0: it is stale at once. */
  readonly lifetimeMs: number;
  /** Never without asking the origin first, fresh or not (`no-cache`). */
  readonly noCache: boolean;
  /** must-revalidate or proxy-revalidate: once it is stale nothing excuses using it. */
  readonly mustRevalidate: boolean;
  /** s-maxage implies proxy-revalidate (RFC 9111 §5.2.2.10), but a stale-… directive beside it is the more explicit word. */
  readonly sharedMaxAge: boolean;
  /** stale-while-revalidate and stale-if-error as the origin wrote them, past the lifetime. 0: not written. */
  readonly whileRevalidateMs: number;
  readonly ifErrorMs: number;
}

/** What the route's settings add to what the origin says, past the lifetime. */
export interface StalePermissions {
  readonly whileRevalidateMs: number;
  /** When an origin answered 500, 502, 503 or 504. */
  readonly ifStatusMs: number;
  /** When none answered. */
  readonly ifDisconnectedMs: number;
}

/** What the client asks for (RFC 9111 §5.2.1). Durations in ms; -1: not said. */
export interface AskedFreshness {
  readonly noCache: boolean;
  readonly maxAgeMs: number;
  readonly minFreshMs: number;
  /** Infinity: any staleness. */
  readonly maxStaleMs: number;
}

export type FreshnessVerdict =
  | "fresh"
  /** It answers, and the origin is asked behind its back. */
  | "stale-while-revalidate"
  /** The client said that it takes it as it is. */
  | "stale-wanted"
  /** The origin has to be asked: it has become stale. */
  | "stale"
  /** The origin has to be asked: the client wants that, although it is fresh. */
  | "asked-anew";

export function judgeFreshness(
  stored: Freshness,
  permissions: StalePermissions,
  ageMs: number,
  asked: AskedFreshness | null,
): FreshnessVerdict {
  const staleMs = ageMs - stored.lifetimeMs;
  if (stored.noCache) return "stale";
  if (staleMs < 0) return asked !== null && asksAnew(asked, ageMs, -staleMs) ? "asked-anew" : "fresh";
  if (stored.mustRevalidate) return "stale";
  if (asked !== null) {
    if (asksAnew(asked, ageMs, 0)) return "stale";
    if (!stored.sharedMaxAge && staleMs <= asked.maxStaleMs) return "stale-wanted";
  }
  const allowedMs = stored.sharedMaxAge
    ? stored.whileRevalidateMs
    : Math.max(stored.whileRevalidateMs, permissions.whileRevalidateMs);
  return staleMs < allowedMs ? "stale-while-revalidate" : "stale";
}

/** `error`: an origin answered with a 5xx. `disconnected`: none answered. Fresh ones may answer in any case. */
export function mayAnswerForOrigin(
  stored: Freshness,
  permissions: StalePermissions,
  ageMs: number,
  need: "error" | "disconnected",
): boolean {
  if (stored.noCache) return false;
  const staleMs = ageMs - stored.lifetimeMs;
  if (staleMs < 0) return true;
  if (stored.mustRevalidate) return false;
  const permittedMs = need === "error" ? permissions.ifStatusMs : permissions.ifDisconnectedMs;
  const allowedMs = stored.sharedMaxAge ? stored.ifErrorMs : Math.max(stored.ifErrorMs, permittedMs);
  return staleMs < allowedMs;
}

function asksAnew(asked: AskedFreshness, ageMs: number, freshForMs: number): boolean {
  return (
    asked.noCache ||
    (asked.maxAgeMs >= 0 && ageMs > asked.maxAgeMs) ||
    (asked.minFreshMs >= 0 && freshForMs < asked.minFreshMs)
  );
}
