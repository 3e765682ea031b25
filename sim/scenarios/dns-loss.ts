import { allServed, causesWithin } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const dnsLoss: Scenario = {
  name: "dns-loss",
  what: "Names vanish, fail and come back empty, one of them from the start: what was known once stays in use.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    const { resolver } = world;
    const chance = world.chance.fork("names");
    const troubles = [
      { cause: "dns.nxdomain", code: "ENOTFOUND" },
      { cause: "dns.servfail", code: "ESERVFAIL" },
      { cause: "dns.timeout", code: "ETIMEOUT" },
      { cause: "dns.empty_or_prohibited", code: "ENODATA" },
      [],
    ] as const;
    const ip = world.origin("a3").place.ip;
    resolver.setAnswer("a3.test", chance.pick(troubles));
    world.at(12_000, () => resolver.setAnswer("a3.test", [ip]));
    for (const name of ["a1", "a2"]) {
      world.at(chance.between(2_000, 8_000), () => resolver.setAnswer(`${name}.test`, chance.pick(troubles)));
      world.at(chance.between(20_000, 30_000), () => resolver.setAnswer(`${name}.test`, [world.origin(name).place.ip]));
    }
    world.addClients(5, { requests: 45, thinkMs: [50, 4_000] });
    return () => [
      ...allServed(world),
      ...causesWithin(world, []),
      ...(world.origin("a3").requestsAt.length === 0 ? ["a3 got no request though its name came back"] : []),
    ];
  },
};
