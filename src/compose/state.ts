/** What outlives the process: where it is, the ledger of keys and the stored responses in it. */
import fs from "node:fs/promises";
import { join } from "node:path";
import type { StartResult, StatePlace } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import { countText } from "../contract/quantities.ts";
import { systemSchedule } from "../net/clock.ts";
import { cacheFolders } from "../store/cache-folders.ts";
import { openCacheDisk } from "../store/cache-disk.ts";
import type { CacheDisk } from "../store/cache-disk.ts";
import { openLedger } from "../store/ledger.ts";
import type { EmbeddedLedger, LedgerEvent } from "../store/ledger.ts";
import { defaultStateDirectory, tryDirectory } from "../store/state-directory.ts";
import type { Events } from "./events.ts";

/**
 * Null: there is none, by the configuration or because nobody says where. `before`: the predecessor's, which stays the
 * place also when the first listener, after which it was named, is another.
 */
export function stateDirectoryOf({ state, listeners }: Settings, before: string | null = null): string | null {
  const [first] = listeners;
  if (!state.use || first === undefined) return null;
  if (state.directory !== "") return state.directory;
  if (before !== null) return before;
  return defaultStateDirectory(process.env, { name: first.name, port: first.bind.port });
}

/** Null: none is configured, or it cannot be used, which is told: the cache works without it. */
export async function openCacheShelf(
  state: string | null,
  { cache }: Settings,
  place: { readonly worker: number; readonly workers: number; readonly life: number },
  tell: Events["tell"],
): Promise<CacheDisk | null> {
  if (cache.diskBytes === 0 || cache.memoryBytes === 0) return null;
  const fail = (code: string): void =>
    tell("cache.disk-failed", `stored responses cannot be written to disk (${code}); they stay in memory`);
  if (state === null) {
    fail("no state directory is known");
    return null;
  }
  try {
    const { use, remove } = cacheFolders(await fs.readdir(state).catch(() => []), place);
    for (const name of remove) await fs.rm(join(state, name), { recursive: true, force: true });
    return await openCacheDisk({
      directory: join(state, use),
      bytesMax: cache.diskBytes,
      onFailure: fail,
    });
  } catch (error) {
    fail((error as NodeJS.ErrnoException).code ?? String(error));
    return null;
  }
}

export async function tryState(settings: Settings): Promise<StatePlace> {
  const directory = stateDirectoryOf(settings);
  return { directory, code: directory === null ? null : await tryDirectory(directory) };
}

/** Null: keys can be kept, or no route insists on them. */
export function withoutPlaceForKeys(
  settings: Settings,
  state: string | null,
  ledger: EmbeddedLedger | null,
): Extract<StartResult, { ok: false }> | null {
  if (!requiresKeys(settings) || ledger?.unusable === null) return null;
  const code = ledger === null ? "no state directory is known" : (ledger.unusable?.detail ?? "");
  return { ok: false, what: "state directory", where: state ?? "", code };
}

function requiresKeys(settings: Settings): boolean {
  return settings.services.some(({ routes }) => routes.some((route) => route.idempotencyKey.mode === "required"));
}

export function openKeys(
  directory: string,
  settings: Settings,
  tell: Events["tell"],
  underWay: readonly string[] = [],
): Promise<EmbeddedLedger> {
  const { bytesMax } = settings.idempotency;
  const onEvent = (event: LedgerEvent): void => tell(`keys.${event.kind.replaceAll(" ", "-")}`, ledgerText(event));
  return openLedger({ directory, bytesMax, underWay, schedule: systemSchedule, onEvent });
}

function ledgerText(event: LedgerEvent): string {
  switch (event.kind) {
    case "unusable":
      return event.code === "in-use"
        ? `another process uses the state directory (${event.detail}); until it lets go, Idempotency-Key is not honoured here`
        : `the state directory cannot be used (${event.detail}); until it can, Idempotency-Key is not honoured`;
    case "usable":
      return "the state directory can be used; Idempotency-Key is honoured";
    case "moved aside":
      return `the ledger of keys could not be read and is now ${event.to}; an empty one was begun, so requests with keys from before may be carried out again`;
    case "interrupted":
      return `${countText(event.keys, "request")} with an Idempotency-Key had been sent and not answered when the gateway ended; see them with  goodgate keys --uncertain`;
    case "forgetting":
      return "the ledger of keys is full (idempotency.bytes): answers, then keys, are forgotten before their time, oldest first";
  }
}
