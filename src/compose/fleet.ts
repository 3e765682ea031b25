/**
 * The part of a node in a fleet: its session with the database that all nodes reach. The driver is loaded with it, and not
 * where no fleet is configured.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { parseDatabaseUrl } from "../config/database-url.ts";
import type { FleetSettings } from "../config/settings.ts";
import type { FleetStore } from "../contract/fleet.ts";
import { systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { readPem } from "../net/pem-file.ts";
import { uncover } from "../net/sinks/hidden-text.ts";
import type { FleetAccess } from "../store/fleet/fleet-session.ts";
import { FLEET_TIMES } from "../store/fleet/fleet-times.ts";
import type { Events } from "./events.ts";

export async function fleetStoreOf(settings: FleetSettings, node: string, tell: Events["tell"]): Promise<FleetStore> {
  const { FleetSession } = await import("../store/fleet/fleet-session.ts");
  return new FleetSession(
    { schema: settings.schema, node: node === "" ? hostname() : node, holder: randomUUID(), times: FLEET_TIMES },
    {
      clock: systemClock,
      schedule: systemSchedule,
      chance: systemChance,
      access: () => accessTo(settings),
      tell,
    },
  );
}

/** A text says why it cannot be had. */
async function accessTo({ database, key, ca }: FleetSettings): Promise<FleetAccess | string> {
  const url = await uncover(database);
  if (!url.ok) return `fleet.database: ${url.detail}`;
  const place = parseDatabaseUrl(url.text);
  if (!place.ok) return `fleet.database: ${place.message}`;
  const secret = await uncover(key);
  if (!secret.ok) return `fleet.key: ${secret.detail}`;
  if (ca === "") return { place: place.value, ca, key: secret.text };
  const signers = await readPem(ca);
  if (!signers.ok) return `fleet.ca: ${signers.detail}`;
  return { place: place.value, ca: signers.text, key: secret.text };
}
