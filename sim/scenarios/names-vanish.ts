import { happened } from "../expectations.ts";
import { atMost, callsOf, failedShare } from "../measures.ts";
import type { Scenario } from "../scenario.ts";

/** Mechanism 5 of failures.md: DNS answers vanish while origins are well. */
const EACH_MS = 15_000;
const FROM_MS = 5_000;
const PER_S = 20;

export const namesVanish: Scenario = {
  name: "names-vanish",
  what: "A resolver says SERVFAIL, then nothing, then nothing is there, then there is no such name: well origins are used on, and nothing is lost.",
  isMarked: true,
  naive: { names: "obeyed" },
  pools: { a: ["a1", "a2"] },
  play(world) {
    world.straightenLines();
    const { resolver } = world;
    const answers = [
      { cause: "dns.servfail", code: "ESERVFAIL" },
      { cause: "dns.timeout", code: "ETIMEOUT" },
      [],
      { cause: "dns.nxdomain", code: "ENOTFOUND" },
    ] as const;
    answers.forEach((answer, index) =>
      world.at(FROM_MS + index * EACH_MS, () => {
        for (const name of ["a1.test", "a2.test"]) resolver.setAnswer(name, answer);
      }),
    );
    // A connection is kept for less than the trouble lasts, so that the addresses are needed again.
    for (const origin of world.origins) origin.script = (_, chance) => ({ closes: chance.happens(0.3) });
    const load = world.addLoad({ name: "load", perSecond: PER_S, untilMs: FROM_MS + EACH_MS * answers.length });
    return {
      *marks() {
        yield* atMost("mechanism 5: share of calls failed", failedShare(callsOf(world, [load])), 0);
      },
      *also() {
        yield* happened("a call came", load.calls.length, PER_S * 60);
        const told = world.events.filter(({ event }) => event.kind === "resolution").length;
        yield* happened("the gateway told of the resolver", told, 2);
      },
    };
  },
};
