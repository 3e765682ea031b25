import { happened } from "../expectations.ts";
import { arrivals, atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 6 of failures.md, its variant: the port that a name has left is taken by another tenant, who answers 200. */
const MOVED_AT_MS = 10_000;
/** Nobody listens there for so long: what takes place in no time is told apart by certificates alone (docs/guide/tls-to-origins.md). */
const EMPTY_MS = [150, 400] as const;
/** The name is changed so long after the machine: until then its answers lead to the stranger. */
const NAME_LATE_MS = 3_000;
const TTL_MS = 2_000;
const FOLLOWED_WITHIN_MS = NAME_LATE_MS + TTL_MS + 2_000;
const FAILED_MAX = 0.01;
const STRANGE_MAX = 0;
const PER_S = 30;

export const wrongTenant: Scenario = {
  name: "wrong-tenant",
  what: "An origin moves, another tenant listens at its old address at once and answers 200 to everything, and the name follows late: nobody gets an answer of the stranger's.",
  isMarked: true,
  pools: { a: ["a1"] },
  hosts: ["a2"],
  service: { health: { path: "/healthz", expect: { header: "X-Tenant", value: "shop" } } },
  play(world) {
    world.straightenLines();
    const [old, next] = [world.origin("a1"), world.origin("a2")];
    for (const origin of world.origins) {
      origin.healthLines = "X-Tenant: shop\r\n";
      origin.script = () => ({ delayMs: 5 });
    }
    world.at(MOVED_AT_MS, () => old.crash("rst"));
    world.at(MOVED_AT_MS + world.chance.fork("stranger").between(...EMPTY_MS), () => {
      old.healthLines = "X-Tenant: blog\r\n";
      old.start();
    });
    world.at(MOVED_AT_MS + NAME_LATE_MS, () => world.resolver.setAnswer("a1.test", [next.place.ip]));
    world.wellFromMs = MOVED_AT_MS + FOLLOWED_WITHIN_MS;
    const load = world.addLoad({
      name: "load",
      perSecond: PER_S,
      untilMs: 45_000,
      patienceMs: 5_000,
      repeats: 8,
      backoffMs: 1_000,
    });
    return {
      *marks() {
        const strange = load.calls
          .flatMap(({ stories }) => stories)
          .filter(
            ({ sentAt, answersBegun }) => sentAt > world.trafficBeganAt + MOVED_AT_MS && answersBegun.includes("a1"),
          );
        yield* atMost("mechanism 6: answers of another tenant", strange.length, STRANGE_MAX);
        yield* atMost("mechanism 6: share of calls failed", failedShare(callsOf(world, [load])), FAILED_MAX);
        const late = callsOf(world, [load], MOVED_AT_MS + FOLLOWED_WITHIN_MS).filter(({ tries }) => tries > 1);
        yield* atMost("mechanism 6: calls that met the move after its time", late.length, 0);
      },
      *also() {
        yield* happened("a call came", load.calls.length, PER_S * 30);
        yield* happened("the new place was asked", arrivals(world, "a2", MOVED_AT_MS, Infinity), PER_S * 10);
        const told = world.records.filter(({ cause }) => cause === "dns.wrong_tenant").length;
        yield* happened("a call was told of the stranger", told, 1);
      },
    };
  },
};
