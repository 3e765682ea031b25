import { expect, test } from "vitest";
import { createEngine } from "./engine.ts";
import type { Fact, PersonFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import { disturbanceNamed } from "../../sim/corpus/disturbances.ts";
import { incidentsOf, playFacts } from "../../sim/corpus/score.ts";
import { EPOCH_MS } from "../../sim/corpus/model.ts";

test("A crashed origin is one incident, opened within seconds and closed after its return", () => {
  const { facts, beganAt } = playFacts(disturbanceNamed("origin crashes", 5), 5);
  const incidents = incidentsOf(facts);
  expect(incidents).toHaveLength(1);
  const [incident] = incidents;
  expect(incident).toMatchObject({
    state: "closed",
    cause: "origin.down",
    party: "origin",
    verdict: "decided",
    where: { service: "shop", pool: "a", origin: "http://a1.shop-alpha.example:3000" },
  });
  expect((incident?.detectedAt ?? 0) - beganAt).toBeLessThanOrEqual(10_000);
  expect(incident?.impact.rescued).toBeGreaterThan(0);
  expect(incident?.timeline.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["first failure", "detected", "automation", "recovered", "closed"]),
  );
});

/** The same disturbance, had it been TLS: each origin with a certificate of its own, or all with one. */
function overTls(facts: readonly Fact[], certificateOf: (origin: string) => string): Fact[] {
  const told: unknown = JSON.parse(
    JSON.stringify(facts).replaceAll('"origin.refused"', '"tls.cert_time"'),
    (_, value) => {
      const { cause, origin, attempts } = (value ?? {}) as { cause?: unknown; origin?: unknown; attempts?: unknown };
      if (cause !== "tls.cert_time" || typeof origin !== "string" || attempts !== undefined) return value as unknown;
      const evidence = `CERT_HAS_EXPIRED: certificate of ${certificateOf(origin)} by Test CA, 2026-01-01 to 2026-04-01`;
      return { ...(value as object), evidence };
    },
  );
  return told as Fact[];
}

test("A certificate that ran out at one origin is what its incident says", () => {
  const { facts } = playFacts(disturbanceNamed("origin crashes", 5), 5);
  const incidents = incidentsOf(overTls(facts, () => "shop.example"));
  expect(incidents.map(({ cause, party, verdict }) => [cause, party, verdict])).toEqual([
    ["tls.cert_time", "origin", "decided"],
  ]);
});

test("Certificates of many origins that run out at once are a clock that is wrong", () => {
  const { facts } = playFacts(disturbanceNamed("provider out: refused", 3), 3);
  const incidents = incidentsOf(overTls(facts, (origin) => origin));
  expect(incidents[0]).toMatchObject({ cause: "gw.clock_wrong", party: "gateway", verdict: "decided" });
});

test("The same facts give the same incidents", () => {
  const { facts } = playFacts(disturbanceNamed("provider out: refused", 3), 3);
  expect(JSON.stringify(incidentsOf(facts))).toBe(JSON.stringify(incidentsOf(facts)));
});

/** The facts from `from` on, by a clock that was set back by so much. */
function setBack(facts: readonly Fact[], from: number, byMs: number): Fact[] {
  return facts.map((fact) => (fact.at >= from ? { ...fact, at: fact.at - byMs } : fact));
}

test("A clock that is set back by hours ends what was open in words, and what goes on is seen and closed by the new time", () => {
  const { facts, beganAt } = playFacts(disturbanceNamed("origin crashes", 5), 5);
  const hours = 3 * 3_600_000;
  const engine = createEngine();
  for (const fact of setBack(facts, beganAt + 15_000, hours)) {
    engine.step(fact);
    if (fact.kind === "second") engine.tick(fact.at + 1000);
  }
  const incidents = engine.answer({ ask: "incidents" }).toReversed();
  expect(incidents.map(({ state }) => state)).toEqual(["closed", "closed"]);
  const [after, before] = incidents;
  expect(before?.timeline.at(-1)?.text).toContain("set back by 3 h");
  expect(after?.closedAt).toBeLessThan(beganAt - hours / 2);
  expect(after?.detectedAt).toBeLessThan(beganAt - hours + 30_000);
  expect(after?.firstFailureAt).toBeLessThanOrEqual(after?.detectedAt ?? 0);
  const [health] = engine.answer({ ask: "health" });
  expect(health).toMatchObject({ state: "well" });
  expect(health?.perSecond).toBeGreaterThan(0);
  const now = (facts.at(-1)?.at ?? 0) - hours;
  const question = { service: "shop", by: "all", value: "", resolution: 10, from: now - 60_000, to: now } as const;
  const { series } = engine.answer({ ask: "series", question });
  expect(series[0]?.points.slice(0, 5).every(({ known, p95Ms }) => known === 1 && p95Ms !== null)).toBe(true);
});

