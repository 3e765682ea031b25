/**
 * Identify: who asks, under which id, as part of which trace. What a peer says about that counts only when the
 * peer is a trusted proxy; from anybody else it is dropped, not appended to, because an origin cannot tell a
 * forged entry from a true one (RFC 7239 §8.1).
 */
import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import { FIELD } from "../http1/field-ids.ts";
import { chainOf, forwardedElement } from "../http1/forwarded.ts";
import type { MessageHead } from "../http1/head.ts";
import { UNIX, hostPort, isUnix } from "../kernel/ip-text.ts";
import type { ProxyView } from "../kernel/socket.ts";
import { parseTraceparent } from "../http1/trace-context.ts";

/** A CIDR set; text is checked when the configuration is loaded. */
export type TrustedProxies = (address: string) => boolean;

export function trustedProxies(ranges: readonly string[]): TrustedProxies {
  if (ranges.length === 0) return () => false;
  const isLocal = ranges.includes(UNIX);
  const networks = ranges.filter((range) => range !== UNIX);
  const parsed = networks.map((range) => (range.includes("/") ? ipaddr.parseCIDR(range) : singleAddress(range)));
  return (address) => {
    if (!ipaddr.isValid(address)) return isLocal && isUnix(address);
    const client = ipaddr.process(address);
    return parsed.some(([network, bits]) => network.kind() === client.kind() && client.match(network, bits));
  };
}

