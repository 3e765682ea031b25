/**
 * The codes of other gateways, proxies and libraries, what each means there, and which findings of ours can show so
 * here. The way from a finding to a code stands in the tables of causes and conclusions; this is the way back.
 */
import type { CauseId, Equivalents, PeerName } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import { CONCLUSIONS } from "../kernel/conclusions.ts";
import { ALB } from "./foreign/alb.ts";
import { CLOUDFLARE } from "./foreign/cloudflare.ts";
import { ENVOY } from "./foreign/envoy.ts";
import { GOOGLE } from "./foreign/google.ts";
import { GRPC_CODES, grpcCodeIn } from "./foreign/grpc.ts";
import { HAPROXY, HAPROXY_PHASES } from "./foreign/haproxy.ts";
import { NGINX } from "./foreign/nginx.ts";
import { NODE } from "./foreign/node.ts";
import { PROXY_STATUS } from "./foreign/proxy-status.ts";
import type { ForeignRow } from "./foreign/row.ts";
import type { Finding } from "./verdict/case.ts";

export type ForeignSystem = PeerName | "grpc" | "proxy-status" | "node" | "goodgate";

export interface ForeignCode {
  readonly system: ForeignSystem;
  /** As it is written there. */
  readonly code: string;
  readonly also: readonly string[];
  /** What it means there. */
  readonly means: string;
  /** What it can be here. Empty: nothing that this gateway meets. */
  readonly here: readonly Finding[];
}

export const SYSTEM_NAMES: Readonly<Record<ForeignSystem, string>> = {
  envoy: "Envoy",
  haproxy: "HAProxy",
  nginx: "nginx",
  cloudflare: "Cloudflare",
  alb: "AWS ALB",
  google: "Google Cloud",
  grpc: "gRPC",
  "proxy-status": "Proxy-Status (RFC 9209)",
  node: "Node.js",
  goodgate: "Goodgate",
};

const PEERS: Readonly<Record<PeerName, readonly ForeignRow[]>> = {
  envoy: ENVOY,
  haproxy: HAPROXY,
  nginx: NGINX,
  cloudflare: CLOUDFLARE,
  alb: ALB,
  google: GOOGLE,
};

/** In the order in which they are told. */
export const FOREIGN_CODES: readonly ForeignCode[] = [
  ...ownStatuses(),
  ...peerNames().flatMap((system) =>
    PEERS[system].map(([code, means, also = []]) => ({ system, code, also, means, here: findingsBy(system, code) })),
  ),
  ...GRPC_CODES.map(({ row: [code, means, here], also }) => ({ system: "grpc" as const, code, also, means, here })),
  ...PROXY_STATUS.map(([code, means]) => ({
    system: "proxy-status" as const,
    code,
    also: [],
    means,
    here: Object.values(CAUSES)
      .filter(({ proxyStatus }) => proxyStatus === code)
      .map(({ id }) => id),
  })),
  ...NODE.map(([code, means, here]) => ({ system: "node" as const, code, also: [], means, here })),
];

/**
 * What systems mean by a text: a code as it is written, a list of them (`UF,URX`), or a line of a log that has one in it.
 * In the order of `FOREIGN_CODES`; empty when nobody knows it.
 */
export function translateCode(text: string): ForeignCode[] {
  const wanted = text.trim();
  if (wanted === "") return [];
  const exact = FOREIGN_CODES.filter(({ code, also }) => code === wanted || also.includes(wanted));
  if (exact.length > 0) return exact;
  const ofCall = grpcCodeIn(wanted);
  if (ofCall !== null) return FOREIGN_CODES.filter(({ system, code }) => system === "grpc" && code === ofCall);
  const pair = haproxyPair(wanted);
  if (pair !== null) return [pair];
  const parts = wanted.split(/[,\s]+/).filter((part) => part !== "");
  if (parts.length > 1 && parts.every((part) => ENVOY.some(([code]) => code === part))) {
    return FOREIGN_CODES.filter(({ system, code }) => system === "envoy" && parts.includes(code));
  }
  const lower = wanted.toLowerCase();
  const otherCase = FOREIGN_CODES.filter(
    ({ code, also }) => code.toLowerCase() === lower || also.some((each) => each.toLowerCase() === lower),
  );
  return otherCase.length > 0 ? otherCase : withinText(lower);
}