test("One late second, or a second teller whose clock is slow, does not turn time back", () => {
  const { facts } = playFacts(disturbanceNamed("origin crashes", 5), 5);
  const slow = facts.flatMap((fact): Fact[] =>
    fact.kind === "second"
      ? [fact, { ...fact, worker: 9, traffic: [], origins: [], failures: [], at: fact.at - 7_200_000 }]
      : [fact],
  );
  expect(incidentsOf(slow).map(({ cause, state }) => [cause, state])).toEqual([["origin.down", "closed"]]);
});

test("A name that fails and is taken out of the configuration is no trouble any more", () => {
  const { facts } = playFacts(disturbanceNamed("origin crashes", 5), 5);
  const [topology, ...rest] = facts;
  if (topology?.kind !== "topology") throw new Error("the first fact is the topology");
  const quiet = rest.filter((fact) => fact.kind === "second").slice(0, 180);
  const { node, worker, revision } = topology;
  const at = quiet[60]?.at ?? 0;
  const event = {
    kind: "resolution",
    at,
    service: "shop",
    origin: "http://gone.example",
    usable: false,
    addresses: [],
    because: "NXDOMAIN",
  };
  const engine = createEngine();
  engine.step(topology);
  for (const [second, fact] of quiet.entries()) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what the engine reads of an event matters here
    if (second === 60) engine.step({ kind: "event", node, worker, revision, at, event } as unknown as Fact);
    if (second === 100) engine.step({ ...topology, at: fact.at });
    engine.step(fact);
    engine.tick(fact.at + 1000);
    if (second === 90) expect(engine.answer({ ask: "incidents", state: "open" })).toHaveLength(1);
  }
  expect(engine.answer({ ask: "incidents" }).map(({ state }) => state)).toEqual(["closed"]);
});

test("A name that does not exist is no fault of the resolver, and what fails elsewhere at that time is another incident", () => {
  const { facts, beganAt } = playFacts(disturbanceNamed("origin crashes", 5), 5);
  const [topology] = facts;
  if (topology?.kind !== "topology") throw new Error("the first fact is the topology");
  const { node, worker, revision } = topology;
  const engine = createEngine();
  for (const fact of facts) {
    if (fact.kind === "second" && fact.at > beganAt + 30_000) break;
    if (fact.kind === "second" && fact.at === beganAt - 3_000)
      engine.step({
        kind: "event",
        node,
        worker,
        revision,
        at: fact.at,
        event: {
          kind: "resolution",
          at: fact.at,
          service: "mail",
          origin: "http://m1.mail-alpha.example:3000",
          because: "dns.nxdomain (ENOTFOUND); no answer is known",
        },
      });
    engine.step(fact);
    if (fact.kind === "second") engine.tick(fact.at + 1000);
  }
  const found = engine.answer({ ask: "incidents" });
  expect(found.map(({ services, cause, verdict }) => ({ services, cause, verdict }))).toEqual([
    { services: ["shop"], cause: "origin.down", verdict: "decided" },
    { services: ["mail"], cause: "dns.zone_broken", verdict: "decided" },
  ]);
  expect(found[1]?.hypotheses[0].claim).toBe("The zone mail-alpha.example has no such name.");
});

test("What is said to be slow cites a figure that says so", () => {
  for (const name of [
    "one origin slow",
    "one route slow",
    "a small service is slow",
    "the application slow everywhere",
  ]) {
    for (const { hypotheses } of incidentsOf(playFacts(disturbanceNamed(name, 3), 3).facts)) {
      const cites = hypotheses.flatMap((one) => one.for.flatMap((evidence) => evidence.cites));
      for (const cite of cites)
        if (cite.kind === "figure" && cite.figure === "latency p95")
          expect(cite.value, name).toBeGreaterThan(cite.usual ?? Infinity);
    }
  }
});

