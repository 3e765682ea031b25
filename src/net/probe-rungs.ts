/**
 * Rungs of the probe ladder on real sockets. The gateway's own connections and its parser are not used on purpose:
 * a rung has to tell what is there, also when the gateway's way of seeing it is what is wrong.
 */
import { readFileSync } from "node:fs";
import type { Endpoint, Resolved, Rungs, Seen, Way } from "../contract/rungs.ts";
import type { Schedule } from "../kernel/clock.ts";
import { localProxyHeader } from "../kernel/proxy-protocol-writer.ts";
import { DEAF } from "../kernel/socket.ts";
import type { OriginCertificate, OriginTls } from "../kernel/socket.ts";
import { descriptorShortage } from "./descriptors.ts";
import { createDnsClient } from "./dns-client.ts";
import { askName, failureOf } from "./dns-question.ts";
import { lookUpLocally, parseHosts } from "./hosts-file.ts";
import { createOriginContexts } from "./origin-contexts.ts";
import type { OriginContexts } from "./origin-contexts.ts";
import { ask } from "./probe-request.ts";
import { broken, OFFERED, openSocket } from "./probe-socket.ts";
import { fullNames, parseResolvConf } from "./resolv-conf.ts";
import { dialTls } from "./tls-dial.ts";

export interface ProbeRungsOptions {
  /** As configured; empty: the system's, with its endings. */
  readonly resolvers: readonly string[];
  readonly schedule: Schedule;
  readonly hostsPath?: string;
  readonly resolvConfPath?: string;
}

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
    connect: (to, way, ms) => connect(to, way, ms),
    handshake: (to, way, ms) => (way.tls === null ? connect(to, way, ms) : handshake(to, way.tls, way, contexts, ms)),
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

function connect(to: Endpoint, way: Way, ms: number): Promise<Seen> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = openSocket(to, way);
    const finish = (result: Omit<Seen, "ms">): void => {
      clearTimeout(timer);
      // In order, after what was said: a reset behind it would be an error in the origin's log.
      if (result.ok) socket.destroySoon();
      else socket.destroy();
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
export function handshake(
  to: Endpoint,
  settings: OriginTls,
  { proxyProtocol, http2 }: Omit<Way, "tls">,
  contexts: OriginContexts,
  ms: number,
): Promise<Seen> {
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
      { offered: OFFERED[http2], opening: proxyProtocol === 0 ? null : localProxyHeader(proxyProtocol) },
    );
  });
}

function validText({ names, issuer, until }: OriginCertificate): string {
  return `certificate of ${names[0] ?? "nobody"} by ${issuer} until ${new Date(until).toISOString().slice(0, 10)}`;
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
