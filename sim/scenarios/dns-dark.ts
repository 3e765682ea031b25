import { causesWithin, happened, isServed, storiesOf } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const dnsDark: Scenario = {
  name: "dns-dark",
  what: "No name can be resolved at the start: requests hear so, and are served as soon as one can be.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    const { resolver } = world;
    const began = world.clock.monotonic();
    const trouble = { cause: "dns.servfail", code: "ESERVFAIL" } as const;
    for (const name of ["a1", "a2"]) resolver.setAnswer(`${name}.test`, trouble);
    world.at(10_000, () => resolver.setAnswer("a2.test", [world.origin("a2").place.ip]));
    world.addClients(4, { requests: 40, thinkMs: [50, 3_000] });
    return () => {
      const late = storiesOf(world, ({ sentAt }) => sentAt > began + 10_000 + resolver.ttlMs + 500);
      return [
        ...late
          .filter((story) => !isServed(story))
          .map(({ id, status }) => `#${id} got ${status} though a2 could be resolved`),
        ...causesWithin(world, ["dns.servfail"]),
        ...happened(
          "a request without any name",
          world.records.filter(({ cause }) => cause === "dns.servfail").length,
          5,
        ),
      ];
    };
  },
};
