import { expect, test } from "vitest";
import { sampleSecond, sampleTopology } from "../../test/support/sample-facts.ts";
import { secondFact } from "../../test/support/second-fact.ts";
import type { ChangeFact, Fact, OriginRow, PersonFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import { createEngine } from "./engine.ts";
import type { Engine } from "./engine-port.ts";
import type { CauseId } from "../kernel/causes.ts";

const START = 1_764_000_000_000;
const TOPOLOGY: Fact = {
  kind: "topology",
  node: "edge-1",
  worker: 0,
  revision: "r1",
  at: START,
  services: ["shop", "mail"].map((name) => ({
    name,
    objective: null,
    routes: [{ name: "all", class: "normal" }],
    pools: [],
  })),
};

/** Tells seconds [from, to) in which a part of each service's exchanges fails. */
function tell(engine: Engine, from: number, to: number, failing: Readonly<Record<string, number>> = {}): void {
  for (let second = from; second < to; second += 1) {
    const at = START + second * 1000;
    engine.step(
      secondFact(
        at,
        ["shop", "mail"].map((service) => {
          const failed = failing[service] ?? 0;
          return { service, route: "all", served: 20 - failed, failed };
        }),
      ),
    );
    engine.tick(at + 1000);
  }
}

/** Tells seconds [from, to) with two pools, of which one may fail every attempt; all are rescued. */
function tellPools(engine: Engine, from: number, to: number, failing: string): void {
  tellOrigins(engine, from, to, failing === "" ? 0 : 10, ({ pool }) =>
    pool === failing ? { byCause: { "origin.refused": 5 }, firstByte: [] } : {},
  );
}

function tellOrigins(
  engine: Engine,
  from: number,
  to: number,
  rescued: number,
  differs: (of: { name: string; pool: string }) => Partial<OriginRow>,
): void {
  const addresses = ["a1", "a2", "g1", "g2"].map((name) => ({ name, pool: name.startsWith("a") ? "aws" : "gcp" }));
  for (let second = from; second < to; second += 1) {
    const at = START + second * 1000;
    engine.step(
      sampleSecond(at, {
        traffic: [
          {
            service: "shop",
            route: "all",
            class: "normal",
            byOutcome: { served: 20 - rescued, failed: 0, rescued, aborted: 0, refused: 0 },
            byCause: {},
            duration: [[44, 20]],
            durationSumUs: 0,
            retries: rescued,
            retriesRefusedByBudget: 0,
          },
        ],
        origins: addresses.map(({ name, pool }) => ({
          service: "shop",
          pool,
          provider: pool,
          origin: `http://${name}`,
          address: `${name}:80`,
          family: "IPv4" as const,
          attempts: 5,
          byCause: {},
          firstByte: [[44, 5] as const],
          connectionsMade: 0,
          inFlight: 0,
          held: 0,
          limit: 0,
          state: "up" as const,
          share: 0.25,
          checkOk: null,
          keepAliveMs: 0,
          ...differs({ name, pool }),
        })),
      }),
    );
    engine.tick(at + 1000);
  }
}

function deployOf(pool: string): ChangeFact {
  const where = { service: "shop", pool };
  return { kind: "change", at: START + 95_000, id: "change-1", what: "deploy announced", where, text: "7", by: "ci" };
}

/** Of durations some twenty times those of the others. */
const SLOW_BUCKET = 80;

/** The same for shop, slow and with so many failures. */
function tellSlow(engine: Engine, from: number, to: number, failed: number): void {
  for (let second = from; second < to; second += 1) {
    const at = START + second * 1000;
    const mail = { service: "mail", route: "all", served: 20 };
    const shop = { service: "shop", route: "all", served: 20 - failed, failed, bucket: SLOW_BUCKET };
    engine.step(secondFact(at, [shop, mail]));
    engine.tick(at + 1000);
  }
}

function begun(): Engine {
  const engine = createEngine();
  engine.step(TOPOLOGY);
  tell(engine, 0, 100);
  return engine;
}

function incidents(engine: Engine): readonly Incident[] {
  return engine.answer({ ask: "incidents" });
}

function person(engine: Engine, act: PersonFact["act"], incident: string): string {
  const fact: PersonFact = { kind: "person", at: START + 110_000, by: "kim", incident, act };
  const { refused } = engine.answer({ ask: "act", fact });
  engine.step(fact);
  return refused;
}

test("A disturbance opens one incident, which recovers, closes and says how long and how bad it was", () => {
  const engine = begun();
  tell(engine, 100, 130, { shop: 15 });
  expect(incidents(engine)).toMatchObject([{ state: "open", severity: "critical", services: ["shop"] }]);
  tell(engine, 130, 143);
  expect(incidents(engine)).toMatchObject([{ state: "recovering" }]);
  tell(engine, 143, 220);
  const [incident] = incidents(engine);
  expect(incident).toMatchObject({ state: "closed", firstFailureAt: START + 100_000, recoveredAt: START + 130_000 });
  expect(incident?.summary).toMatch(/Over after 30 s: 450 exchanges failed/);
  expect(incident?.impact).toMatchObject({ failed: 450, failedByClass: { normal: 450 } });
});

test("What traffic proves to be over is closed within 25 s, and not before", () => {
  const engine = begun();
  tell(engine, 100, 130, { shop: 15 });
  tell(engine, 130, 140);
  expect(incidents(engine)).not.toMatchObject([{ state: "closed" }]);
  tell(engine, 140, 155);
  expect(incidents(engine)).toMatchObject([{ state: "closed" }]);
});

test("What nobody asks for any more is not proven, and takes longer", () => {
  const engine = begun();
  tell(engine, 100, 130, { shop: 15 });
  for (let second = 130; second < 165; second += 1) engine.step(secondFact(START + second * 1000, []));
  expect(incidents(engine)).not.toMatchObject([{ state: "closed" }]);
});

test("What was said to be over and came back has to be well for twice as long", () => {
  const engine = begun();
  tell(engine, 100, 120, { shop: 15 });
  tell(engine, 120, 134);
  expect(incidents(engine)).toMatchObject([{ state: "recovering" }]);
  tell(engine, 134, 150, { shop: 15 });
  tell(engine, 150, 205);
  expect(incidents(engine)).toMatchObject([{ state: "recovering" }]);
  tell(engine, 205, 220);
  expect(incidents(engine)).toMatchObject([{ state: "closed" }]);
});

test("What comes back within ten minutes is the same incident", () => {
  const engine = begun();
  tell(engine, 100, 120, { shop: 15 });
  tell(engine, 120, 220);
  expect(incidents(engine)).toMatchObject([{ state: "closed" }]);
  tell(engine, 220, 240, { shop: 15 });
  const [incident, ...more] = incidents(engine);
  expect(more).toEqual([]);
  expect(incident).toMatchObject({ state: "open", recoveredAt: null });
  expect(incident?.timeline.map(({ text }) => text)).toContain("It came back.");
});

test("What failed at first and is slow for longer is over when it is not slow any more", () => {
  const engine = begun();
  tellSlow(engine, 100, 110, 10);
  tellSlow(engine, 110, 160, 0);
  tell(engine, 160, 300);
  const [incident, ...more] = incidents(engine);
  expect(more).toEqual([]);
  expect(incident).toMatchObject({ state: "closed" });
  expect(incident?.recoveredAt).toBeGreaterThanOrEqual(START + 155_000);
  expect(incident?.recoveredAt).toBeLessThanOrEqual(START + 165_000);
});

test("What came back as slowness is over when that is, and not before it came back", () => {
  const engine = begun();
  tellSlow(engine, 100, 140, 10);
  tell(engine, 140, 240);
  expect(incidents(engine)).toMatchObject([{ state: "closed" }]);
  tellSlow(engine, 240, 300, 0);
  expect(incidents(engine)).toMatchObject([{ state: "open" }]);
  tell(engine, 300, 480);
  const [incident] = incidents(engine);
  expect(incident).toMatchObject({ state: "closed" });
  expect(incident?.recoveredAt).toBeGreaterThanOrEqual(START + 290_000);
  const told = incident?.timeline.map(({ kind, text }) => (text === "It came back." ? "back" : kind)) ?? [];
  expect(told.lastIndexOf("recovered")).toBeGreaterThan(told.indexOf("back"));
});

test("What fails at another pool soon after is another incident, and what fails at the same one again is not", () => {
  const engine = createEngine();
  const pools = [
    { name: "aws", provider: "aws", origins: ["http://a1", "http://a2"] },
    { name: "gcp", provider: "gcp", origins: ["http://g1", "http://g2"] },
  ];
  engine.step(
    sampleTopology({
      at: START,
      services: [{ name: "shop", objective: null, routes: [{ name: "all", class: "normal" }], pools }],
    }),
  );
  tellPools(engine, 0, 100, "");
  tellPools(engine, 100, 125, "aws");
  tellPools(engine, 125, 220, "");
  const first = { state: "closed", cause: "provider.outage", where: { pool: "aws" } };
  expect(incidents(engine)).toMatchObject([first]);
  tellPools(engine, 220, 245, "gcp");
  expect(incidents(engine)).toMatchObject([{ state: "open", cause: "provider.outage", where: { pool: "gcp" } }, first]);
  tellPools(engine, 245, 340, "");
  tellPools(engine, 340, 350, "aws");
  expect(incidents(engine).map(({ state, where }) => [state, where["pool"]])).toEqual([
    ["closed", "gcp"],
    ["open", "aws"],
  ]);
});

test("What fails at another pool while an incident ends is another incident, and the first one ends", () => {
  const engine = createEngine();
  engine.step(TOPOLOGY);
  tellPools(engine, 0, 100, "");
  tellPools(engine, 100, 120, "aws");
  tellPools(engine, 120, 133, "");
  expect(incidents(engine)).toMatchObject([{ state: "recovering", where: { pool: "aws" } }]);
  tellPools(engine, 133, 160, "gcp");
  expect(incidents(engine)).toMatchObject([
    { state: "open", where: { pool: "gcp" } },
    { state: "closed", where: { pool: "aws" } },
  ]);
  // And the same one again is the same one.
  const again = createEngine();
  again.step(TOPOLOGY);
  tellPools(again, 0, 100, "");
  tellPools(again, 100, 120, "aws");
  tellPools(again, 120, 133, "");
  tellPools(again, 133, 160, "aws");
  expect(incidents(again)).toMatchObject([{ state: "open", where: { pool: "aws" } }]);
});

test("Another kind of outage within ten minutes is another incident, and the same kind is not", () => {
  const failing = (engine: Engine, from: number, to: number, ...causes: CauseId[]): void =>
    tellOrigins(engine, from, to, 10, () => ({
      byCause: Object.fromEntries(causes.map((cause) => [cause, 2])),
      firstByte: [],
    }));
  const begun = (pause: number): Engine => {
    const engine = createEngine();
    engine.step(TOPOLOGY);
    tellPools(engine, 0, 100, "");
    failing(engine, 100, 130, "origin.refused");
    tellPools(engine, 130, 130 + pause, "");
    return engine;
  };
  const causes = (engine: Engine): unknown => incidents(engine).map(({ hypotheses: [{ cause }] }) => cause);
  const errors = begun(90);
  expect(incidents(errors)).toMatchObject([{ state: "closed" }]);
  failing(errors, 220, 250, "origin.app_5xx");
  expect(causes(errors)).toEqual(["origin.app_5xx", "origin.refused"]);
  // While the first one is not quite over.
  const soon = begun(14);
  expect(incidents(soon)).toMatchObject([{ state: "recovering" }]);
  failing(soon, 144, 170, "origin.app_5xx");
  expect(causes(soon)).toEqual(["origin.app_5xx", "origin.refused"]);
  tellPools(soon, 170, 300, "");
  expect(incidents(soon).map(({ state }) => state)).toEqual(["closed", "closed"]);
  // A process that ends resets as well as it refuses.
  const same = begun(90);
  failing(same, 220, 250, "origin.refused", "origin.reset_before_response");
  expect(incidents(same)).toMatchObject([{ state: "open" }]);
});

test("What refused and is merely slow some minutes later is another incident", () => {
  const engine = createEngine();
  engine.step(TOPOLOGY);
  tellPools(engine, 0, 100, "");
  // What is left of it is late, which comes of its refusals.
  tellOrigins(engine, 100, 130, 8, ({ pool }) =>
    pool === "aws" ? { byCause: { "origin.refused": 4 }, firstByte: [[SLOW_BUCKET, 1]] } : {},
  );
  tellPools(engine, 130, 230, "");
  expect(incidents(engine)).toMatchObject([{ state: "closed", cause: "provider.outage" }]);
  tellOrigins(engine, 230, 260, 0, ({ pool }) => (pool === "aws" ? { firstByte: [[SLOW_BUCKET, 5]] } : {}));
  expect(incidents(engine)).toMatchObject([{ state: "open" }, { state: "closed", cause: "provider.outage" }]);
});

test("One failure beside a failing check opens an incident, but not where a deploy is announced, unless it goes on", () => {
  const deploy = deployOf("aws");
  const opened = (isAnnounced: boolean, cause: CauseId, failures: number): number => {
    const engine = createEngine();
    engine.step(TOPOLOGY);
    tellPools(engine, 0, 95, "");
    if (isAnnounced) engine.step(deploy);
    tellPools(engine, 95, 100, "");
    for (let index = 0; index < 12; index += 1)
      tellOrigins(engine, 100 + index, 101 + index, index < failures ? 1 : 0, ({ name }) =>
        name !== "a1"
          ? {}
          : index < failures
            ? { attempts: 5, byCause: { [cause]: 1 } }
            : { attempts: 0, firstByte: [], state: "down", checkOk: false },
      );
    return incidents(engine).length;
  };
  expect(opened(false, "origin.reset_before_response", 1)).toBe(1);
  expect(opened(true, "origin.reset_before_response", 1)).toBe(0);
  // An answer, if an error, shows that somebody was there.
  expect(opened(false, "origin.app_5xx", 1)).toBe(0);
  expect(opened(true, "origin.reset_before_response", 5)).toBe(1);
});

test("An origin that its check took out before a request was lost is told at a glance at once, and soon by an incident, unless a deploy is announced", () => {
  const checkFails = (isAnnounced: boolean): Engine => {
    const engine = createEngine();
    const pools = [{ name: "aws", provider: "aws", origins: ["http://a1", "http://a2"] }];
    const routes = [{ name: "all", class: "normal" as const }];
    engine.step(sampleTopology({ at: START, services: [{ name: "shop", objective: null, routes, pools }] }));
    tellPools(engine, 0, 100, "");
    if (isAnnounced) engine.step(deployOf("aws"));
    tellOrigins(engine, 100, 105, 0, ({ name }) =>
      name === "a1" ? { attempts: 0, firstByte: [], state: "down", checkOk: false } : {},
    );
    return engine;
  };
  const goesOn = (engine: Engine, from: number, to: number): void =>
    tellOrigins(engine, from, to, 0, ({ name }) =>
      name === "a1" ? { attempts: 0, firstByte: [], state: "down", checkOk: false } : {},
    );
  const engine = checkFails(false);
  expect(engine.answer({ ask: "health" })).toMatchObject([
    { state: "well", because: expect.stringContaining("a1:80 is out of use by its check since") as string },
  ]);
  expect(incidents(engine)).toEqual([]);
  goesOn(engine, 105, 117);
  expect(incidents(engine)).toMatchObject([{ where: { origin: "http://a1" }, severity: "notice" }]);
  const deployed = checkFails(true);
  goesOn(deployed, 105, 140);
  expect(incidents(deployed)).toEqual([]);
  goesOn(deployed, 140, 160);
  expect(incidents(deployed)).toHaveLength(1);
});

test("What failed once a while before an origin was taken out is not when that began", () => {
  const engine = createEngine();
  engine.step(TOPOLOGY);
  const few = (from: number, to: number, differs: Partial<OriginRow>): void =>
    tellOrigins(engine, from, to, 0, ({ name }) => ({
      attempts: 0,
      firstByte: [],
      ...(name === "a1" ? { checkOk: true, ...differs } : {}),
    }));
  tellPools(engine, 0, 100, "");
  few(100, 101, { attempts: 3, byCause: { "origin.truncated": 2 } });
  few(101, 400, {});
  few(400, 410, { state: "down", checkOk: false });
  few(410, 411, { attempts: 1, byCause: { "origin.refused": 1 }, state: "down", checkOk: false });
  few(411, 415, { state: "down", checkOk: false });
  const [incident] = incidents(engine);
  expect(incident?.firstFailureAt).toBeGreaterThanOrEqual(START + 400_000);
});

test("Two refused connections in a row are enough where hardly anything is asked", () => {
  const engine = createEngine();
  engine.step(TOPOLOGY);
  tellPools(engine, 0, 100, "");
  const refused = (second: number): void =>
    tellOrigins(engine, second, second + 1, 1, ({ name }) =>
      name === "a1" ? { attempts: 1, byCause: { "origin.refused": 1 }, firstByte: [] } : { attempts: 0, firstByte: [] },
    );
  const nothing = (from: number, to: number): void =>
    tellOrigins(engine, from, to, 0, () => ({ attempts: 0, firstByte: [] }));
  refused(100);
  nothing(101, 110);
  expect(incidents(engine)).toEqual([]);
  refused(110);
  expect(incidents(engine)).toMatchObject([{ where: { origin: "http://a1" } }]);
});

test("An incident ends while an origin is still out, when its check or those that failed with it show that it is well", () => {
  const after = (failing: readonly string[], check: (second: number) => boolean | null): Incident | undefined => {
    const engine = createEngine();
    engine.step(TOPOLOGY);
    tellPools(engine, 0, 100, "");
    for (let second = 100; second < 165; second += 1)
      tellOrigins(engine, second, second + 1, second < 120 ? 10 : 0, ({ name }) => {
        const checkOk = name === "a1" ? check(second) : null;
        if (!failing.includes(name)) return { checkOk };
        if (second < 120) return { checkOk, byCause: { "origin.reset_before_response": 5 }, firstByte: [] };
        // a1 stays out for a minute; the others are back at once.
        return name === "a1" ? { checkOk, attempts: 0, firstByte: [], state: "ejected" } : { checkOk };
      });
    return incidents(engine)[0];
  };
  const alike = after(["a1", "a2", "g1", "g2"], () => null);
  expect(alike).toMatchObject({ state: "closed" });
  expect(alike?.timeline.find(({ kind }) => kind === "closed")?.text).toContain("a1:80 is still out of use");
  // Alone, with a check that saw nothing of it, or with one that fails on: nobody knows.
  expect(after(["a1"], () => true)).toMatchObject({ state: "open" });
  expect(after(["a1"], () => false)).toMatchObject({ state: "open" });
  // With a check that failed as it did and holds since: it is known.
  expect(after(["a1"], (second) => second >= 120)).toMatchObject({ state: "closed" });
  // Two others that failed once in a while say nothing about one that failed always.
  expect(after(["a1", "a2"], () => null)).toMatchObject({ state: "open" });
});

test("Two services that begin to fail together are one incident, a minute apart they are two", () => {
  const together = begun();
  tell(together, 100, 130, { shop: 15, mail: 15 });
  expect(incidents(together)).toMatchObject([
    { services: ["mail", "shop"], title: expect.stringContaining("mail, shop fail requests") as string },
  ]);
  const apart = begun();
  tell(apart, 100, 160, { shop: 15 });
  tell(apart, 160, 190, { shop: 15, mail: 15 });
  expect(incidents(apart)).toHaveLength(2);
});

test("People acknowledge, take over, write, split, merge and close, and it stands in the timeline", () => {
  const engine = begun();
  tell(engine, 100, 110, { shop: 15, mail: 15 });
  const id = incidents(engine)[0]?.id ?? "";
  expect(person(engine, { do: "acknowledge" }, id)).toBe("");
  expect(person(engine, { do: "take over" }, id)).toBe("");
  expect(person(engine, { do: "annotate", text: "looking at the database" }, id)).toBe("");
  expect(engine.answer({ ask: "incident", id })).toMatchObject({
    acknowledged: { by: "kim" },
    owner: "kim",
    timeline: expect.arrayContaining([
      expect.objectContaining({ kind: "person", text: "kim: looking at the database" }),
    ]),
  });
  expect(person(engine, { do: "split", where: { service: "mail" } }, id)).toBe("");
  expect(incidents(engine).map(({ services }) => services)).toEqual(expect.arrayContaining([["shop"], ["mail"]]));
  const split = incidents(engine).find(({ services }) => services[0] === "mail")?.id ?? "";
  expect(person(engine, { do: "merge", into: id }, split)).toBe("");
  expect(engine.answer({ ask: "incident", id: split })).toMatchObject({ state: "merged", parent: id });
  expect(engine.answer({ ask: "incident", id })).toMatchObject({ merged: [split] });
  expect(person(engine, { do: "close", text: "it was the database" }, id)).toBe("");
  expect(engine.answer({ ask: "incident", id })).toMatchObject({ state: "closed" });
});

test("What cannot be done is refused with a reason, and asking does nothing", () => {
  const engine = begun();
  tell(engine, 100, 110, { shop: 15 });
  const id = incidents(engine)[0]?.id ?? "";
  expect(person(engine, { do: "acknowledge" }, "inc-1-1")).toMatch(/no incident inc-1-1/);
  expect(person(engine, { do: "merge", into: id }, id)).toMatch(/to merge it into/);
  expect(person(engine, { do: "split", where: { service: "shop" } }, id)).toMatch(/more than one/);
  const fact: PersonFact = { kind: "person", at: START, by: "kim", incident: id, act: { do: "acknowledge" } };
  engine.answer({ ask: "act", fact });
  expect(engine.answer({ ask: "incident", id })).toMatchObject({ acknowledged: null });
});

test("What a drill breaks where it runs opens nothing", () => {
  const drill: ChangeFact = {
    kind: "change",
    at: START + 99_000,
    id: "drill-1",
    what: "drill",
    where: { service: "shop" },
    text: "shop is broken on purpose",
    by: "drills",
  };
  const engine = begun();
  engine.step(drill);
  tell(engine, 100, 130, { shop: 15 });
  expect(incidents(engine)).toEqual([]);
  tell(engine, 130, 150, { mail: 15 });
  expect(incidents(engine)).toMatchObject([{ services: ["mail"] }]);
});

test("Every hypothesis cites what it stands on, and confidences sum to no more than one", () => {
  const engine = begun();
  tell(engine, 100, 130, { shop: 15 });
  for (const { hypotheses } of incidents(engine)) {
    expect(hypotheses.reduce((all, { confidence }) => all + confidence, 0)).toBeLessThanOrEqual(1.001);
    for (const { for: evidence, against } of hypotheses)
      for (const { cites } of [...evidence, ...against]) expect(cites.length).toBeGreaterThan(0);
  }
});

test("What is saved and restored knows what is usual, and its incidents; nothing in it is lost by JSON", () => {
  const engine = begun();
  tell(engine, 100, 120, { shop: 15 });
  tell(engine, 120, 200);
  const saved: unknown = JSON.parse(JSON.stringify(engine.save()));
  const again = createEngine();
  again.restore(saved, []);
  expect(again.answer({ ask: "incidents" })).toEqual(incidents(engine));
  tell(again, 200, 210, { mail: 15 });
  const before = engine.answer({ ask: "incidents" }).length;
  expect(again.answer({ ask: "incidents", state: "open" })).toMatchObject([{ services: ["mail"] }]);
  expect(new Set(again.answer({ ask: "incidents" }).map(({ id }) => id)).size).toBe(before + 1);
  expect(() => createEngine().restore({ version: 99 }, [])).toThrow("of version 99");
});

test("What is found again in facts that are told again keeps its id, whenever this engine notices it, and nothing else gets it", () => {
  const told = begun();
  tell(told, 100, 110, { shop: 15 });
  const [was] = incidents(told);
  if (was === undefined) throw new Error("no incident");
  // Another version counted another way, and took something else for the beginning.
  const known = [{ ...was, id: "inc-1763999000-7", firstFailureAt: was.firstFailureAt - 900_000 }];
  const again = begun();
  again.recall(known);
  tell(again, 100, 110, { shop: 15 });
  expect(incidents(again)).toMatchObject([{ id: "inc-1763999000-7", services: ["shop"] }]);
  const elsewhere = begun();
  elsewhere.recall(known);
  tell(elsewhere, 100, 110, { mail: 15 });
  expect(incidents(elsewhere)).toMatchObject([{ id: was.id, services: ["mail"] }]);
  const late = begun();
  late.recall(known);
  late.recall([]);
  tell(late, 100, 110, { shop: 15 });
  expect(incidents(late)).toMatchObject([{ id: was.id }]);
});

test("Without facts there is no health: a service of which nothing is heard is not shown as well", () => {
  const engine = begun();
  expect(engine.answer({ ask: "health" })).toMatchObject([{ state: "well" }, { state: "well" }]);
  engine.tick(START + 200_000);
  expect(engine.answer({ ask: "health" }).map(({ state }) => state)).toEqual(["no data", "no data"]);
});
