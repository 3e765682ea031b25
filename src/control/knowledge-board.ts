/**
 * What the workers of a node know together, kept for those that begin later: the newest news of each thing, as old as
 * it is. What is over is let go of.
 */
import { newsKey, olderBy } from "../contract/news-keys.ts";
import type { News } from "../contract/shared-knowledge.ts";

interface Pinned<Author> {
  readonly news: News;
  readonly at: number;
  readonly author: Author;
}

const PINNED_MAX = 16_384;
/** What has no end of its own is believed for so long. */
const KEPT_MS = 600_000;
/** What origins can take changes with the traffic. */
const LOAD_KEPT_MS = 60_000;
/** Kept beside the rest, which must not make room for it. */
const LOADS_MAX = 2_048;
/** Who has more of the traffic knows more: for so long what another learned of less is passed over. */
const LOAD_STANDS_MS = 15_000;
/** Something that has ended may still be counted: how often in a row, how long a ramp goes on. */
const AFTER_END_MS = 60_000;

export class KnowledgeBoard<Author> {
  /** Oldest first. */
  readonly #pinned = new Map<string, Pinned<Author>>();
  readonly #loads = new Map<string, Pinned<Author>>();

  pin(news: News, author: Author, now: number): void {
    const key = newsKey(news);
    if (key === null) return;
    if (news.kind === "load") {
      const known = this.#loads.get(key);
      if (known !== undefined && known.author !== author && now - known.at < LOAD_STANDS_MS && isMore(known.news, news))
        return;
      put(this.#loads, LOADS_MAX, key, { news, at: now, author });
      return;
    }
    if (isEnd(news)) this.#pinned.delete(key);
    else put(this.#pinned, PINNED_MAX, key, { news, at: now, author });
  }

  /** For a worker that begins at `now`. */
  read(now: number): News[] {
    const told: News[] = [];
    // Loads last: where there is too much, they are what is found out again soonest.
    for (const kept of [this.#pinned, this.#loads]) {
      for (const [key, { news, at }] of kept) {
        const older = olderBy(news, now - at);
        if (isOver(older)) kept.delete(key);
        // Several failures make an address fail, one does not: who comes later hears how it stands.
        else told.push(older.kind === "check" ? { ...older, ok: older.up } : older);
      }
    }
    return told;
  }

  /** Trials that a worker had begun when it ended: they came to nothing, and another may try. */
  abandoned(author: Author, now: number): News[] {
    const news: News[] = [];
    for (const pinned of this.#pinned.values()) {
      if (pinned.author !== author) continue;
      if (pinned.news.kind === "ejection" && pinned.news.phase === "probation") {
        news.push({ ...pinned.news, phase: "ejected", agoMs: 0, forMs: 0 });
      } else if (pinned.news.kind === "breaker" && pinned.news.phase === "trying") {
        news.push({ ...pinned.news, phase: "open", agoMs: 0, forMs: 0 });
      }
    }
    for (const each of news) this.pin(each, author, now);
    return news;
  }
}

function put<Author>(kept: Map<string, Pinned<Author>>, max: number, key: string, pinned: Pinned<Author>): void {
  kept.delete(key);
  kept.set(key, pinned);
  if (kept.size <= max) return;
  for (const oldest of kept.keys()) {
    kept.delete(oldest);
    break;
  }
}

function isMore(known: News, news: Extract<News, { kind: "load" }>): boolean {
  return known.kind === "load" && known.limit > news.limit;
}

function isEnd(news: News): boolean {
  return (news.kind === "breaker" && news.phase === "closed") || (news.kind === "drain" && news.forMs === 0);
}

function isOver(news: News): boolean {
  switch (news.kind) {
    case "ejection":
      return news.agoMs > KEPT_MS && news.agoMs > news.forMs + AFTER_END_MS;
    case "drain":
    case "breaker":
    case "quarantine":
      return news.agoMs > news.forMs + AFTER_END_MS;
    case "load":
      return news.agoMs > LOAD_KEPT_MS;
    case "check":
    case "keep-alive":
      return news.agoMs > KEPT_MS;
    case "pool":
    case "poison":
    case "changed":
      return false;
  }
}
