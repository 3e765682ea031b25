import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import type { Silence } from "../contract/control-port.ts";
import type { Incident, IncidentState, Severity } from "../contract/incident.ts";
import { AlertRouting } from "./alert-routing.ts";
import type { AlertRoute, AlertStep } from "./alert-routing.ts";

const START = Date.parse("2026-01-15T12:00:00Z");
const MINUTE = 60_000;
const NIGHT = { zone: "UTC", fromMinute: 22 * 60, toMinute: 7 * 60, days: [] };

function route(changes: Partial<AlertRoute> = {}): AlertRoute {
  return {
    name: "all",
    match: {},
    to: ["mail"],
    waitMs: 10_000,
    repeatMs: 0,
    quiet: null,
    escalate: [],
    goesOn: false,
    ...changes,
  };
}

function silence(changes: Partial<Silence> = {}): Silence {
  return {
    id: "s1",
    at: START,
    where: { service: "shop" },
    by: "ada",
    reason: "moving house",
    until: START + 60 * MINUTE,
    ...changes,
  };
}

function told(step: AlertStep): string[] {
  return step.deliveries.map(({ what, sink }) => `${what} ${sink}`);
}

describe("routing of alerts", () => {
  it("tells of an incident once, after the wait, and of its end", () => {
    const routing = new AlertRouting([route()]);
    const incident = sampleIncident();
    expect(told(routing.hear(incident, [], START))).toEqual([]);
    expect(told(routing.tick([], START + 9_999))).toEqual([]);
    expect(told(routing.tick([], START + 10_000))).toEqual(["open mail"]);
    expect(told(routing.tick([], START + 24 * 60 * MINUTE))).toEqual([]);
    expect(told(routing.hear({ ...incident, state: "recovering" }, [], START + MINUTE))).toEqual([]);
    expect(told(routing.hear({ ...incident, state: "closed" }, [], START + 2 * MINUTE))).toEqual(["recovered mail"]);
    expect(told(routing.hear({ ...incident, state: "closed" }, [], START + 3 * MINUTE))).toEqual([]);
  });

  it("says nothing at all of what was over before it was told", () => {
    const routing = new AlertRouting([route()]);
    routing.hear(sampleIncident(), [], START);
    expect(told(routing.hear(sampleIncident({ state: "closed" }), [], START + 5_000))).toEqual([]);
  });

  it("does not tell of a part of another incident, and tells who had heard of it what it was merged into", () => {
    const routing = new AlertRouting([route()]);
    routing.hear(sampleIncident({ id: "child", parent: "parent" }), [], START);
    routing.hear(sampleIncident({ id: "other" }), [], START);
    expect(routing.tick([], START + MINUTE).deliveries.map(({ incident }) => incident.id)).toEqual(["other"]);
    const step = routing.hear(
      sampleIncident({ id: "other", state: "merged", parent: "parent" }),
      [],
      START + 2 * MINUTE,
    );
    expect(told(step)).toEqual(["recovered mail"]);
    expect(step.deliveries[0]?.incident.parent).toBe("parent");
  });

  it("asks the routes in order and stops at the first that takes it, unless that goes on", () => {
    const pager = route({ name: "page", match: { severity: ["critical"] }, to: ["pager"] });
    const log = route({ name: "log", to: ["log"] });
    const first = new AlertRouting([pager, log]);
    first.hear(sampleIncident(), [], START);
    expect(told(first.tick([], START + MINUTE))).toEqual(["open pager"]);
    const both = new AlertRouting([{ ...pager, goesOn: true }, log]);
    both.hear(sampleIncident(), [], START);
    expect(told(both.tick([], START + MINUTE))).toEqual(["open pager", "open log"]);
    const mild = new AlertRouting([pager, log]);
    mild.hear(sampleIncident({ severity: "warning" }), [], START);
    expect(told(mild.tick([], START + MINUTE))).toEqual(["open log"]);
    // Worse than it was: it is the pager's now, and who had heard of it goes on hearing.
    mild.hear(sampleIncident(), [], START + 3 * MINUTE);
    expect(told(mild.tick([], START + 4 * MINUTE))).toEqual(["open pager"]);
  });

  it("tells a sink that two routes name by the first of them alone, and that nobody reacts all the same", () => {
    const escalate = [{ afterMs: 10 * MINUTE, to: ["pager"] }];
    const routing = new AlertRouting([
      route({ name: "page", to: ["pager"], waitMs: 0, goesOn: true }),
      route({ name: "all", to: ["pager", "log"], waitMs: 0, escalate }),
    ]);
    expect(told(routing.hear(sampleIncident({ detectedAt: START }), [], START))).toEqual(["open pager", "open log"]);
    expect(told(routing.tick([], START + 10 * MINUTE))).toEqual(["escalate pager"]);
    expect(told(routing.hear(sampleIncident({ state: "closed" }), [], START + 11 * MINUTE))).toEqual([
      "recovered pager",
      "recovered log",
    ]);
  });

  it("matches service, party, cause and place; what is undecided has names too", () => {
    for (const [match, changes, expected] of [
      [{ service: ["shop"] }, {}, true],
      [{ service: ["blog", "shop"] }, {}, true],
      [{ service: ["blog"] }, {}, false],
      [{ party: ["origin"], pool: ["aws"] }, {}, true],
      [{ party: ["origin"], pool: ["gcp"] }, {}, false],
      [{ cause: ["undecided"] }, { cause: null }, true],
      [{ party: ["unknown"] }, { party: null }, true],
      [{ node: ["a"] }, {}, false],
    ] as const) {
      const routing = new AlertRouting([route({ match, waitMs: 0 })]);
      expect(told(routing.hear(sampleIncident(changes), [], START)).length, JSON.stringify(match)).toBe(
        Number(expected),
      );
    }
  });

  it("repeats while nobody has taken it, and no more after that", () => {
    const routing = new AlertRouting([route({ waitMs: 0, repeatMs: 60 * MINUTE })]);
    expect(told(routing.hear(sampleIncident(), [], START))).toEqual(["open mail"]);
    expect(told(routing.tick([], START + 59 * MINUTE))).toEqual([]);
    expect(told(routing.tick([], START + 60 * MINUTE))).toEqual(["repeat mail"]);
    const seen = sampleIncident({ acknowledged: { by: "ada", at: START + 61 * MINUTE } });
    expect(told(routing.hear(seen, [], START + 61 * MINUTE))).toEqual(["taken mail"]);
    expect(told(routing.tick([], START + 600 * MINUTE))).toEqual([]);
    expect(told(routing.hear(sampleIncident({ state: "closed" }), [], START + 601 * MINUTE))).toEqual([
      "recovered mail",
    ]);
  });

  it("escalates step by step, to others, until somebody takes it; they hear the end too", () => {
    const escalate = [
      { afterMs: 10 * MINUTE, to: ["second"] },
      { afterMs: 30 * MINUTE, to: ["boss"] },
    ];
    const routing = new AlertRouting([route({ waitMs: 0, escalate })]);
    const incident = sampleIncident({ detectedAt: START });
    routing.hear(incident, [], START);
    expect(told(routing.tick([], START + 10 * MINUTE))).toEqual(["escalate second"]);
    expect(told(routing.tick([], START + 11 * MINUTE))).toEqual([]);
    routing.hear({ ...incident, owner: "ada" }, [], START + 12 * MINUTE);
    expect(told(routing.tick([], START + 60 * MINUTE))).toEqual([]);
    expect(told(routing.hear({ ...incident, state: "closed" }, [], START + 61 * MINUTE))).toEqual([
      "recovered mail",
      "recovered second",
    ]);
  });

  it("tells all who were told, and nobody else, who has taken it, whatever is held back; once for each person", () => {
    const night = Date.parse("2026-01-15T23:00:00Z");
    const warned = sampleIncident({ severity: "warning", detectedAt: START });
    const routing = new AlertRouting([
      route({ waitMs: 0, quiet: NIGHT, escalate: [{ afterMs: 30 * MINUTE, to: ["boss"] }], goesOn: true }),
      route({ name: "late", to: ["log"], waitMs: 24 * 60 * MINUTE }),
    ]);
    expect(told(routing.hear(warned, [], START))).toEqual(["open mail"]);
    expect(told(routing.tick([], START + 30 * MINUTE))).toEqual(["escalate boss"]);
    const silences = [silence({ until: night + 60 * MINUTE })];
    const seen = { ...warned, acknowledged: { by: "ada", at: night } };
    expect(told(routing.hear(seen, silences, night))).toEqual(["taken mail", "taken boss"]);
    expect(told(routing.tick(silences, night + 1_000))).toEqual([]);
    // The same person takes it over: that is no news. Another one does.
    expect(told(routing.hear({ ...seen, owner: "ada" }, silences, night + 2_000))).toEqual([]);
    const restarted = new AlertRouting(
      [route({ waitMs: 0, quiet: NIGHT, goesOn: true })],
      structuredClone(routing.save()),
    );
    expect(told(restarted.hear({ ...seen, owner: "ada" }, silences, night + 3_000))).toEqual([]);
    expect(told(restarted.hear({ ...seen, owner: "bob" }, silences, night + 4_000))).toEqual([
      "taken mail",
      "taken boss",
    ]);
    expect(told(restarted.hear({ ...seen, state: "closed" }, silences, night + 5_000))).toEqual([
      "recovered mail",
      "recovered boss",
    ]);
  });

  it("tells that it became worse or that its cause is known, and not that it became better", () => {
    const routing = new AlertRouting([route({ waitMs: 0 })]);
    routing.hear(sampleIncident({ severity: "warning", cause: null }), [], START);
    routing.hear(sampleIncident({ severity: "critical", cause: null }), [], START + 1000);
    expect(told(routing.tick([], START + MINUTE))).toEqual(["update mail"]);
    routing.hear(sampleIncident({ severity: "warning" }), [], START + MINUTE + 1);
    expect(told(routing.tick([], START + 2 * MINUTE))).toEqual(["update mail"]);
    expect(told(routing.hear(sampleIncident({ severity: "notice" }), [], START + 9 * MINUTE))).toEqual([]);
  });

  it("keeps silent while a silence holds, says so once, and speaks when it ends and the trouble does not", () => {
    const routing = new AlertRouting([route({ waitMs: 0 })]);
    const step = routing.hear(sampleIncident(), [silence()], START);
    expect(told(step)).toEqual([]);
    expect(step.withheld).toEqual([
      { incident: sampleIncident().id, sink: "mail", reason: "silenced", detail: "ada: moving house" },
    ]);
    expect(routing.tick([silence()], START + MINUTE).withheld).toEqual([]);
    expect(told(routing.tick([silence()], START + 60 * MINUTE))).toEqual(["open mail"]);
    expect(
      told(routing.hear(sampleIncident({ state: "closed" }), [silence({ until: Infinity })], START + 61 * MINUTE)),
    ).toEqual(["recovered mail"]);
  });

  it("keeps what is not critical for the morning, and forgets what was over by then", () => {
    const night = Date.parse("2026-01-15T23:00:00Z");
    const morning = Date.parse("2026-01-16T07:00:00Z");
    const routing = new AlertRouting([route({ waitMs: 0, quiet: NIGHT })]);
    expect(told(routing.hear(sampleIncident({ id: "a", severity: "warning" }), [], night))).toEqual([]);
    expect(told(routing.hear(sampleIncident({ id: "b", severity: "warning" }), [], night))).toEqual([]);
    expect(told(routing.hear(sampleIncident({ id: "c" }), [], night))).toEqual(["open mail"]);
    expect(
      told(routing.hear(sampleIncident({ id: "b", severity: "warning", state: "closed" }), [], night + MINUTE)),
    ).toEqual([]);
    expect(routing.tick([], morning).deliveries.map(({ incident }) => incident.id)).toEqual(["a"]);
  });

  it("goes on after a restart where it was: nobody hears twice, and the end is told", () => {
    const before = new AlertRouting([route({ waitMs: 0 })]);
    const [first] = before.hear(sampleIncident(), [], START).deliveries;
    const saved: ReturnType<AlertRouting["save"]> = JSON.parse(JSON.stringify(before.save()));
    const after = new AlertRouting([route({ waitMs: 0 })], saved);
    expect(told(after.hear(sampleIncident(), [], START + MINUTE))).toEqual([]);
    const [last] = after.hear(sampleIncident({ state: "closed" }), [], START + 2 * MINUTE).deliveries;
    expect(last?.what).toBe("recovered");
    expect(last?.key).not.toBe(first?.key);
  });

  it("remembers at most a thousand incidents, and those that go on rather than those that are over", () => {
    const routing = new AlertRouting([route({ waitMs: 0 })]);
    routing.hear(sampleIncident({ id: "goes on" }), [], START);
    for (let n = 0; n < 1500; n += 1) {
      routing.hear(sampleIncident({ id: `i${n}` }), [], START);
      routing.hear(sampleIncident({ id: `i${n}`, state: "closed" }), [], START);
    }
    expect(Object.keys(routing.save().tracks).length).toBe(1000);
    expect(told(routing.hear(sampleIncident({ id: "goes on", state: "closed" }), [], START))).toEqual([
      "recovered mail",
    ]);
  });

  it("whatever happens: who was told of trouble is told of its end exactly once, and no key comes twice", () => {
    const event = fc.record({
      id: fc.constantFrom("a", "b", "c"),
      state: fc.constantFrom<IncidentState>("open", "recovering", "open"),
      severity: fc.constantFrom<Severity>("notice", "warning", "critical"),
      acknowledged: fc.boolean(),
      silenced: fc.boolean(),
      restart: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 8 * 60 * MINUTE }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const routes = [
          route({
            name: "page",
            match: { severity: ["critical"] },
            to: ["pager", "mail"],
            repeatMs: 30 * MINUTE,
            goesOn: true,
          }),
          route({ quiet: NIGHT, escalate: [{ afterMs: 60 * MINUTE, to: ["boss"] }] }),
        ];
        let routing = new AlertRouting(routes);
        const all: AlertStep["deliveries"][number][] = [];
        let now = START;
        const known = new Map<string, Incident>();
        for (const { id, state, severity, acknowledged, silenced, restart, afterMs } of events) {
          now += afterMs;
          if (restart) {
            routing = new AlertRouting(routes, routing.save());
            for (const incident of known.values()) all.push(...routing.hear(incident, [], now).deliveries);
          }
          const incident = sampleIncident({
            id,
            state,
            severity,
            acknowledged: acknowledged ? { by: "ada", at: now } : null,
          });
          known.set(id, incident);
          const silences = silenced ? [silence({ until: now + MINUTE })] : [];
          all.push(...routing.hear(incident, silences, now).deliveries, ...routing.tick(silences, now).deliveries);
        }
        for (const incident of known.values())
          all.push(...routing.hear({ ...incident, state: "closed" }, [], now).deliveries);
        expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
        for (const id of known.keys()) {
          for (const sink of ["pager", "mail", "boss"]) {
            const heard = all.filter((delivery) => delivery.incident.id === id && delivery.sink === sink);
            const ends = heard.filter(({ what }) => what === "recovered").length;
            expect(ends, `${id} ${sink}`).toBe(heard.length === 0 ? 0 : 1);
          }
        }
      }),
    );
  });
});
