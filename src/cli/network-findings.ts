/**
 * What `doctor` concludes about the network: ports that are free to listen on, resolvers that answer,
 * origins that resolve and accept a connection, clocks that agree. It asks each thing once, side by side
 * but bounded, and sends no request but a HEAD for the origin's clock.
 */
import { UNIX, hostPort, isUnix } from "../kernel/ip-text.ts";
import type { Resolution } from "../kernel/resolver.ts";
import { hostFieldOf } from "../config/origin-url.ts";
import type { Bind, DnsSettings, OriginSettings, Settings } from "../config/settings.ts";
import { causeOf } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Endpoint } from "../contract/rungs.ts";
import { durationText } from "../contract/quantities.ts";
import type { Finding } from "./machine-findings.ts";
import { ok } from "./machine-findings.ts";
import type { CliPorts, MachinePorts } from "./ports.ts";

/** How many origins are asked at once. */
const SIDE_BY_SIDE = 8;
const CLOCK_OFF_WARN_MS = 5_000;
const CLOCK_OFF_BAD_MS = 60_000;
const HEAD_MS = 3_000;
const HANDSHAKE_MS = 4_000;

export async function networkFindings(ports: CliPorts, settings: Settings, running: boolean): Promise<Finding[]> {
  const origins = distinctOrigins(settings);
  const found: Finding[] = [];
  found.push(...(await bindFindings(ports.machine, settings, running)));
  found.push(...(await resolverFindings(ports.machine, settings.dns, origins)));
  const reached = await inTurns(origins, SIDE_BY_SIDE, (origin) => originFinding(ports, origin, settings));
  found.push(...reached.map((one) => one.finding));
  found.push(
    clockFinding(reached.flatMap((one) => (one.clockOffMs === null ? [] : [{ url: one.url, offMs: one.clockOffMs }]))),
  );
  return found;
}

/** Each way in which a place is spoken to, once: with another certificate or name it may be another server behind it. */
function distinctOrigins(settings: Settings): OriginSettings[] {
  const byWay = new Map<string, OriginSettings>();
  for (const service of settings.services) {
    for (const { origins } of service.pools) {
      for (const origin of origins) {
        const { host, port, basePath, proxyProtocol, http2, tls } = origin;
        const way = JSON.stringify([host, port, basePath, proxyProtocol, http2, tls]);
        if (!byWay.has(way)) byWay.set(way, origin);
      }
    }
  }
  return [...byWay.values()];
}

async function bindFindings(machine: MachinePorts, settings: Settings, running: boolean): Promise<Finding[]> {
  const binds = settings.listeners.map((listener) => ({ what: "listener", bind: listener.bind }));
  if (settings.admin !== null) binds.push({ what: "admin", bind: settings.admin.bind });
  const page = settings.statusPage?.bind ?? null;
  if (page !== null) binds.push({ what: "status page", bind: page });
  const findings: Finding[] = [];
  for (const { what, bind } of binds) {
    const code = await machine.tryBind(bind);
    const id = `${what} ${hostPort(bind.host, bind.port)}`;
    if (code === null) findings.push(ok(id, "free to listen on."));
    else if (code === "EADDRINUSE" && running) findings.push(ok(id, "held by the gateway that runs."));
    else findings.push({ id, level: "bad", says: `cannot be listened on (${code}).`, todo: bindTodo(code, bind) });
  }
  return findings;
}

function bindTodo(code: string, { host, port }: Bind): string {
  if (isUnix(host)) {
    const path = host.slice(UNIX.length);
    if (code === "EADDRINUSE") return `See which process holds it:  ss -lxp src ${path}`;
    if (code === "EEXIST") return `What is there is no socket, and is not removed:  ls -l ${path}`;
    return `The directory has to exist and to be writable for the gateway's user:  ls -ld ${path.replace(/\/[^/]*$/, "")}/`;
  }
  if (code === "EADDRINUSE") return `See which process holds it:  ss -ltnp 'sport = :${port}'`;
  if (code === "EACCES") return "Ports below 1024 need the capability CAP_NET_BIND_SERVICE; or choose a higher port.";
  if (code === "EADDRNOTAVAIL") return "It is not an address of this machine:  ip -brief address";
  return "Change the bind in the configuration.";
}

async function resolverFindings(
  machine: MachinePorts,
  dns: DnsSettings,
  origins: readonly OriginSettings[],
): Promise<Finding[]> {
  // Only a configured resolver can be asked by itself; the system's are asked through the origins' names.
  const name = origins.find((origin) => !isAddress(origin.host))?.host;
  if (name === undefined || dns.resolvers.length === 0) return [];
  const findings: Finding[] = [];
  for (const server of dns.resolvers) {
    const id = `resolver ${server}`;
    const { failure } = await machine.resolve(name, { ...dns, resolvers: [server] });
    // NXDOMAIN and NODATA are answers: this resolver works, whatever the name's own state.
    if (failure === null || failure.cause === "dns.nxdomain" || failure.cause === "dns.empty_or_prohibited") {
      findings.push(ok(id, `answers (asked for ${name}).`));
    } else {
      const level = dns.resolvers.length > 1 ? "warn" : "bad";
      findings.push({
        id,
        level,
        says: `does not answer for ${name} (${failure.code}).`,
        todo: causeOf(failure.cause).lookFirst,
      });
    }
  }
  return findings;
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+(\.\d+){3}$/.test(host);
}

interface OriginReached {
  readonly url: string;
  readonly finding: Finding;
  /** The origin's clock minus ours; null when it did not say. */
  readonly clockOffMs: number | null;
}

