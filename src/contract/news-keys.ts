/** What a piece of news is about, so that newer news takes the place of older, and how news grows older. */
import type { News, Place, TurnKey } from "./shared-knowledge.ts";

/** Null: each stands for itself, and nobody who comes later has to know. */
export function newsKey(news: News): string | null {
  switch (news.kind) {
    case "ejection":
      return `ejection ${placeKey(news.at)}`;
    case "check":
      return `check ${news.target}`;
    case "drain":
      return `drain ${news.service} ${news.origin}`;
    case "breaker":
      return `breaker ${placeKey(news.at)} ${news.route}`;
    case "quarantine":
      return `quarantine ${news.service} ${news.fingerprint}`;
    case "keep-alive":
      return `keep-alive ${news.teacher} ${placeKey(news.at)}`;
    case "load":
      return `load ${placeKey(news.at)}`;
    case "pool":
      return `pool ${news.service} ${news.pools.join(" ")}`;
    case "poison":
    case "changed":
      return null;
  }
}

/** The same news `ms` later. */
export function olderBy(news: News, ms: number): News {
  return news.kind === "changed" ? news : { ...news, agoMs: news.agoMs + ms };
}

/** The turn to try an address again. */
export function trialOf(at: Place, route: string): TurnKey {
  return `trial ${placeKey(at)} ${route}`;
}

/** The turn to try a request again that has broken origins. */
export function poisonTrialOf(service: string, fingerprint: string): TurnKey {
  return `poison ${service} ${fingerprint}`;
}

function placeKey({ service, pool, origin, address }: Place): string {
  return `${service} ${pool} ${origin} ${address}`;
}
