/**
 * What a gateway waits for before it listens, each for a moment and no longer: the names of its origins, what other workers
 * know, and addresses that have to show who they are. Whoever comes later than that meets those who need it.
 */
import type { Resolver } from "../kernel/resolver.ts";
import type { GatewayPorts } from "./gateway-ports.ts";
import type { Gateway } from "./gateway.ts";
import { DRAIN_LOOK_MS } from "./listeners.ts";

/** Waits until every name has an answer or a failure, or the time is up. */
export function firstAnswers(names: readonly string[], resolver: Resolver, ports: GatewayPorts): Promise<void> {
  const until = ports.clock.monotonic() + START_RESOLVE_MS;
  const missing = new Set(names);
  for (const name of names) resolver.resolve(name, () => missing.delete(name));
  if (missing.size === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = ports.every(DRAIN_LOOK_MS, () => {
      if (missing.size > 0 && ports.clock.monotonic() < until) return;
      stop();
      resolve();
    });
  });
}

/** A worker that takes another one's place knows what the others know before it is asked for anything. */
export function firstNews({ siblings, clock, every }: GatewayPorts): Promise<void> {
  if (siblings === undefined) return Promise.resolve();
  const until = clock.monotonic() + START_NEWS_MS;
  return new Promise((resolve) => {
    const stop = every(NEWS_LOOK_MS, () => {
      if (!siblings.informed && clock.monotonic() < until) return;
      stop();
      resolve();
    });
  });
}

/**
 * Where addresses have to show who they are, they are asked once before the first client is: it would meet a gateway
 * that has nothing to pick.
 */
export function firstIdentities(
  gateway: Pick<Gateway, "checkTargets" | "probe" | "checked">,
  ports: GatewayPorts,
): Promise<void> {
  const targets = gateway.checkTargets().filter(({ health }) => health.expect !== null);
  if (targets.length === 0) return Promise.resolve();
  const until = ports.clock.monotonic() + START_IDENTITY_MS;
  let missing = targets.length;
  const giveUps = targets.map((target) =>
    gateway.probe(target, (result) => {
      missing -= 1;
      gateway.checked(target, result);
    }),
  );
  return new Promise((resolve) => {
    const stop = ports.every(DRAIN_LOOK_MS, () => {
      if (missing > 0 && ports.clock.monotonic() < until) return;
      stop();
      for (const giveUp of giveUps) giveUp();
      resolve();
    });
  });
}

/** A name that takes longer at start is waited for by the requests that need it. */
const START_RESOLVE_MS = 1_000;
/** How long addresses are waited for at start that have to show who they are. */
const START_IDENTITY_MS = 1_000;
/** How long at start what other workers know is waited for. */
const START_NEWS_MS = 250;
const NEWS_LOOK_MS = 5;
