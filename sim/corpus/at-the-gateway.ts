/** What may happen here: a process that stands still, limits, workers and nodes unlike the others, a defence that hits friends. */
import { CRASH_LOOP } from "../../src/control/crash-watch.ts";
import type { Maker } from "./disturbance.ts";
import { within, fails, anyOf, isAlpha, rate } from "./disturbance.ts";
import { two } from "./places.ts";

const of = within("gateway");
/** A process that is started again ever later. */
const ENDS_S = [0, 1, 3, 7, 15, 31, 46];

export const AT_THE_GATEWAY: readonly Maker[] = [
  of(
    "gateway stands still",
    "outright",
    { parties: ["gateway"], causes: ["gw.starved", "gw.loop_stall"] },
    (chance) => {
      const stalls = (second: number): boolean => second % 3 !== 2;
      const ms = chance.pick([600, 1_500]);
      return {
        setup: two(rate(chance)),
        fault: {
          attempt: (ask) =>
            stalls(ask.second)
              ? ask.chance.next() < 0.15
                ? { cause: "gw.loop_stall", ms }
                : { slow: 1 + ms / ask.route.ms }
              : null,
          own: (_, second) => (stalls(second) ? { loopDelayMaxMs: ms, loopUtilisation: 1 } : {}),
        },
      };
    },
  ),
  of("gateway slow, nothing fails", "gray", { parties: ["gateway"], causes: ["gw.starved"] }, (chance) => {
    const ms = chance.pick([350, 800]);
    return {
      setup: two(rate(chance)),
      fault: {
        attempt: (ask) => ({ slow: 1 + (ms * ask.chance.next()) / ask.route.ms }),
        own: () => ({ loopDelayMaxMs: ms, loopUtilisation: 1 }),
      },
    };
  }),
  of(
    "descriptors used up",
    "outright",
    { parties: ["gateway"], causes: ["gw.resource_wall", "gw.fd_exhausted"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: anyOf(["gw.fd_exhausted", "gw.fd_exhausted", "dns.nxdomain"], 1, () => true, 0.5),
        own: () => ({ descriptorsOpen: 9_990 }),
      },
    }),
  ),
  of(
    "no local ports",
    "outright",
    { parties: ["gateway"], causes: ["gw.resource_wall", "gw.ports_exhausted"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("gw.ports_exhausted", 1, isAlpha, 0.6), own: () => ({ portsUsed: 27_990 }) },
    }),
  ),
  of("one worker unlike the others", "outright", { parties: ["configuration"], causes: ["gw.drift"] }, (chance) => ({
    setup: { ...two(chance.pick([25, 80])), workers: 4 },
    fault: {
      attempt: fails(
        chance.pick(["origin.app_5xx", "origin.refused"] as const),
        3,
        ({ worker }) => worker === 2,
        chance.pick([1, 0.6]),
      ),
    },
  })),
  of(
    "our own limit hits a friend",
    "outright",
    { parties: ["configuration"], causes: ["gw.self_block", "client.flood"] },
    (chance) => {
      const friend = "10.0.1.0/24";
      return {
        setup: two(chance.pick([25, 80])),
        fault: {
          load: ({ name }, second) => (name === "shop" && second >= 0 && second < 60 ? 3 : 1),
          network: ({ extra }) => (extra ? friend : null),
          exchange: ({ network, chance: own }) =>
            network === friend && own.next() < 0.9 ? { outcome: "refused", cause: "client.flood", ms: 0 } : null,
        },
        lastsS: 60,
      };
    },
  ),
  of("one node unlike the others", "outright", { parties: ["configuration"], causes: ["gw.drift"] }, (chance) => ({
    setup: { ...two(chance.pick([25, 80])), nodes: 3, workers: 2 },
    fault: {
      attempt: fails(
        chance.pick(["origin.app_5xx", "tls.client_cert"] as const),
        3,
        ({ worker }) => worker === 2 || worker === 3,
        chance.pick([1, 0.6]),
      ),
    },
  })),
  of(
    "one node cannot connect to anything",
    "outright",
    { parties: ["configuration", "gateway"], causes: ["gw.drift", "net.local_drop"] },
    (chance) => ({
      setup: { ...two(chance.pick([25, 80])), nodes: 3, workers: 1 },
      fault: { attempt: fails("net.connect_timeout", 1_500, ({ worker }) => worker === 1) },
    }),
  ),
  of(
    "one worker stands still",
    "outright",
    { parties: ["gateway"], causes: ["gw.starved", "gw.loop_stall"] },
    (chance) => {
      const ms = chance.pick([700, 1_500]);
      return {
        setup: { ...two(chance.pick([25, 80])), workers: 4 },
        fault: {
          attempt: (ask) =>
            ask.worker === 1
              ? ask.chance.next() < 0.2
                ? { cause: "gw.loop_stall", ms }
                : { slow: 1 + ms / ask.route.ms }
              : null,
          own: (worker) => (worker === 1 ? { loopDelayMaxMs: ms, loopUtilisation: 1 } : {}),
        },
      };
    },
  ),
  of("a worker crashes again and again", "outright", { parties: ["gateway"], causes: ["gw.crash_loop"] }, (chance) => ({
    setup: { ...two(rate(chance)), workers: 2 },
    lastsS: ENDS_S.length * 10,
    fault: {
      tell(second) {
        const nth = ENDS_S.indexOf(second);
        const turn = { kind: "gateway", at: 0, detail: "it ended with SIGSEGV" } as const;
        if (nth >= 0) return [{ ...turn, code: nth < 3 ? "worker.ended" : CRASH_LOOP }];
        return second === ENDS_S.length * 10 ? [{ ...turn, code: "worker.running", detail: "it serves again" }] : [];
      },
    },
  })),
  of("connections used up", "outright", { parties: ["gateway"], causes: ["gw.resource_wall"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: {
      exchange: ({ chance: own }) => (own.next() < 0.4 ? { outcome: "failed", cause: "gw.shed", ms: 2 } : null),
      own: () => ({ connections: 9_990 }),
    },
  })),
  of(
    "memory at its end",
    "outright",
    { parties: ["gateway"], causes: ["gw.resource_wall", "gw.mem_or_buffers"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("gw.mem_or_buffers", 1, () => true, 0.3), own: () => ({ memoryBytes: 985_000_000 }) },
    }),
  ),
];