function singleAddress(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

/** The name of this gateway in Via and Proxy-Status; the instance part tells loops from chains. */
export interface Identity {
  /** `goodgate` in Proxy-Status. */
  readonly name: string;
  /**
   * Lines of every request to an origin: `Via: 1.1 goodgate-5f2a9c01`, and the same with the number of a first attempt.
   * The version is that in which the request came (RFC 9110 §7.6.3).
   */
  readonly viaLine: string;
  readonly firstAttemptLines: string;
  /** The part after the version. */
  readonly pseudonym: string;
}

/** One for all workers of a node, or a loop would be seen only where it comes to the same one again. Tells nothing of the seed. */
export function instanceOf(seed: string): string {
  return createHash("sha256").update(`via ${seed}`).digest("hex").slice(0, 8);
}

export function createIdentity(instance: string, version: "1.1" | "2.0" = "1.1"): Identity {
  const pseudonym = `goodgate-${instance}`;
  const viaLine = `Via: ${version} ${pseudonym}\r\n`;
  return { name: "goodgate", viaLine, firstAttemptLines: viaLine + attemptLine(1), pseudonym };
}

/** Tells a Goodgate behind this one that this one repeats what fails, so that only one of them does. */
function attemptLine(number: number): string {
  return `Goodgate-Attempt: ${number}\r\n`;
}

/** What this gateway says of itself to an origin. `repeats`: it, or one in front, could send the request elsewhere. */
export function gatewayLines(identity: Identity, number: number, repeats: boolean): string {
  if (!repeats) return identity.viaLine;
  return number === 1 ? identity.firstAttemptLines : identity.viaLine + attemptLine(number);
}

/** What is known of a client connection before any request; kept with it. */
export interface PeerIdentity {
  /** As text; IPv4 in IPv6 is shown as IPv4. */
  readonly address: string;
  readonly trusted: boolean;
  /** Whom it is counted as, and whether automation may hold it back; a trusted proxy speaks for others. */
  readonly key: number;
  readonly isProtected: boolean;
  /** Who told of it by the PROXY protocol; empty: nobody. */
  readonly proxiedBy: string;
  /** What it speaks with this gateway. */
  readonly scheme: "http" | "https";
  /** The lines about the peer for the last host it asked for, so that they are made once and not per request. */
  lines: string;
  linesHost: string;
}

export function identifyPeer(
  remoteAddress: string,
  trusted: TrustedProxies,
  clients: { readonly clientKey: (address: string) => number; readonly isProtected: (address: string) => boolean },
  proxy: ProxyView | null = null,
  scheme: PeerIdentity["scheme"] = "http",
): PeerIdentity {
  const address = remoteAddress.startsWith("::ffff:") ? remoteAddress.slice(7) : remoteAddress;
  return {
    address,
    trusted: trusted(address),
    key: clients.clientKey(address),
    isProtected: clients.isProtected(address),
    proxiedBy: proxy === null ? "" : hostPort(proxy.address, proxy.port),
    scheme,
    lines: "",
    linesHost: "",
  };
}

export interface RequestIdentity {
  id: string;
  traceId: string;
  /** Empty: a trace starts here. */
  parentSpanId: string;
  clientAddress: string;
  /** X-Forwarded-* and Forwarded: complete lines. */
  lines: string;
  /** The client's traceparent is valid and passed on; otherwise a trace starts here. */
  keepTrace: boolean;
}

const REQUEST_ID = /^[\w.\-+/=:@]{1,128}$/;

/** `newId` gives 32 hex digits; one of them is both the request id and the trace id of a trace that starts here. */
export function identifyRequest(
  head: MessageHead,
  host: string,
  peer: PeerIdentity,
  isTrusted: TrustedProxies,
  newId: () => string,
): RequestIdentity {
  let id = "";
  let clientAddress = peer.address;
  let lines: string;
  if (peer.trusted) {
    const given = head.valueOf(FIELD.X_REQUEST_ID);
    if (given !== null && REQUEST_ID.test(given)) id = given;
    const chain = chainOf(
      peer.address,
      valuesOf(head, FIELD.X_FORWARDED_FOR),
      valuesOf(head, FIELD.FORWARDED),
      isTrusted,
    );
    clientAddress = chain[0] ?? peer.address;
    lines = trustedLines(head, host, chain, peer.scheme);
  } else {
    if (peer.linesHost !== host || peer.lines === "") {
      const node = nodeOf(peer.address);
      const { scheme } = peer;
      peer.lines = forwardingLines(node, scheme, host, forwardedElement(node, host, scheme));
      peer.linesHost = host;
    }
    lines = peer.lines;
  }
  const fresh = newId();
  if (id === "") id = fresh;
  const traceAt = head.find(FIELD.TRACEPARENT);
  // Two of them are none (W3C Trace Context §3.2.1): a new trace starts.
  const trace = traceAt === -1 || head.next(traceAt) !== -1 ? null : parseTraceparent(head.value(traceAt));
  const keepTrace = trace !== null;
  const traceId = trace === null ? fresh : trace.traceId;
  const parentSpanId = trace === null ? "" : trace.parentId;
  return { id, traceId, parentSpanId, clientAddress, lines, keepTrace };
}

/** Both fields tell the same way, from the client to the peer; only the client's own hop has a host and a scheme. */
function trustedLines(
  head: MessageHead,
  host: string,
  chain: readonly string[],
  scheme: PeerIdentity["scheme"],
): string {
  const proto = (head.valueOf(FIELD.X_FORWARDED_PROTO) ?? scheme).toLowerCase() === "https" ? "https" : "http";
  const seenHost = head.valueOf(FIELD.X_FORWARDED_HOST) ?? host;
  const [client = "", ...proxies] = chain.map(nodeOf);
  const elements = [
    forwardedElement(client, seenHost, proto),
    ...proxies.map((proxy) => forwardedElement(proxy, "", "")),
  ];
  return forwardingLines([client, ...proxies].join(", "), proto, seenHost, elements.join(", "));
}

/** On a Unix socket there is no address; RFC 7239 §6.2 has a word for that. */
function nodeOf(address: string): string {
  return isUnix(address) ? "unknown" : address;
}

function forwardingLines(chain: string, proto: string, host: string, forwarded: string): string {
  return (
    `X-Forwarded-For: ${chain}\r\nX-Forwarded-Proto: ${proto}\r\n` +
    (host === "" ? "" : `X-Forwarded-Host: ${host}\r\n`) +
    `Forwarded: ${forwarded}\r\n`
  );
}

function valuesOf(head: MessageHead, id: number): string[] {
  const values: string[] = [];
  for (let i = head.find(id); i !== -1; i = head.next(i)) values.push(head.value(i));
  return values;
}
