/**
 * Look up, for requests that must not run twice: the Idempotency-Key that one carries. From then on the key decides
 * what is done, and it needs the request's body before any origin does.
 */
import type { RouteSettings } from "../config/settings.ts";
import type { MessageHead } from "../http1/head.ts";
import type { ClientSide } from "./absent-client.ts";
import type { ClientRequest } from "./client-request.ts";
import type { Core } from "./core.ts";
import { findKey } from "./find-key.ts";
import type { KeyedExchange } from "./keyed-exchange.ts";
import type { KeyedHost } from "./keyed-host.ts";

export interface KeyHolder extends KeyedHost {
  readonly request: ClientRequest;
  readonly client: ClientSide;
}

/** Null: it has no key that is honoured. `refused`: the exchange has failed for what it has. */
export function lookUpKey(
  core: Core,
  holder: KeyHolder,
  head: MessageHead,
  route: RouteSettings,
): KeyedExchange | "refused" | null {
  const found = findKey(core, holder, head, route);
  if (found.kind === "none") return null;
  if (found.kind === "refused") {
    holder.fail(found.cause, found.evidence, "look up", 0);
    return "refused";
  }
  const { request } = holder;
  request.keepHead(head);
  if (!request.complete && request.expectContinue) {
    // The body is needed before any origin is, so the invitation is ours to give (RFC 9110 §10.1.1).
    request.expectContinue = false;
    core.gather.to(holder.client.socket).ascii("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return found.keyed;
}
