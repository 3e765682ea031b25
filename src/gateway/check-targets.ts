/**
 * What is to be checked actively, and what each answer is about: names and services that lead to the same place and are
 * checked alike are asked once.
 */
import type { HealthSettings } from "../config/settings.ts";
import type { OriginAddress } from "./origin-address.ts";
import type { PoolRuntime } from "./pool-runtime.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

/** What an active check is about. Plain identity for the schedule, which asks for nothing else. */
export interface CheckTarget {
  readonly key: string;
  readonly health: HealthSettings;
  /** The one that is asked. */
  readonly address: OriginAddress;
  /** All that the answer is about: names and services that lead to the same place and are checked alike. */
  readonly places: readonly { readonly address: OriginAddress; readonly pool: PoolRuntime }[];
}

/** What is to be checked of these services. Names that lead to the same place and are checked alike are checked once. */
export function checkTargetsOf(services: readonly ServiceRuntime[]): CheckTarget[] {
  const targets = new Map<string, CheckTarget>();
  for (const service of services) {
    const { health } = service.settings;
    if (health === null) continue;
    for (const pool of service.pools) {
      for (const address of pool.members) {
        const key = checkKey(health, address);
        const places = [...(targets.get(key)?.places ?? []), { address, pool }];
        targets.set(key, { key, health, address: places[0]?.address ?? address, places });
      }
    }
  }
  return [...targets.values()];
}

/** Alike for checks that ask the same place the same question at the same pace. */
function checkKey(health: HealthSettings, address: OriginAddress): string {
  const { down: _down, up: _up, ...question } = health;
  const asked = health.path === null ? "" : `${health.host ?? address.hostField} ${address.origin.basePath}`;
  return `${address.text} ${asked} ${JSON.stringify(question)}`;
}
