/**
 * What a gateway that stops waits for: its connections end as what is under way on them does. Tunnels are told, a few at a
 * time, because clients that are told all at once come again all at once.
 */
import type { ClientConnection } from "./client-connection.ts";
import type { Core } from "./core.ts";
import type { Http2Connection } from "./http2-connection.ts";
import { DRAIN_LOOK_MS } from "./listeners.ts";

export interface FinishPorts {
  readonly core: Core;
  readonly every: (ms: number, run: () => void) => () => void;
  /** Also the streams of HTTP/2. */
  readonly connections: () => ClientConnection[];
  readonly sessions: () => Http2Connection[];
  /** No connection comes any more. */
  readonly areAccepted: () => boolean;
}

const TELL_TUNNELS_MS = 5_000;
/** So long after the begin of a drain a connection may say what it came for. */
const FRESH_MS = 1_000;

/**
 * Until nothing is under way any more, or the time for it (`drainMs`) has run out. Connections that ask nothing are closed
 * after `idleMs`.
 */
export function finishConnections(ports: FinishPorts, idleMs: number): Promise<void> {
  const { core, every, connections, sessions, areAccepted } = ports;
  const { clock } = core;
  const begunAt = clock.monotonic();
  /** Those that have been idle since then. */
  const closeIdle = (which: (connection: ClientConnection) => boolean, since: number): void => {
    for (const connection of connections()) if (which(connection)) connection.closeIfIdle(since);
  };
  // Not in this turn, here and below: a request may have arrived that nobody has read yet, and would be met by a reset.
  // Twice: the turn that runs may have begun to read before it arrived.
  if (idleMs === 0) core.soon(() => core.soon(() => closeIdle(({ uses }) => uses > 0, Infinity)));
  // Who has just come has not had the time to ask.
  const idleEndMs = Math.max(idleMs, FRESH_MS);
  // These can be told, and nothing that they have sent is lost: they need no time in which to say so.
  for (const session of sessions()) session.drain();
  const tunnels = connections().filter(({ isTunnel }) => isTunnel);
  const perLook = Math.ceil((tunnels.length * DRAIN_LOOK_MS) / tellTunnelsWithinMs(core));
  const tellTunnels = (): void => {
    // Behind those that were there, whoever has become one since: what was under way may have been an upgrade.
    const those = tunnels.length > 0 ? tunnels.splice(0, perLook) : connections();
    for (const connection of those) connection.tellTunnel();
  };
  tellTunnels();
  return new Promise<void>((resolve) => {
    const stop = every(DRAIN_LOOK_MS, () => {
      const drainedMs = clock.monotonic() - begunAt;
      tellTunnels();
      // Also of those that were accepted since.
      for (const session of sessions()) session.drain();
      const isOver = drainedMs >= core.generation.settings.drainMs;
      if (drainedMs >= idleEndMs && !isOver) {
        const since = clock.monotonic() - idleEndMs;
        core.soon(() => closeIdle(() => true, since));
      }
      if ((!areAccepted() || core.connections + core.outliving.size > 0) && !isOver) return;
      stop();
      resolve();
    });
  });
}

function tellTunnelsWithinMs({ generation }: Core): number {
  return Math.max(DRAIN_LOOK_MS, Math.min(TELL_TUNNELS_MS, generation.settings.drainMs / 2));
}