async function originFinding(ports: CliPorts, origin: OriginSettings, settings: Settings): Promise<OriginReached> {
  const { machine } = ports;
  const id = `origin ${origin.url}`;
  const resolution: Pick<Resolution, "addresses" | "failure"> = isUnix(origin.host)
    ? { addresses: [{ ip: origin.host, port: 0, family: 4 }], failure: null }
    : await machine.resolve(origin.host, settings.dns);
  const address = resolution.addresses[0];
  if (address === undefined) {
    const cause = resolution.failure === null ? "dns.empty_or_prohibited" : resolution.failure.cause;
    const code = resolution.failure?.code ?? "no address";
    const finding: Finding = {
      id,
      level: "bad",
      says: `${origin.host} does not resolve (${code}).`,
      todo: causeOf(cause).lookFirst,
    };
    return { url: origin.url, finding, clockOffMs: null };
  }
  const connectMs = Math.max(
    ...settings.services.flatMap((service) => service.routes.map((route) => route.timeouts.connectMs)),
  );
  const failed: string[] = [];
  let tookMs = 0;
  for (const { ip, family } of resolution.addresses) {
    const reached = await machine.tryConnect({ ip, family, port: origin.port }, origin, connectMs);
    if (reached.ok) tookMs = Math.max(tookMs, reached.tookMs);
    else failed.push(`${ip} (${reached.code})`);
  }
  const count = resolution.addresses.length;
  if (failed.length === count) {
    const todo = causeOf(causeOfFailed(failed.join(" "))).lookFirst;
    return {
      url: origin.url,
      finding: { id, level: "bad", says: `no connection: ${failed.join(", ")}.`, todo },
      clockOffMs: null,
    };
  }
  const to: Endpoint = { ip: address.ip, family: address.family, port: origin.port };
  const insecure = await tlsFinding(machine, origin, to);
  const request = { host: hostFieldOf(origin), target: `${origin.basePath}/`, way: origin };
  const date = await machine.dateToldBy(to, request, HEAD_MS);
  const clockOffMs = date === null ? null : date - ports.wall();
  if (insecure?.level === "bad") return { url: origin.url, finding: insecure, clockOffMs };
  if (failed.length > 0) {
    const says = `${count - failed.length} of ${count} addresses accept a connection; not ${failed.join(", ")}.`;
    return {
      url: origin.url,
      finding: { id, level: "warn", says, todo: causeOf("dns.stale_ip").lookFirst },
      clockOffMs,
    };
  }
  if (insecure !== null) return { url: origin.url, finding: insecure, clockOffMs };
  const each = count === 1 ? address.ip : `all ${count} addresses`;
  return {
    url: origin.url,
    finding: ok(id, `${each} accepted a connection within ${durationText(tookMs * 1000)}.`),
    clockOffMs,
  };
}

/** Null: nothing is wrong with it, or there is no TLS. */
async function tlsFinding(machine: MachinePorts, origin: OriginSettings, to: Endpoint): Promise<Finding | null> {
  const { tls, url } = origin;
  if (tls === null) return null;
  const id = `origin ${url}`;
  const { ok: isGood, text } = await machine.tryHandshake(to, tls, origin, HANDSHAKE_MS);
  if (!isGood) {
    const todo = "The guide to TLS towards origins has what each of these means; goodgate probe tells more.";
    return { id, level: "bad", says: `no TLS that is accepted: ${text}.`, todo };
  }
  if (tls.verify) return null;
  const says = `its certificate is not checked${tls.pins.length > 0 ? ", but for its pins" : ""} (${text}).`;
  return { id, level: "warn", says, todo: "Name its authority under tls.ca, and leave verify: false out." };
}

function causeOfFailed(codes: string): CauseId {
  if (codes.includes("ENOENT")) return "origin.socket_missing";
  if (codes.includes("EACCES")) return "origin.socket_denied";
  return codes.includes("ECONNREFUSED") ? "origin.refused" : "net.connect_timeout";
}

/**
 * One clock that is off is that origin's; when most are off by about the same, it is ours. A wrong clock
 * spoils logs that are read side by side, and later certificates and caches.
 */
function clockFinding(clocks: readonly { readonly url: string; readonly offMs: number }[]): Finding {
  const id = "clock";
  if (clocks.length === 0) return ok(id, "no origin told its time, so the clock was not compared.");
  const sorted = clocks.toSorted((one, other) => one.offMs - other.offMs);
  const median = sorted[Math.floor(sorted.length / 2)]?.offMs ?? 0;
  if (Math.abs(median) >= CLOCK_OFF_WARN_MS) {
    return {
      id,
      level: Math.abs(median) >= CLOCK_OFF_BAD_MS ? "bad" : "warn",
      says: `this machine's clock is ${durationText(Math.abs(median) * 1000)} ${median > 0 ? "behind" : "ahead of"} that of ${clocks.length === 1 ? "the origin" : "most origins"}.`,
      todo: "Compare it with a time server:  chronyc tracking, or  timedatectl",
    };
  }
  const off = clocks.filter((clock) => Math.abs(clock.offMs - median) >= CLOCK_OFF_WARN_MS);
  const first = off[0];
  if (first === undefined)
    return ok(
      id,
      `agrees with ${clocks.length === 1 ? "the origin" : `${clocks.length} origins`} to within ${CLOCK_OFF_WARN_MS / 1000} s.`,
    );
  return {
    id,
    level: "warn",
    says: `the clock of ${first.url} is off by ${durationText(Math.abs(first.offMs) * 1000)}${off.length > 1 ? `, and of ${off.length - 1} more` : ""}.`,
    todo: "Check time synchronisation on that origin's machine.",
  };
}

/** Runs `ask` over all, `width` at a time, answers in order. */
async function inTurns<T, R>(all: readonly T[], width: number, ask: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let index = 0; index < all.length; index += width) {
    answers.push(...(await Promise.all(all.slice(index, index + width).map(ask))));
  }
  return answers;
}
