/**
 * What of an origin's response is kept beside its body, and whom that may answer: the one who asked, or others as well.
 */
import type { MessageHead } from "../../http1/head.ts";
import { parseHttpTime } from "../../kernel/http-time.ts";
import type { EntryFacts } from "./entry.ts";
import type { ResponseFacts } from "./response-facts.ts";
import type { Storable } from "./storable.ts";

/** What is kept of a response beside its body, as far as its own head says it. */
export function entryFactsFrom(
  fields: string,
  facts: ResponseFacts,
  judged: Storable,
  wall: number,
): Omit<EntryFacts, "selecting" | "status" | "reason"> {
  const modified = facts.lastModified ?? facts.date;
  return {
    fields,
    freshness: judged.freshness,
    ageMs: judged.ageMs,
    anonymousOnly: judged.anonymousOnly,
    etag: facts.etag,
    lastModified: facts.lastModified,
    modifiedAt: modified === null ? wall : parseHttpTime(modified, wall),
    contentLanguage: facts.contentLanguage,
    tags: facts.tags,
  };
}

/** It answers others as well that ask now. */
export function isShareable({ freshness, ageMs }: Storable): boolean {
  return !freshness.noCache && freshness.lifetimeMs > ageMs;
}

/** Nobody has to ask for himself before he gets it. */
export function isForMany({ freshness, anonymousOnly }: EntryFacts): boolean {
  return !anonymousOnly && !freshness.noCache && freshness.lifetimeMs > 0;
}

/** RFC 9110 §9.3.3: a POST whose response says that it is what a GET for the same URL would get. */
export function showsItsTarget(method: string, head: MessageHead, host: string, target: string): boolean {
  const location = method === "POST" && head.status === 200 ? head.get("content-location") : null;
  const base = `http://${host}${target}`;
  return location !== null && target !== "" && URL.parse(location, base)?.href === URL.parse(base)?.href;
}

export function cookieLines(fields: string): string {
  return (fields.match(SET_COOKIE_LINES) ?? []).join("");
}

export const SET_COOKIE_LINES = /^set-cookie:[^\r\n]*\r\n/gim;
