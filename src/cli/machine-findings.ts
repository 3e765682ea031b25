/**
 * What `doctor` concludes about the machine: each finding compares a limit of the system with what the
 * configuration asks for. Pure: facts in, findings out, so the figures can be tested without the machine.
 */
import { CONNECTIONS_DEFAULT } from "../config/schema.ts";
import type { Settings } from "../config/settings.ts";
import { countText, sizeText } from "../contract/quantities.ts";
import type { MachineFacts } from "./ports.ts";

export interface Finding {
  /** Stable, for programs. */
  readonly id: string;
  readonly level: "ok" | "warn" | "bad";
  /** What was found, one sentence. */
  readonly says: string;
  /** What to do; empty when all is well. */
  readonly todo: string;
}

export function ok(id: string, says: string): Finding {
  return { id, level: "ok", says, todo: "" };
}

/** Sockets of the listeners, the access log, the resolver, the runtime's own, clients that are told they are too many. */
const DESCRIPTORS_OWN = 64;
/** Measured resident memory of an idle plain client connection, bytes (docs/performance.md). */
const IDLE_CONNECTION_BYTES = 12 * 1024;
/** The runtime, the program and its records, before the first connection. */
const PROCESS_BYTES = 128 * 1024 * 1024;

/**
 * How many client connections the descriptors allow when each has an origin connection beside it. The start
 * of a gateway uses the same figure as its bound, so that `doctor` tells what will happen.
 */
export function connectionsWithin(descriptorsMax: number): number {
  return Math.max(1, Math.floor((descriptorsMax - DESCRIPTORS_OWN) / 2));
}

/** The usual limit of 20 000 misses the default by a few connections; a line at every start about that teaches people not to read. */
export function isWorthTelling(configured: number, fit: number): boolean {
  return fit < (configured === CONNECTIONS_DEFAULT ? configured * 0.98 : configured);
}

export function machineFindings(facts: MachineFacts, settings: Settings): Finding[] {
  return [
    descriptors(facts, settings),
    ephemeralPorts(facts, settings),
    backlog(facts),
    memory(facts, settings),
    ...cores(facts, settings),
  ];
}

/** Whoever has one core, or has said how many are to be used, need not hear of it. */
function cores({ cores: all }: MachineFacts, { workers }: Settings): Finding[] {
  if (all <= 1 || workers !== 1) return [];
  return [ok("cores", `one of ${all} cores serves; with  workers: auto  all of them do.`)];
}

function descriptors(facts: MachineFacts, settings: Settings): Finding {
  const id = "descriptors";
  const limit = facts.descriptorsMax;
  if (limit === null)
    return {
      id,
      level: "warn",
      says: "this system does not tell its descriptor limit.",
      todo: "Check it with  ulimit -n",
    };
  const clients = settings.limits.connectionsMax;
  // In the worst case every client connection has one attempt under way, each on a connection of its own.
  const need = clients * 2 + DESCRIPTORS_OWN;
  if (limit >= need)
    return ok(
      id,
      `${limit} descriptors are enough for ${countText(clients, "client connection")} with an origin connection each.`,
    );
  const fit = connectionsWithin(limit);
  return {
    id,
    // Below this a handful of browsers is enough to meet the limit.
    level: limit < 1024 ? "bad" : "warn",
    says: `${limit} descriptors cover ${countText(fit, "client connection")} with an origin connection each; the configuration allows ${clients}, and the gateway will take no more than fit.`,
    todo: `Raise the limit to ${need} (systemd: LimitNOFILE=${need}; shell: ulimit -n ${need}; container: --ulimit nofile=${need}), or lower limits.connections to ${fit}.`,
  };
}

function ephemeralPorts(facts: MachineFacts, settings: Settings): Finding {
  const id = "ephemeral-ports";
  const range = facts.ephemeralPorts;
  if (range === null) {
    return {
      id,
      level: "warn",
      says: "this system does not tell its range of ephemeral ports.",
      todo: "Make sure it is not below some thousand.",
    };
  }
  const size = range.high - range.low + 1;
  const inUse = facts.ephemeralPortsInUse ?? 0;
  // A port is unique only for each destination address and port, so the busiest single origin decides.
  const perOrigin = Math.max(0, ...settings.services.map((service) => service.connections.perOriginMax));
  const says = `${size} ephemeral ports (${range.low}–${range.high}), ${inUse} in use; one origin address may take up to ${perOrigin}.`;
  if (size < perOrigin) {
    return { id, level: "bad", says, todo: 'Widen the range:  sysctl -w net.ipv4.ip_local_port_range="10240 65535"' };
  }
  if (inUse > size * 0.7 || size < perOrigin * 2) {
    return {
      id,
      level: "warn",
      says,
      todo: 'Few are left for new connections. Widen the range:  sysctl -w net.ipv4.ip_local_port_range="10240 65535", and see what holds them:  ss -tan state time-wait | wc -l',
    };
  }
  return ok(id, says);
}

function backlog(facts: MachineFacts): Finding {
  const id = "accept-queue";
  const somaxconn = facts.somaxconn;
  if (somaxconn === null) return ok(id, "this system does not tell the length of its accept queue.");
  if (somaxconn >= 1024) return ok(id, `up to ${somaxconn} connections may wait to be accepted.`);
  return {
    id,
    level: "warn",
    says: `only ${somaxconn} connections may wait to be accepted; in a burst the kernel drops the rest without a word, and clients see a connect timeout.`,
    todo: "Raise it:  sysctl -w net.core.somaxconn=4096",
  };
}

function memory(facts: MachineFacts, settings: Settings): Finding {
  const id = "memory";
  if (facts.memoryBytes === null) return ok(id, "this system does not tell its memory limit.");
  const need =
    PROCESS_BYTES + settings.limits.connectionsMax * IDLE_CONNECTION_BYTES + settings.limits.replayBytesTotal;
  const says = `${sizeText(facts.memoryBytes)} of memory; all configured connections idle and all replay buffers full need about ${sizeText(need)}.`;
  if (facts.memoryBytes >= need) return ok(id, says);
  return { id, level: "warn", says, todo: "Give it more memory, or lower limits.connections or limits.replayBuffers." };
}
