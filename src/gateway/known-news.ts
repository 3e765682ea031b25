/**
 * What this gateway knows of its origins now, as news for a process that takes its place: what traffic and checks took
 * out, what a person took out, routes that are broken, after how long origins close idle connections, what they can take
 * at once and how long they take. A worker tells such things as they happen (shared-knowledge.ts, load-news.ts); where
 * there is one process it is asked once, at the end.
 */
import { KNOWN_MAX } from "../contract/known-news.ts";
import type { News } from "../contract/shared-knowledge.ts";
import type { CheckTarget } from "./check-targets.ts";
import { loadNews } from "./load-news.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import { checkNews, ejectionNews, keepAliveNews } from "./shared-knowledge.ts";
import { placeOf } from "./place-of.ts";

const TEACHERS = ["hint", "closed", "raced"] as const;

/** `sharers`: how many processes share the traffic. */
export function knownNews(
  services: readonly ServiceRuntime[],
  targets: readonly CheckTarget[],
  sharers: number,
  now: number,
): News[] {
  const news: News[] = [];
  for (const { key, address } of targets) {
    const { health, check } = address;
    if (health.kind === "unknown") continue;
    const up = health.kind === "up";
    news.push({ ...checkNews(key, { ok: up, detail: check.detail }, up), agoMs: now - health.at });
  }
  for (const service of services) for (const each of ofService(service, now)) news.push(each);
  // Last: where there is too much, it is what is found out again soonest.
  for (const service of services) for (const each of loadsOf(service, sharers, now)) news.push(each);
  return news.slice(0, KNOWN_MAX);
}

function* ofService({ settings, pools }: ServiceRuntime, now: number): Generator<News> {
  for (const pool of pools) {
    for (const address of pool.members) {
      const at = placeOf(settings.name, pool.name, address);
      const ejection = ejectionNews(at, address, settings.ejection.consecutiveFailures, now);
      if (ejection !== null) yield ejection;
      const { keepAlive } = address;
      const learnedAt = { hint: keepAlive.hintAt, closed: keepAlive.closedAt, raced: keepAlive.racedAt };
      for (const teacher of TEACHERS) {
        const taught = keepAliveNews(at, keepAlive, teacher);
        if (taught.idleMs >= 0) yield { ...taught, agoMs: now - learnedAt[teacher] };
      }
    }
    for (const { settings: origin, drain } of pool.origins) {
      if (drain === null || now >= drain.until) continue;
      const { by, reason, since, until } = drain;
      const times = { agoMs: now - since, forMs: until - since };
      yield { kind: "drain", service: settings.name, origin: origin.url, ...times, by, reason };
    }
    yield* pool.breakers?.known(now) ?? [];
  }
}

function* loadsOf(service: ServiceRuntime, sharers: number, now: number): Generator<News> {
  for (const pool of service.pools) {
    for (const address of pool.members) {
      const load = loadNews(service, placeOf(service.settings.name, pool.name, address), address, sharers, now);
      if (load !== null) yield load;
    }
  }
}
