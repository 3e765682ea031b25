/**
 * What a route does with a request beyond choosing its origins, in sentences, for `check --explain`: how important it
 * is, how long its answer may take, and what may answer instead of an origin. Defaults are said as well: they hold,
 * and nobody has written them down.
 */
import { isIdempotent } from "../policies/retry.ts";
import { quoted } from "./parsed.ts";
import type { FallbackSettings, RouteClass, RouteSettings } from "./settings.ts";
import { formatDuration } from "./units.ts";

export function routeTexts(route: RouteSettings, method: string): string[] {
  return [
    `Class ${route.class}: ${SHED[route.class]}.`,
    deadlineText(route),
    cacheText(route, method),
    idempotencyKeyText(route, method),
    fallbackText(route.fallback, method),
  ];
}

const SHED: Readonly<Record<RouteClass, string>> = {
  critical: "turned away last when there is no room",
  normal: "turned away after what is background and before what is critical",
  background: "turned away first when there is no room",
};

function deadlineText({ deadlineMs, timeouts }: RouteSettings): string {
  const { firstByteMs } = timeouts;
  const each = firstByteMs === 0 ? "no limit for a first byte" : `${formatDuration(firstByteMs)} for each first byte`;
  return deadlineMs === 0
    ? `Deadline: none, unless the client sets one; ${each}.`
    : `Deadline: a response begins within ${formatDuration(deadlineMs)}, all attempts together; ${each}.`;
}

function cacheText({ cache }: RouteSettings, method: string): string {
  if (!isGet(method)) return `Cache: it answers GET and HEAD, not ${method}.`;
  const { mode, staleIfDisconnectedMs, staleIfStatusMs } = cache;
  if (mode === "off") return "Cache: off, and no last good copy is kept.";
  const disconnected = `${formatDuration(staleIfDisconnectedMs)} past their freshness when no origin answers`;
  if (mode === "last good")
    return `Cache: only last good copies of what origins mark as storable, up to ${disconnected}.`;
  const failed =
    staleIfStatusMs === 0 ? "" : `, ${formatDuration(staleIfStatusMs)} when one answers 500, 502, 503 or 504`;
  return `Cache: stored responses answer while they are fresh, and up to ${disconnected}${failed}.`;
}

function idempotencyKeyText({ idempotencyKey }: RouteSettings, method: string): string {
  const { mode, keepMs, originsHonour } = idempotencyKey;
  if (isIdempotent(method)) return `Idempotency-Key: has no meaning here, ${method} is idempotent.`;
  if (mode === "off") return "Idempotency-Key: passed on and not looked at.";
  const again = originsHonour ? ", and sent again with it, because the origins honour it" : "";
  return `Idempotency-Key: ${mode === "required" ? "required" : "honoured where a client sends one"}, remembered for ${formatDuration(keepMs)}${again}.`;
}

function fallbackText(fallback: FallbackSettings | null, method: string): string {
  if (fallback === null) return "Fallback: none; the gateway answers with a page of its own.";
  if (!isGet(method)) return `Fallback: for GET and HEAD, not ${method}.`;
  const { status, contentType, file, onFailure, onOverload } = fallback;
  const content = file === null ? "its text" : quoted(file);
  const when = [...(onFailure ? ["origins fail"] : []), ...(onOverload ? ["there is no room"] : [])].join(" or ");
  return `Fallback: ${status} with ${content} as ${contentType} when ${when}.`;
}

function isGet(method: string): boolean {
  return method === "GET" || method === "HEAD";
}
