/** One route that is broken at one origin, through the whole gateway. */
import { expect, it } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BROKEN = "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno";
const FIRST = "10.0.0.1:80";

function twoRoutes(service: Readonly<Record<string, unknown>> = {}): Promise<MemoryGateway> {
  return memoryGateway({
    origins: ["http://10.0.0.1", "http://10.0.0.2"],
    service: { routes: [{ name: "pay", match: { path: "/pay/*" } }], ...service },
    chance: seededChance(3),
  });
}

/** One exchange after the other, alternating between the routes; returns which addresses each route was sent to. */
function run(world: MemoryGateway, times: number, broken: (address: string, path: string) => boolean): string[][] {
  const went: string[][] = [[], []];
  for (let turn = 0; turn < times; turn += 1) {
    const path = turn % 2 === 0 ? "/pay/x" : "/x";
    const client = world.client();
    client.send(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
    for (const origin of world.network.dialled) {
      if (origin.ended !== "" || origin.take() === "") continue;
      went[turn % 2]?.push(origin.address);
      origin.send(broken(origin.address, path) ? BROKEN : OK);
    }
    client.fin();
  }
  return went;
}

const payFailsAtFirst = (address: string, path: string): boolean => address === FIRST && path.startsWith("/pay");

it("is sent to the others, the origin keeps the routes that work, and one request tries it again", async () => {
  const world = await twoRoutes();
  const told: string[] = [];
  world.gateway.view.subscribe((event) => {
    if (event.kind === "gateway") told.push(`${event.code}: ${event.detail}`);
  });
  run(world, 20, () => false);
  run(world, 80, payFailsAtFirst);
  expect(told).toEqual([
    expect.stringMatching(
      /^breaker\.opened: route pay at 10\.0\.0\.1:80 of pool main: 5 requests of the route in a row failed here and not elsewhere/,
    ),
  ]);
  const [pay = [], rest = []] = run(world, 80, payFailsAtFirst);
  expect(new Set(pay)).toEqual(new Set(["10.0.0.2:80"]));
  expect(rest.filter((address) => address === FIRST).length).toBeGreaterThan(5);
  const seen = world.gateway.view.origins().flatMap(({ addresses }) => addresses);
  expect(seen.map(({ state }) => state)).toEqual(["up", "up"]);
  const open = (): number | undefined => world.gateway.view.metrics().pools[0]?.breakersOpen;
  expect(open()).toBe(1);
  expect(seen.map(({ breakers }) => breakers)).toEqual([
    expect.stringMatching(/^route pay is kept from it: 5 requests of the route in a row failed here and not elsewhere/),
    "",
  ]);

  world.advance(7_000);
  const [again = []] = run(world, 80, () => false);
  expect(again[0]).toBe(FIRST);
  expect(again.filter((address) => address === FIRST).length).toBeGreaterThan(5);
  expect(told.at(-1)).toMatch(/^breaker\.closed/);
  expect(open()).toBe(0);
  expect(world.records.some(({ decisions }) => decisions.some(({ code }) => code === "pick.breaker-trial"))).toBe(true);
  expect(world.faults).toEqual([]);
});

it("waits for room at an origin that serves it rather than go where it is broken", async () => {
  const world = await twoRoutes({ overload: { concurrency: 1 } });
  run(world, 20, () => false);
  run(world, 80, payFailsAtFirst);
  const known = world.network.dialled.length;
  const ask = (): void => world.client().send("GET /pay/x HTTP/1.1\r\nHost: x\r\n\r\n");
  ask();
  ask();
  const reached = world.network.dialled.filter((origin) => origin.ended === "" && origin.take() !== "");
  expect(reached.map(({ address }) => address)).toEqual(["10.0.0.2:80"]);
  reached[0]?.send(OK);
  expect(world.network.dialled.slice(known).every(({ address }) => address !== FIRST)).toBe(true);
  expect(world.records.at(-1)).toMatchObject({ route: "pay", status: 200 });
});

it("that fails everywhere is sent everywhere, and no origin is taken out for it", async () => {
  const world = await twoRoutes();
  run(world, 20, () => false);
  run(world, 200, (_, path) => path.startsWith("/pay"));
  const [pay = []] = run(world, 80, (_, path) => path.startsWith("/pay"));
  expect(new Set(pay).size).toBe(2);
  for (const origin of world.gateway.view.origins()) expect(origin.addresses[0]?.state).toBe("up");
});

it("takes the origin's other routes with it where `breaker` is false", async () => {
  const world = await twoRoutes({ breaker: false });
  run(world, 20, () => false);
  run(world, 80, payFailsAtFirst);
  const [, rest = []] = run(world, 80, payFailsAtFirst);
  expect(rest.filter((address) => address === FIRST)).toEqual([]);
});