test("A process at its limit that is not there any more is not at its limit for ever", () => {
  const { facts } = playFacts(disturbanceNamed("origin crashes", 5), 5);
  const seconds = facts.filter((fact) => fact.kind === "second").slice(0, 190);
  const engine = createEngine();
  for (const [second, fact] of seconds.entries()) {
    const isFull = second >= 50 && second < 60;
    const own = { ...fact.own, descriptorsMax: 100, descriptorsOpen: 100 };
    engine.step({ ...fact, node: isFull ? "old" : "new", own: isFull ? own : fact.own });
    engine.tick(fact.at + 1000);
  }
  expect(engine.answer({ ask: "incidents" }).map(({ state }) => state)).toEqual(["closed"]);
});

test("Refused connections are no warm-up, however shortly after the start of the gateway", () => {
  for (const name of ["provider out: refused", "origin crashes"]) {
    const { facts } = playFacts({ ...disturbanceNamed(name, 3), warmUpS: 8 }, 3);
    const started: Fact = {
      kind: "change",
      id: "c1",
      at: EPOCH_MS - 2_000,
      what: "gateway started",
      where: {},
      by: "",
      text: "Goodgate started",
    };
    const [incident, ...more] = incidentsOf([started, ...facts]);
    expect(more).toEqual([]);
    expect(incident?.cause).not.toBe("change.restart");
    expect(incident?.hypotheses.map(({ cause }) => cause)).not.toContain("change.restart");
  }
});

test("A configuration that served everybody well for a while is not what breaks everything later", () => {
  const { facts, beganAt } = playFacts(disturbanceNamed("application fails everywhere", 5), 5);
  const appliedAt = (at: number): Incident[] => {
    const change: Fact = {
      kind: "change",
      id: "c1",
      at,
      what: "configuration applied",
      where: { node: "n1", revision: "r2" },
      by: "",
      text: "configuration r2 instead of r1",
    };
    const later = facts.findIndex((fact) => fact.at >= at);
    return incidentsOf([...facts.slice(0, later), change, ...facts.slice(later)]);
  };
  const [longBefore] = appliedAt(beganAt - 30_000);
  expect(longBefore).toMatchObject({ cause: "origin.app_5xx", party: "origin", verdict: "decided" });
  const [justBefore] = appliedAt(beganAt - 500);
  const suspect = justBefore?.hypotheses.find(({ cause }) => cause === "change.config");
  expect(suspect?.for.map(({ text }) => text)).toContain(
    "It was changed for everything, so also where the failures are.",
  );
  expect(JSON.stringify(suspect)).not.toContain("what was not changed works");
});

test("A node whose failures alone say what they are is told as unlike the others, which do well at the same origins", () => {
  const { facts } = playFacts(disturbanceNamed("one node unlike the others", 1), 1);
  const [incident] = incidentsOf(facts);
  expect(incident).toMatchObject({ cause: "gw.drift", verdict: "decided", party: "configuration" });
  expect(incident?.hypotheses.map(({ cause }) => cause)).toContain("tls.client_cert");
});

test("A worker whose clients alone ask for what fails is not unlike the others", () => {
  const { facts } = playFacts(disturbanceNamed("one route fails everywhere", 5), 5);
  const [broken] = incidentsOf(facts);
  const where = broken?.where ?? {};
  const isThere = (row: { readonly service: string; readonly route: string }): boolean =>
    row.service === where["service"] && row.route === where["route"];
  const byTwo = facts.flatMap((fact): Fact[] =>
    fact.kind !== "second"
      ? [fact]
      : [
          {
            ...fact,
            worker: 1,
            traffic: fact.traffic.filter(isThere),
            failures: fact.failures.filter(isThere),
          },
          {
            ...fact,
            worker: 2,
            traffic: fact.traffic.filter((row) => !isThere(row)),
            failures: fact.failures.filter((row) => !isThere(row)),
            origins: fact.origins.map((row) => ({ ...row, attempts: 0, byCause: {}, firstByte: [] })),
            samples: [],
          },
        ],
  );
  const [incident] = incidentsOf(byTwo);
  expect(incident?.cause).toBe(broken?.cause);
  expect(incident?.hypotheses.map(({ cause }) => cause)).not.toContain("gw.drift");
});

