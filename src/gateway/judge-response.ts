/**
 * Judge, for responses that are whole: whether a 5xx is the origin's own, another gateway's behind it, or a sign of
 * overload. The response is passed on untouched either way; this only decides who is named.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { parseRetryAfter } from "../policies/retry-after.ts";
import type { Judgement } from "./judge.ts";

/** Null: nothing went wrong. Only 5xx are judged: anything else is an answer. */
export function judgeResponse(head: MessageHead): Judgement | null {
  const { status } = head;
  if (status < 500) return null;
  const inner = innerGateway(head);
  if (inner !== "" && (status === 502 || status === 503 || status === 504)) {
    return {
      cause: "origin.nested_gw_5xx",
      evidence: `status ${status} with ${inner}: a gateway behind this one answered`,
    };
  }
  if (status === 503 && head.find(FIELD.RETRY_AFTER) !== -1) {
    return {
      cause: "origin.overload_reply",
      evidence: `status 503 with Retry-After: ${(head.valueOf(FIELD.RETRY_AFTER) ?? "").slice(0, 60)}`,
    };
  }
  return { cause: "origin.app_5xx", evidence: `a complete response with status ${status}` };
}

/** How long an origin that says it is overloaded asks to wait, ms; -1: it does not say so. `wallNow`: epoch ms. */
export function overloadedForMs(head: MessageHead, wallNow: number): number {
  if (head.status !== 503) return -1;
  const value = head.valueOf(FIELD.RETRY_AFTER);
  return value === null ? -1 : parseRetryAfter(value, wallNow);
}

const GATEWAY_SERVERS =
  /^(?:nginx|haproxy|envoy|istio-envoy|caddy|cloudflare|awselb|varnish|traefik|openresty|gws|google frontend|goodgate)\b/i;

/** The mark that another gateway left; empty when there is none. */
function innerGateway(head: MessageHead): string {
  if (head.find(FIELD.PROXY_STATUS) !== -1)
    return `Proxy-Status: ${(head.valueOf(FIELD.PROXY_STATUS) ?? "").slice(0, 120)}`;
  const via = head.valueOf(FIELD.VIA);
  if (via !== null) return `Via: ${via.slice(0, 120)}`;
  for (const mark of ["cf-ray", "x-amz-cf-id", "x-envoy-upstream-service-time", "x-served-by"]) {
    if (head.get(mark) !== null) return mark;
  }
  const server = head.valueOf(FIELD.SERVER);
  return server !== null && GATEWAY_SERVERS.test(server) ? `Server: ${server.slice(0, 60)}` : "";
}
