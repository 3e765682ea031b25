/** What may happen between here and the origins: machines that are gone, packets that are lost, whole providers. */
import type { Maker } from "./disturbance.ts";
import { within, fails, anyOf, atA1, isShop, isAlpha, rate, A1 } from "./disturbance.ts";
import type { Told } from "./model.ts";
import { dual, one, shop, two } from "./places.ts";

const of = within("networks");

/** A climb that found another port of the machine open, or not. */
function ladderAt(otherPort: "holds" | "breaks"): Told {
  const text = otherPort === "holds" ? "connected" : "no answer within 2.5 s";
  return {
    service: "shop",
    pool: "a",
    origin: A1,
    rungs: [
      { rung: "connect", at: "10.1.4.1:3000", result: "breaks", ms: 2_500, text: "no answer within 2.5 s" },
      { rung: "other port", at: "10.1.4.1:9000", result: otherPort, ms: 2_500, text },
    ],
    located: "",
  };
}

export const AT_NETWORKS: readonly Maker[] = [
  of("machine gone or filtered", "outright", { parties: [], causes: [] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("net.connect_timeout", 2_000, atA1), check: ({ origin }) => origin !== A1 },
  })),
  of(
    "machine off, its network says so",
    "outright",
    { parties: ["origin"], causes: ["origin.host_dead", "net.unroutable"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: { attempt: fails("net.unroutable", 3_000, atA1), check: ({ origin }) => origin !== A1 },
    }),
  ),
  of("queue for connections full", "gray", { parties: ["overload"], causes: ["origin.backlog_full"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: { attempt: fails("net.connect_timeout", 2_000, atA1, chance.pick([0.3, 0.5])) },
  })),
  of("provider out: silence", "outright", { parties: ["provider"], causes: ["provider.outage"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: {
      attempt: anyOf(["origin.refused", "origin.ttfb_timeout", "net.connect_timeout"], 1_500, isAlpha),
      check: ({ provider }) => provider !== "alpha",
    },
  })),
  of("provider out: refused", "outright", { parties: ["provider"], causes: ["provider.outage"] }, (chance) => ({
    setup: two(rate(chance)),
    fault: { attempt: fails("origin.refused", 2, isAlpha), check: ({ provider }) => provider !== "alpha" },
  })),
  of("provider fails in part", "gray", { parties: ["provider"], causes: ["provider.outage"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: { attempt: fails("origin.nested_gw_5xx", 30, isAlpha, chance.pick([0.2, 0.5])) },
  })),
  of("the only provider cannot be connected to", "outright", { parties: [], causes: [] }, (chance) => ({
    setup: one(rate(chance)),
    fault: { attempt: fails("net.connect_timeout", 2_000, () => true), check: () => false },
  })),
  of(
    "this machine drops new connections",
    "outright",
    { parties: ["gateway"], causes: ["net.local_drop"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: fails("net.connect_timeout", 2_000, () => true, chance.pick([0.5, 0.8])),
        check: (_, second) => second % 3 === 0,
      },
    }),
  ),
  of("one address family broken", "outright", { parties: ["network"], causes: ["net.address_family"] }, (chance) => ({
    setup: { services: [dual(rate(chance))], workers: 1, networks: 60 },
    fault: { attempt: fails("net.connect_timeout", 1_000, ({ at }) => at.family === "IPv6") },
  })),
  of("idle connections forgotten", "gray", { parties: ["network"], causes: ["net.idle_dropped"] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      attempt: (ask) =>
        isShop(ask) && ask.chance.next() < 0.06
          ? { cause: "net.half_open", ms: 3_000, idleMs: ask.chance.integer(350_000, 500_000) }
          : null,
    },
  })),
  of("resets everywhere: device or crash", "outright", { parties: [], causes: [] }, (chance) => ({
    setup: { services: [shop(chance.pick([25, 80]))], workers: 1, networks: 60 },
    fault: { attempt: fails("origin.reset_before_response", 4, () => true, chance.pick([0.1, 0.3])) },
  })),
  of(
    "large answers vanish on the way",
    "outright",
    { parties: ["network"], causes: ["net.mtu_blackhole"] },
    (chance) => ({
      setup: two(chance.pick([25, 80])),
      fault: {
        attempt: (ask) =>
          isShop(ask) && isAlpha(ask) && ask.route.name === "feed"
            ? { cause: "origin.stall_mid_body", ms: 2_000, receivedBytes: ask.chance.integer(180, 1_380) }
            : null,
      },
    }),
  ),
  of("the way to one provider loses packets", "gray", { parties: [], causes: [] }, (chance) => ({
    setup: two(chance.pick([25, 80])),
    fault: {
      attempt: anyOf(["net.connect_timeout", "net.connect_timeout", "net.mid_reset"], 1_200, isAlpha, 0.4),
      check: ({ provider }, second) => provider !== "alpha" || second % 5 !== 0,
    },
  })),
  of("IPv4 broken", "outright", { parties: ["network"], causes: ["net.address_family"] }, (chance) => ({
    setup: { services: [dual(rate(chance))], workers: 1, networks: 60 },
    fault: { attempt: fails("net.unroutable", 5, ({ at }) => at.family === "IPv4") },
  })),
  of("silent at one port of a machine that answers at another", "outright", { parties: [], causes: [] }, (chance) => ({
    setup: two(rate(chance)),
    fault: {
      attempt: fails("net.connect_timeout", 2_000, atA1),
      check: ({ origin }) => origin !== A1,
      tell: (second) => (second === 8 ? [ladderAt("holds")] : []),
    },
  })),
  of(
    "machine gone, and the ladder says so",
    "outright",
    { parties: ["origin"], causes: ["origin.host_dead"] },
    (chance) => ({
      setup: two(rate(chance)),
      fault: {
        attempt: fails("net.connect_timeout", 2_000, atA1),
        check: ({ origin }) => origin !== A1,
        tell: (second) => (second === 8 ? [ladderAt("breaks")] : []),
      },
    }),
  ),
];
