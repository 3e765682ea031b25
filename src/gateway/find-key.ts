/** Whether a request carries an Idempotency-Key that is to be honoured, and what is wrong with it where it is not. */
import type { RouteSettings } from "../config/settings.ts";
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { parseIdempotencyKey } from "../http1/idempotency-key.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Core } from "./core.ts";
import { KeyedExchange } from "./keyed-exchange.ts";
import type { KeyedHost } from "./keyed-host.ts";

export type KeyFound =
  | { readonly kind: "none" }
  | { readonly kind: "key"; readonly keyed: KeyedExchange }
  | { readonly kind: "refused"; readonly cause: CauseId; readonly evidence: string };

/** What Idempotency-Key says about this request, whose method is not idempotent. */
export function findKey(core: Core, host: KeyedHost, head: MessageHead, route: RouteSettings): KeyFound {
  const { idempotencyKey } = route;
  if (idempotencyKey.mode === "off") return { kind: "none" };
  const at = head.find(FIELD.IDEMPOTENCY_KEY);
  if (at === -1) {
    if (idempotencyKey.mode === "honour") return { kind: "none" };
    return { kind: "refused", cause: "client.key_missing", evidence: `${head.method} without an Idempotency-Key` };
  }
  const parsed = parseIdempotencyKey(head.value(at));
  const wrong = head.next(at) === -1 ? ("wrong" in parsed ? parsed.wrong : "") : "the field is there more than once";
  if (wrong !== "" || "wrong" in parsed) return { kind: "refused", cause: "client.key_malformed", evidence: wrong };
  const { keys } = core;
  if (keys === null) {
    if (idempotencyKey.mode === "honour") return { kind: "none" };
    return { kind: "refused", cause: "gw.key_unprotected", evidence: "there is no state directory to keep keys in" };
  }
  // A tunnel has no answer that could be given twice.
  if (head.upgrade) return { kind: "none" };
  return { kind: "key", keyed: new KeyedExchange(core, keys, host, head, parsed.key, route) };
}