test("A short loss of all there is closes within a minute of its end, also when little was seen before", () => {
  const only = disturbanceNamed("the only provider cannot be connected to", 3);
  const refused: ReturnType<typeof disturbanceNamed> = {
    ...only,
    fault: { attempt: () => ({ cause: "origin.refused", ms: 2 }), check: () => false },
    warmUpS: 3,
    lastsS: 20,
  };
  const { facts, beganAt } = playFacts(refused, 3);
  const [incident, ...more] = incidentsOf(facts);
  expect(more).toEqual([]);
  expect(incident).toMatchObject({ state: "closed", cause: "origin.refused", party: "origin", verdict: "decided" });
  expect(incident?.where["pool"]).toBeDefined();
  expect((incident?.closedAt ?? 0) - (beganAt + 20_000)).toBeLessThanOrEqual(60_000);
});

test("No hypothesis says the same twice, and what an undecided one is told from stands by its name", () => {
  for (const name of ["provider out: refused", "the only provider cannot be connected to"]) {
    for (const { hypotheses, title } of incidentsOf(playFacts(disturbanceNamed(name, 3), 3).facts)) {
      expect(title).not.toMatch(/^(pool|provider|origin|route) /);
      for (const one of hypotheses) {
        const said = [...one.for, ...one.against].map(({ text }) => text);
        expect(new Set(said).size).toBe(said.length);
      }
    }
  }
});

test("What was split by services and merged again adds up, and what is over is not split", () => {
  const { facts, beganAt } = playFacts(disturbanceNamed("resolver down", 3), 3);
  const engine = createEngine();
  const act = (at: number, incident: string, what: PersonFact["act"]): PersonFact => ({
    kind: "person",
    at,
    by: "ada",
    incident,
    act: what,
  });
  let split: readonly string[] = [];
  for (const fact of facts) {
    engine.step(fact);
    if (fact.kind !== "second") continue;
    engine.tick(fact.at + 1000);
    const [open] = engine.answer({ ask: "incidents", state: "open" });
    if (split.length > 0 || open === undefined || open.services.length < 2 || fact.at < beganAt + 15_000) continue;
    const service = open.services.find((one) => one !== open.where["service"]) ?? "";
    engine.step(act(fact.at, open.id, { do: "split", where: { service } }));
    const both = engine.answer({ ask: "incidents", state: "open" });
    split = [open.id, ...both.map(({ id }) => id).filter((id) => id !== open.id)];
  }
  const [parent = "", child = ""] = split;
  expect(child).not.toBe("");
  const end = (facts.at(-1)?.at ?? 0) + 1000;
  const before = [parent, child].map((id) => (engine.answer({ ask: "incident", id }) as Incident).impact);
  engine.step(act(end, child, { do: "merge", into: parent }));
  const merged = engine.answer({ ask: "incident", id: parent }) as Incident;
  expect(merged.services.length).toBeGreaterThan(1);
  expect(merged.impact.failed).toBe(before.reduce((sum, { failed }) => sum + failed, 0));
  expect(before[1]?.failed).toBeGreaterThan(0);
  expect(Object.values(merged.impact.failedByClass).reduce((a, b) => a + b, 0)).toBe(merged.impact.failed);
  engine.step(act(end, parent, { do: "close", text: "repaired" }));
  const again = act(end, parent, { do: "split", where: { service: merged.services[0] ?? "" } });
  expect(engine.answer({ ask: "act", fact: again })).toEqual({ refused: `${parent} is closed already` });
});

test("What is undecided says where all that fails is, also when nothing was tried elsewhere", () => {
  const out = disturbanceNamed("provider out: refused", 3);
  const [shop, ...others] = out.setup.services;
  expect(others).not.toEqual([]);
  const broken: typeof out = {
    ...out,
    setup: { ...out.setup, services: shop === undefined ? [] : [shop] },
    fault: {
      attempt: ({ at, chance }) =>
        at.provider === "alpha" && chance.next() < 0.1 ? { cause: "origin.app_5xx", ms: 20 } : null,
      check: () => true,
    },
    lastsS: 12,
  };
  const [incident, ...more] = incidentsOf(playFacts(broken, 3).facts);
  expect(more).toEqual([]);
  expect(incident).toMatchObject({
    verdict: "undecided",
    where: { service: shop?.name, pool: shop?.addresses[0]?.pool },
  });
});
