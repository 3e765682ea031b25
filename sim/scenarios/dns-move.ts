import { allServed, causesWithin } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const dnsMove: Scenario = {
  name: "dns-move",
  what: "A name moves to another machine, and a name with four addresses loses three: the gateway follows, and nothing is lost.",
  pools: { a: ["a1", "a2", "spare1", "spare2", "spare3"] },
  play(world) {
    const { resolver } = world;
    const ips = (...names: string[]): string[] => names.map((name) => world.origin(name).place.ip);
    // The spares are only reached by the others' names.
    for (const name of ["spare1", "spare2", "spare3"]) resolver.setAnswer(`${name}.test`, ips("a2"));
    resolver.setAnswer("a2.test", ips("a2", "spare1", "spare2", "spare3"));
    world.at(5_000, () => resolver.setAnswer("a1.test", ips("spare1")));
    world.at(15_000, () => world.origin("a1").stopGently());
    world.at(20_000, () => resolver.setAnswer("a2.test", ips("a2")));
    world.at(40_000, () => world.origin("spare3").stopGently());
    world.addClients(5, { requests: 50, thinkMs: [100, 4_000] });
    let inUse: string[] = [];
    world.at(39_000, () => {
      inUse = world.gateway.view
        .origins()
        .flatMap(({ origin, addresses }) => addresses.map(({ address }) => `${origin} ${address}`));
    });
    return () => [
      ...allServed(world),
      ...causesWithin(world, ["origin.keepalive_race"]),
      ...inUse
        .filter((line) => line.startsWith("http://a2.") && !line.endsWith(` ${world.origin("a2").place.ip}:3000`))
        .map((line) => `${line} is in use 19 s after the name lost it`),
    ];
  },
};