/** `Envoy UF · HAProxy sC`; empty where nobody has a code for it. */
export function equivalentsText(equivalents: Equivalents): string {
  return peerNames()
    .filter((system) => equivalents[system].length > 0)
    .map((system) => `${SYSTEM_NAMES[system]} ${equivalents[system].join(", ")}`)
    .join(" · ");
}

/** Of what nobody knows, for a hint: every code and other spelling. */
export function allCodes(): string[] {
  return FOREIGN_CODES.flatMap(({ code, also }) => [code, ...also]);
}

/** Messages are found by a part of theirs, and in a whole line of a log. The most exact ones are kept. */
function withinText(lower: string): ForeignCode[] {
  if (lower.length < PART_MIN) return [];
  const inText = FOREIGN_CODES.filter(
    ({ system, code }) => isMessage(system, code) && lower.includes(code.toLowerCase()),
  );
  const exactest = Math.max(0, ...inText.map(({ code }) => code.length));
  // A line that says "while …" says it of the longest message in it; shorter ones may be parts of the same.
  if (exactest > 0) return inText.filter(({ code }) => code.length === exactest || !isPartOf(code, inText));
  const bySteps = FOREIGN_CODES.filter(({ system, code }) => isMessage(system, code) && stepsWithin(lower, code));
  if (bySteps.length > 0) return bySteps;
  return FOREIGN_CODES.filter(
    ({ code, also }) => code.toLowerCase().includes(lower) || also.some((each) => each.toLowerCase().includes(lower)),
  );
}

const PART_MIN = 4;

/** A word of gRPC in a sentence of another system is that word. */
function isMessage(system: ForeignSystem, code: string): boolean {
  if (system === "grpc") return false;
  return system === "nginx" ? code.length > 3 : code.length >= 8;
}

function isPartOf(code: string, all: readonly ForeignCode[]): boolean {
  return all.some((other) => other.code !== code && other.code.includes(code));
}

/** nginx puts names and addresses between what failed and where: `connect() to 10.0.0.1:80 failed (111: …)`. */
function stepsWithin(lower: string, code: string): boolean {
  let at = 0;
  for (const step of code.toLowerCase().split(/(?<=\))\s|\s(?=while )/)) {
    const found = lower.indexOf(step.replace(/^connect\(\) failed/, "failed"), at);
    if (found === -1) return false;
    at = found + step.length;
  }
  return code.includes(" ");
}

/** `sH--`, `PR--` and pairs that the manual does not list, such as `DH`: read by their letters. */
function haproxyPair(text: string): ForeignCode | null {
  const letters = /^([CSPLRIDUKcs-])([RQCHDLT-])(?:[NIDVEOU-][NIUPRD-])?$/.exec(text);
  if (letters === null) return null;
  const [, who = "", when = ""] = letters;
  const known = HAPROXY.find(([code]) => code === who + when);
  const first = HAPROXY.find(([code]) => code === who);
  const means =
    known?.[1] ?? `${first?.[1].replace("first letter: ", "") ?? "no failure"}, ${HAPROXY_PHASES[when] ?? ""}`;
  const here = findingsBy("haproxy", known === undefined ? who : who + when);
  return { system: "haproxy", code: who + when, also: [], means, here };
}

function findingsBy(system: PeerName, code: string): Finding[] {
  const causes = Object.values(CAUSES).filter(({ equivalents }) => equivalents[system].includes(code));
  const conclusions = Object.values(CONCLUSIONS).filter(({ equivalents }) => equivalents[system].includes(code));
  return [...causes, ...conclusions].map(({ id }) => id);
}

/** What this gateway itself answers with, by status. */
function ownStatuses(): ForeignCode[] {
  const byStatus = new Map<number, CauseId[]>();
  for (const { id, status } of Object.values(CAUSES)) {
    if (status !== 0) byStatus.set(status, [...(byStatus.get(status) ?? []), id]);
  }
  return [...byStatus]
    .toSorted(([one], [other]) => one - other)
    .map(([status, here]) => ({
      system: "goodgate",
      code: String(status),
      also: [],
      means: "answered by this gateway itself; a status of an origin is passed on as it is",
      here,
    }));
}

function peerNames(): PeerName[] {
  return ["envoy", "haproxy", "nginx", "cloudflare", "alb", "google"];
}
