/**
 * Rungs of the probe ladder on real sockets. The gateway's own connections and its parser are not used on purpose:
 * a rung has to tell what is there, also when the gateway's way of seeing it is what is wrong.
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { SecureContext } from "node:tls";
import type { Answered, Endpoint, ProbeRequest, Resolved, Rungs, Seen } from "../contract/rungs.ts";
import type { Schedule } from "../kernel/clock.ts";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import { descriptorShortage } from "./descriptors.ts";
import { createDnsClient } from "./dns-client.ts";
import { askName, failureOf } from "./dns-question.ts";
import { lookUpLocally, parseHosts } from "./hosts-file.ts";
import { createOriginContexts } from "./origin-contexts.ts";
import type { OriginContexts } from "./origin-contexts.ts";
import { fullNames, parseResolvConf } from "./resolv-conf.ts";

import { dialTls } from "./tls-dial.ts";
import { DEAF } from "../kernel/socket.ts";
import type { OriginCertificate, OriginTls } from "../kernel/socket.ts";

export interface ProbeRungsOptions {
  /** As configured; empty: the system's, with its endings. */
  readonly resolvers: readonly string[];
  readonly schedule: Schedule;
  readonly hostsPath?: string;
  readonly resolvConfPath?: string;
}

/** An origin's head at a probe; Node's own limit. */
const HEAD_BYTES = 16_384;

export function createProbeRungs(options: ProbeRungsOptions): Rungs {
  const { schedule } = options;
  const hostsPath = options.hostsPath ?? "/etc/hosts";
  const local = (name: string): ReturnType<typeof lookUpLocally> =>
    lookUpLocally(parseHosts(textOf(hostsPath)), name.toLowerCase().replace(/\.$/, ""));
  const conf = (): ReturnType<typeof parseResolvConf> =>
    options.resolvers.length > 0
      ? { servers: options.resolvers, search: [], ndots: 0 }
      : parseResolvConf(textOf(options.resolvConfPath ?? "/etc/resolv.conf"));
  const contexts = createOriginContexts({ onRefused: () => undefined, sessionsMax: 0 });
  return {
    resolversFor: (name) => (local(name) === null ? conf().servers : [hostsPath]),
    resolve(resolver, name, ms) {
      if (resolver !== hostsPath) return askResolver(resolver, fullNames(name, conf()), ms, schedule);
      const addresses = local(name) ?? [];
      const ips = addresses.map(({ ip }) => ip).join(", ");
      return Promise.resolve(
        addresses.length === 0
          ? { ok: false, ms: 0, text: "it has no address for it any more", failure: "absent", addresses }
          : { ok: true, ms: 0, text: ips, failure: "", addresses },
      );
    },
    connect: (to, ms) => connect(to, ms),
    handshake: (to, tls, ms) => handshake(to, tls, contexts, ms),
    request: (to, request, ms) => ask(to, request, contexts, ms),
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function askResolver(resolver: string, names: readonly string[], ms: number, schedule: Schedule): Promise<Resolved> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const client = createDnsClient({ servers: [resolver], timeoutMs: ms, schedule, shortage: descriptorShortage });
    const finish = (result: Omit<Resolved, "ms">): void => {
      cancel();
      client.close();
      resolve({ ...result, ms: since(startedAt) });
    };
    // Several endings are several questions, and the whole has one limit.
    const cancel = schedule(ms, () =>
      finish({ ok: false, text: `no answer within ${ms} ms`, failure: "silent", addresses: [] }),
    );
    askName(client, schedule, names, ({ v4, v6, complete }) => {
      // One family is enough to go on with, and the other is waited for here.
      if (!complete || v4 === null || v6 === null) return;
      const addresses = [
        ...(v4.kind === "addresses" ? v4.ips.map((ip) => ({ ip, family: 4 as const })) : []),
        ...(v6.kind === "addresses" ? v6.ips.map((ip) => ({ ip, family: 6 as const })) : []),
      ];
      const failure = failureOf(v4, v6);
      if (failure === null)
        finish({ ok: true, text: addresses.map(({ ip }) => ip).join(", "), failure: "", addresses });
      else {
        const kind = failure.kind === "none" ? "absent" : failure.cause === "dns.timeout" ? "silent" : "other";
        finish({ ok: false, text: `${failure.cause} (${failure.code})`, failure: kind, addresses });
      }
    });
  });
}

