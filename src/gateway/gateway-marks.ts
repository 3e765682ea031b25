/**
 * Judge, for 5xx answers: what their heads show of gateways between this one and the application, and of who made
 * the answer. That a gateway is there says little: nginx puts its own Server field on everything that it passes on.
 * So each mark says what follows from it: the gateway made the answer itself, it passed on somebody else's, or it is
 * there and may have done either.
 *
 * The pages of nginx, HAProxy, Caddy and Varnish were looked at (nginx 1.22, HAProxy 2.6, Caddy 2.6, Varnish 7.1),
 * the others are what their makers document. Bodies are not read: they may be anything and may not have come yet.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { GatewayMark } from "../contract/record.ts";

type Says = GatewayMark["says"];

/** Such a mark first, if there is one: `made` outranks `passed`, that outranks `between`. */
export function marksOf(head: MessageHead): GatewayMark[] {
  const marks: GatewayMark[] = [];
  const add = (text: string, says: Says): void => {
    marks.push({ text: text.slice(0, MARK_MAX), says });
  };
  markProxyStatus(head, add);
  markFields(head, add);
  markServer(head, add);
  markOwnPages(head, add);
  const type = head.valueOf(FIELD.CONTENT_TYPE);
  // Gateways' own pages are HTML, plain text or nothing; those that answer in JSON have marks of their own above.
  if (type !== null && marks.length > 0 && !marks.some(({ says }) => says === "made") && APPLICATION.test(type)) {
    add(`Content-Type: ${type}`, "passed");
  }
  return marks.sort((one, other) => RANK[one.says] - RANK[other.says]);
}

const MARK_MAX = 120;
const RANK: Readonly<Record<Says, number>> = { made: 0, passed: 1, between: 2 };
const APPLICATION = /^application\/(?:[\w.-]+\+)?(?:json|xml|grpc|msgpack|cbor|protobuf|x-protobuf)\b/i;

type Add = (text: string, says: Says) => void;

/** RFC 9209 §2: each member is a hop; `error` means that it failed there, `received-status` that it passed one on. */
function markProxyStatus(head: MessageHead, add: Add): void {
  const value = head.valueOf(FIELD.PROXY_STATUS);
  if (value === null) return;
  const says = /;\s*error\s*=/i.test(value) ? "made" : /;\s*received-status\s*=/i.test(value) ? "passed" : "between";
  add(`Proxy-Status: ${value}`, says);
}

/** Fields that only gateways write, by what they say. */
const FIELDS: readonly (readonly [name: string, says: Says])[] = [
  ["cf-error-type", "made"],
  ["cf-error-origin", "made"],
  ["x-vercel-error", "made"],
  ["x-envoy-upstream-service-time", "passed"],
  ["x-kong-upstream-status", "passed"],
  ["cf-ray", "between"],
  ["x-amz-cf-id", "between"],
  ["x-amzn-trace-id", "between"],
  ["x-azure-ref", "between"],
  ["x-served-by", "between"],
  ["x-varnish", "between"],
];

function markFields(head: MessageHead, add: Add): void {
  for (const [name, says] of FIELDS) {
    const value = head.get(name);
    if (value !== null) add(`${name}: ${value}`, says);
  }
  const via = head.valueOf(FIELD.VIA);
  if (via !== null) add(`Via: ${via}`, "between");
  const gatewayId = head.get("x-amz-apigw-id");
  if (gatewayId !== null) {
    const error = head.get("x-amzn-errortype");
    if (error === null) add(`x-amz-apigw-id: ${gatewayId}`, "between");
    else add(`x-amzn-ErrorType: ${error}`, "made");
  }
}

/** They put this field only on what they made themselves, and leave the application's alone. */
const SERVERS_OF_OWN_PAGES = /^(?:awselb\/|cloudfront$|kong\/|varnish$)/i;
const SERVERS_OF_GATEWAYS =
  /^(?:nginx|haproxy|envoy|istio-envoy|caddy|cloudflare|traefik|openresty|tengine|gws|google frontend|akamaighost|goodgate)\b/i;

function markServer(head: MessageHead, add: Add): void {
  const server = head.valueOf(FIELD.SERVER);
  if (server === null) return;
  if (SERVERS_OF_OWN_PAGES.test(server)) add(`Server: ${server}`, "made");
  else if (SERVERS_OF_GATEWAYS.test(server)) {
    // 520 to 530 are statuses that only Cloudflare has.
    add(
      `Server: ${server}`,
      /^cloudflare/i.test(server) && head.status >= 520 && head.status <= 530 ? "made" : "between",
    );
  }
}

/** Error pages that show in the head alone whose they are. */
function markOwnPages(head: MessageHead, add: Add): void {
  const server = head.valueOf(FIELD.SERVER);
  const type = head.valueOf(FIELD.CONTENT_TYPE);
  const length = head.contentLength;
  if (server !== null && /^(?:nginx|openresty)\b/i.test(server) && type === "text/html") {
    if (length === nginxPageLength(head, server)) add(`the very page of ${server}, ${length} bytes`, "made");
  } else if (server !== null && /^caddy$/i.test(server) && type === null && length === 0) {
    add("an empty page of Caddy", "made");
  } else if (server !== null && /^(?:istio-)?envoy$/i.test(server) && type === "text/plain") {
    if (head.get("x-envoy-upstream-service-time") === null) add("a plain text of Envoy's own", "made");
  } else if (server === null && type === "text/html" && head.find(FIELD.DATE) === -1) {
    // An origin server with a clock must send Date (RFC 9110 §6.6.1); HAProxy's own pages have none.
    if (head.valueOf(FIELD.CACHE_CONTROL) === "no-cache") add("a page without Date, as HAProxy's own are", "made");
  }
}

/** Its built-in page says status, reason and name of the server within 115 bytes that are always the same. */
function nginxPageLength(head: MessageHead, server: string): number {
  const reason = head.bytes.latin1Slice(head.reasonStart, head.reasonEnd);
  return 115 + 2 * `${head.status} ${reason}`.length + server.length;
}
