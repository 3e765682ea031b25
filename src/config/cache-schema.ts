/** What an operator says about caching: once for the whole gateway (its bounds), and for each route (what may be done). */
import { z } from "zod";
import { count, duration, size, switchedOff, yesOrNo, yes } from "./fields.ts";

export const cacheSchema = z.strictObject({
  memory: size("0B", "1024GiB")
    .prefault("64MiB")
    .describe("Stored responses in memory, together. 0B switches caching off, the last good copies included."),
  disk: size("0B", "1024GiB")
    .prefault("0B")
    .describe(
      "Responses of routes with `cache: true` on disk, together, in the state directory (`state`): they outlive a restart, and need no memory while nobody asks for them. 0B: none.",
    ),
  object: size("1KiB", "64GiB")
    .prefault("8MiB")
    .describe("The largest response that is stored. Larger ones are passed on and not kept."),
  variants: count("variants", 1, 1000)
    .prefault(16)
    .describe("Stored variants of one URL that differ by its `Vary`; the oldest makes room for a new one."),
  wait: duration("1ms", "5m")
    .prefault("5s")
    .describe(
      "How long a request waits for the same response being fetched for another; then it gets what is stored, where that may answer and no origin has sent a byte, or asks by itself.",
    ),
  waiters: count("requests", 0, 1_000_000)
    .prefault(1000)
    .describe("Requests that wait for one response at once. Further ones ask by themselves."),
});

const routeCacheObject = z.strictObject({
  staleIfError: duration("0s", "365d")
    .optional()
    .describe(
      "How long past its freshness a stored response may answer when the origins fail: when none answers, and when one answers 500, 502, 503 or 504. Not written: one day when none answers, and for those statuses as long as the response's `stale-if-error` says.",
    ),
  staleWhileRevalidate: duration("0s", "365d")
    .prefault("0s")
    .describe(
      "How long past its freshness a stored response answers while a new one is fetched behind its back, besides what the response's own `stale-while-revalidate` allows.",
    ),
  negative: duration("0s", "1d")
    .prefault("0s")
    .describe(
      "How long a 404, a 410 or a 5xx is stored that says nothing about it. 0s: only as long as the response itself says.",
    ),
  setCookie: yesOrNo()
    .prefault(false)
    .describe(
      "True: responses that set cookies are stored like others, with their cookies. Only for cookies that are the same for everybody.",
    ),
  reload: yesOrNo()
    .prefault(false)
    .describe(
      "True: clients may ask for a newer response than the stored one (`Cache-Control: no-cache`, `max-age`, `min-fresh`, `max-stale`, `Pragma: no-cache`). False: the origin alone says how long it lasts.",
    ),
});

export const routeCacheSchema = z
  .union([switchedOff({ alsoTrue: true }), yes(), routeCacheObject])
  .optional()
  .describe(
    "True, or a mapping: responses are stored and answer as RFC 9111 allows. Not written: only a last good copy is kept of what origins mark as storable, for when no origin answers. False: neither.",
  );

export type CheckedRouteCache = z.output<typeof routeCacheSchema>;

/** What `true` stands for. */
export const ROUTE_CACHE_DEFAULTS: z.output<typeof routeCacheObject> = routeCacheObject.parse({});