function connect({ ip, family, port }: Endpoint, ms: number): Promise<Seen> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = net.connect(isUnix(ip) ? { path: ip.slice(UNIX.length) } : { host: ip, family, port });
    const finish = (result: Omit<Seen, "ms">): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ...result, ms: since(startedAt) });
    };
    const timer = setTimeout(
      () => finish({ ok: false, text: `no answer to SYN within ${ms} ms`, failure: "silent" }),
      ms,
    );
    socket.once("connect", () => finish({ ok: true, text: "connected", failure: "" }));
    socket.on("error", (error) => finish(broken(error)));
  });
}

/** Also for `doctor`. */
export function handshake(to: Endpoint, settings: OriginTls, contexts: OriginContexts, ms: number): Promise<Seen> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const finish = (result: Omit<Seen, "ms">): void => {
      clearTimeout(timer);
      socket.listener = DEAF;
      socket.destroy();
      resolve({ ...result, ms: since(startedAt) });
    };
    const timer = setTimeout(
      () => finish({ ok: false, text: `no TLS handshake within ${ms} ms`, failure: "silent" }),
      ms,
    );
    const socket = dialTls(
      to,
      settings,
      contexts,
      {
        ...DEAF,
        onConnect() {
          const { tls, certificate } = socket.carrier;
          const until = certificate === null || certificate === undefined ? "" : `, ${validText(certificate)}`;
          finish({ ok: true, text: `${tls?.version ?? "TLS"}${until}`, failure: "" });
        },
        onError({ code, detail = "", syscall }) {
          const text = detail === "" ? code : `${code}: ${detail}`;
          finish({ ok: false, text, failure: syscall === "tls" && detail !== "" ? "refused certificate" : "cut" });
        },
      },
      { offered: ["http/1.1"], opening: null },
    );
  });
}

function validText({ names, issuer, until }: OriginCertificate): string {
  return `certificate of ${names[0] ?? "nobody"} by ${issuer} until ${new Date(until).toISOString().slice(0, 10)}`;
}

/** Whose certificate it is has been looked at by the rung below. */
function secured(
  tls: OriginTls,
  contexts: OriginContexts,
): { secureContext: SecureContext; servername: string; rejectUnauthorized: boolean } {
  const servername = net.isIP(tls.serverName) === 0 ? tls.serverName : "";
  return { secureContext: contexts.contextOf(tls), servername, rejectUnauthorized: false };
}

function ask(
  { ip, family, port }: Endpoint,
  { method, target, host, tls }: ProbeRequest,
  contexts: OriginContexts,
  ms: number,
): Promise<Answered> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const finish = (result: Omit<Answered, "ms">): void => {
      clearTimeout(timer);
      request.destroy();
      resolve({ ...result, ms: since(startedAt) });
    };
    const timer = setTimeout(
      () => finish({ ok: false, text: `no response within ${ms} ms`, failure: "silent", status: 0 }),
      ms,
    );
    const headers = { host, "user-agent": "goodgate-probe", accept: "*/*", connection: "close" };
    const to = isUnix(ip) ? { socketPath: ip.slice(UNIX.length) } : { host: ip, family, port };
    const options = { ...to, method, path: target, headers, agent: false, maxHeaderSize: HEAD_BYTES };
    const hear = (response: http.IncomingMessage): void => {
      const status = response.statusCode ?? 0;
      finish({ ok: true, text: `status ${status}`, failure: "", status });
    };
    const request =
      tls === null ? http.request(options, hear) : https.request({ ...options, ...secured(tls, contexts) }, hear);
    // A switch of protocols nobody asked for.
    request.once("upgrade", () => finish({ ok: false, text: "switches protocols", failure: "rubbish", status: 101 }));
    // Stays: what is destroyed may still report an error, and one that nobody hears ends the process.
    request.on("error", (error) => finish({ ...broken(error), status: 0 }));
    request.end();
  });
}

function broken(error: NodeJS.ErrnoException): Omit<Seen, "ms"> {
  const code = error.code ?? "";
  if (code.startsWith("HPE_")) return { ok: false, text: `what came is not HTTP/1.1 (${code})`, failure: "rubbish" };
  const known = FAILURES[code];
  if (known !== undefined) return { ok: false, text: known[1], failure: known[0] };
  return { ok: false, text: code === "" ? error.message : code, failure: "other" };
}

const FAILURES: Readonly<Record<string, readonly [Seen["failure"], string]>> = {
  ECONNREFUSED: ["refused", "connection refused"],
  ECONNRESET: ["cut", "closed or reset without a response"],
  EPIPE: ["cut", "closed or reset without a response"],
  ENOENT: ["refused", "there is no such socket"],
  EACCES: ["refused", "this process may not open the socket"],
  EHOSTUNREACH: ["unroutable", "no route to host"],
  ENETUNREACH: ["unroutable", "network unreachable"],
  ETIMEDOUT: ["silent", "no answer to SYN"],
};

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
