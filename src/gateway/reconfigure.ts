/**
 * Puts settings into effect on what a running gateway consists of, all at once and without a pause: between two events
 * of the loop, so that no exchange sees one half of it. The start is the first of them.
 *
 * Not here: listeners (listeners.ts), and what only a new process can change (config/needs-new-process.ts).
 */
import { isLoopbackIp, isUnix } from "../kernel/ip-text.ts";
import type { LimitSettings, Settings } from "../config/settings.ts";
import type { Core } from "./core.ts";
import { FloodGuard } from "./flood-guard.ts";
import { nextGeneration, routeShareOf } from "./generation.ts";
import { trustedProxies } from "./identify.ts";
import type { WaitingRoom } from "./waiting.ts";

export type Reconfigure = (settings: Settings, fallbackFiles: ReadonlyMap<string, Buffer>) => void;

/** One client gets a quarter of the connections unless the operator says otherwise, and in a small gateway this many. */
const PER_CLIENT_SHARE = 0.25;
const PER_CLIENT_MIN = 100;

export function createReconfigure(core: Core, waitingRoom: (settings: Settings) => WaitingRoom): Reconfigure {
  const { book, telemetry, clock, chance } = core;
  // Kept while it is switched off: whoever is held back is so again when it is switched on.
  let guard: FloodGuard | null = null;

  return (settings, fallbackFiles) => {
    const before = core.generation;
    const { limits } = settings;
    const share = routeShareOf(settings);
    const isAllNew =
      !isSame(limits, core.limits) ||
      !isSame(settings.cache, core.cache.settings) ||
      share !== core.routeShare ||
      !holdSame(fallbackFiles, core.fallbackFiles);
    core.limits = limits;
    core.dns = settings.dns;
    core.fallbackFiles = fallbackFiles;
    core.routeShare = share;
    core.connectionsPerClientMax = perClientMax(limits);
    core.replayBudget.bytesMax = limits.replayBytesTotal;
    const isTrusted = trustedProxies(settings.trusted);
    core.isProtected = (address) => isLoopbackIp(address) || isUnix(address) || isTrusted(address);
    if (limits.flood !== null) {
      guard ??= new FloodGuard(limits.flood, { clock, chance, telemetry, publish: (event) => book.publish(event) });
      guard.configure(limits.flood);
    }
    core.flood = limits.flood === null ? null : guard;
    core.waiting = waitingRoom(settings);
    core.book.configure(settings.records);
    core.cache.configure(settings.cache);
    core.keys?.configure(settings.idempotency);
    core.generation = nextGeneration(core, settings, before, isAllNew);
  };
}

function perClientMax({ connectionsMax, connectionsPerClientMax }: LimitSettings): number {
  return connectionsPerClientMax ?? Math.max(PER_CLIENT_MIN, Math.floor(connectionsMax * PER_CLIENT_SHARE));
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function holdSame(one: ReadonlyMap<string, Buffer>, other: ReadonlyMap<string, Buffer>): boolean {
  return one.size === other.size && [...one].every(([path, bytes]) => other.get(path)?.equals(bytes) === true);
}
