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
/** Something that has ended may still be counted: how often in a row, how long a ramp goes on. */
const AFTER_END_MS = 60_000;

export class KnowledgeBoard<Author> {
  /** Oldest first. */
  readonly #pinned = new Map<string, Pinned<Author>>();

  pin(news: News, author: Author, now: number): void {
    const key = newsKey(news);
    if (key === null) return;
    this.#pinned.delete(key);
    if (isEnd(news)) return;
    this.#pinned.set(key, { news, at: now, author });
    if (this.#pinned.size <= PINNED_MAX) return;
    for (const oldest of this.#pinned.keys()) {
      this.#pinned.delete(oldest);
      break;
    }
  }

  /** For a worker that begins at `now`. */
  read(now: number): News[] {
    const told: News[] = [];
    for (const [key, { news, at }] of this.#pinned) {
      const older = olderBy(news, now - at);
      if (isOver(older)) this.#pinned.delete(key);
      // Several failures make an address fail, one does not: who comes later hears how it stands.
      else told.push(older.kind === "check" ? { ...older, ok: older.up } : older);
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
    case "check":
    case "keep-alive":
      return news.agoMs > KEPT_MS;
    case "pool":
    case "poison":
    case "changed":
      return false;
  }
}
