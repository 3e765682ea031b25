/**
 * Reply: the answer that an operator prepared for a route, given instead of the gateway's own failure page. Only to
 * GET and HEAD: whoever asked for something to be done must not read a friendly page as "done".
 *
 * It is marked in Proxy-Status and in the record, which still says what failed: a page that looks well hides an
 * outage from visitors, not from operators.
 */
import type { FallbackSettings } from "../config/settings.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import { ownFields, phraseOf } from "./own-fields.ts";
import type { Reply, ReplyContext } from "./own-fields.ts";

export interface StaticFallback {
  readonly settings: FallbackSettings;
  readonly bytes: Buffer;
}

/** `files`: what the paths of the settings hold, read before the start. */
export function staticFallback(
  settings: FallbackSettings | null,
  files: ReadonlyMap<string, Buffer>,
): StaticFallback | null {
  if (settings === null) return null;
  const bytes = settings.body === null ? files.get(settings.file ?? "") : Buffer.from(settings.body);
  if (bytes === undefined) throw new Error(`the file of a fallback was not read: ${settings.file ?? ""}`);
  return { settings, bytes };
}

/** Whether it answers for this. What is the client's doing, or no route's at all, it does not. */
export function answersFor({ settings }: StaticFallback, cause: CauseId, method: string): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  switch (CAUSES[cause].party) {
    case "client":
      return false;
    case "overload":
      return settings.onOverload;
    case "gateway":
    case "network":
    case "dns":
    case "origin":
    case "configuration":
      return settings.onFailure && cause !== "gw.loop" && cause !== "gw.no_route";
  }
}

export function fallbackReply(
  { settings, bytes }: StaticFallback,
  cause: CauseId,
  retryAfterSeconds: number,
  context: ReplyContext,
): Reply {
  const { status, contentType } = settings;
  const isHead = context.method === "HEAD";
  return {
    message: {
      status,
      reason: phraseOf(status),
      fields: ownFields(contentType, cause, status < 400 ? 0 : retryAfterSeconds, context),
      content: contentOf(status, bytes, isHead),
    },
    bodyBytes: isHead || hasNoContent(status) ? 0 : bytes.length,
    kind: "fallback",
    grpcStatus: -1,
  };
}

function contentOf(status: number, bytes: Buffer, isHead: boolean): Reply["message"]["content"] {
  if (hasNoContent(status)) return { kind: "none" };
  return isHead ? { kind: "declared", length: bytes.length } : { kind: "length", bytes };
}

/** RFC 9110 §15.3.5, §15.3.6, §15.4.5. */
function hasNoContent(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
