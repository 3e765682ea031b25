/** Client connections that are open, in all and of each client: what limits on connections look at. */
import type { Core } from "./core.ts";
import type { PeerIdentity } from "./identify.ts";

/** A trusted proxy brings many clients, and a protected client may bring what it needs. */
export function isCounted(peer: PeerIdentity): boolean {
  return !peer.trusted && !peer.isProtected;
}

export function countConnection(core: Core, peer: PeerIdentity): void {
  core.connections += 1;
  if (isCounted(peer)) core.connectionsOf.set(peer.key, (core.connectionsOf.get(peer.key) ?? 0) + 1);
  core.telemetry.connectionsAccepted += 1;
}

/** A connection turns out to be another's than was thought. */
export function countAs(core: Core, before: PeerIdentity, now: PeerIdentity): void {
  if (isCounted(before)) forgetOne(core, before);
  if (isCounted(now)) core.connectionsOf.set(now.key, (core.connectionsOf.get(now.key) ?? 0) + 1);
}

export function uncountConnection(core: Core, peer: PeerIdentity): void {
  core.connections -= 1;
  if (isCounted(peer)) forgetOne(core, peer);
}

/** Only clients that are here are counted, so the count is as bounded as the connections. */
function forgetOne(core: Core, peer: PeerIdentity): void {
  const left = (core.connectionsOf.get(peer.key) ?? 1) - 1;
  if (left > 0) core.connectionsOf.set(peer.key, left);
  else core.connectionsOf.delete(peer.key);
}
