import { describe, expect, it } from "vitest";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import type { Fetched } from "./ports.ts";

const BROKEN: Fetched = { kind: "answer", status: 200, json: { pool: "blue", kind: "crash", until: WALL + 30_000 } };
const AT = "/api/v1/samples/break";

describe("goodgate demo", () => {
  it("starts a gateway in front of samples also where a configuration lies, and lets their client visit it", async () => {
    const world = cliWorld({ files: { "goodgate.yaml": "services: {}" } });
    expect(await world.run("demo")).toBe(0);
    expect(world.started[0]?.services.map(({ name }) => name)).toEqual(["sample"]);
    expect(world.visited).toEqual(["http://127.0.0.1:8080"]);
    expect(world.out()).toContain("demo outage");
    expect(world.samplesClosed()).toBe(true);
  });

  it("listens where it is told to", async () => {
    const world = cliWorld();
    expect(await world.run("demo", "--bind", "127.0.0.1:8099", "--admin", "127.0.0.1:9099")).toBe(0);
    expect(world.visited).toEqual(["http://127.0.0.1:8099"]);
    expect(world.started[0]?.admin?.bind.port).toBe(9099);
  });
});

describe("goodgate demo outage", () => {
  it("asks the running gateway to break its first pool, and says what happens and where to look", async () => {
    const world = cliWorld({ admin: { [AT]: BROKEN } });
    expect(await world.run("demo", "outage")).toBe(0);
    expect(world.asked).toEqual([`POST http://127.0.0.1:9090${AT}`]);
    expect(world.bodies).toEqual([{ kind: "crash" }]);
    expect(world.out()).toContain("Pool blue is broken for 30 s: its processes are gone: connections are refused.");
    expect(world.out()).toContain("http://127.0.0.1:9090/");
  });

  it("breaks what it is told to, how and for how long, elsewhere too, and says so in JSON", async () => {
    const world = cliWorld({ admin: { [AT]: BROKEN } });
    const options = ["--kind", "slow", "--pool", "green", "--for", "2m", "--admin", "127.0.0.1:9099", "--json"];
    expect(await world.run("demo", "outage", ...options)).toBe(0);
    expect(world.asked).toEqual([`POST http://127.0.0.1:9099${AT}`]);
    expect(world.bodies).toEqual([{ kind: "slow", pool: "green", for: "2m" }]);
    expect(world.json()).toMatchObject({ pool: "blue", until: WALL + 30_000 });
  });

  it.each([
    [["demo", "outage", "--kind", "slwo"], "Did you mean  --kind slow"],
    [["demo", "outtage"], "there is  goodgate demo outage"],
    [["demo", "--kind", "slow"], "belong to  goodgate demo outage"],
    [["demo", "outage", "--bind", "127.0.0.1:1"], "--bind is for the start"],
  ])("%j is refused with what would be right", async (args, words) => {
    const world = cliWorld({ admin: { [AT]: BROKEN } });
    expect(await world.run(...args)).toBe(2);
    expect(world.err()).toContain(words);
    expect(world.asked).toEqual([]);
  });

  it("hands on why the gateway will not", async () => {
    const json = { title: "", status: 404, code: "no-samples", detail: "This gateway serves origins of its own." };
    const world = cliWorld({ admin: { [AT]: { kind: "answer", status: 404, json } } });
    expect(await world.run("demo", "outage")).not.toBe(0);
    expect(world.err()).toContain("origins of its own");
  });
});
