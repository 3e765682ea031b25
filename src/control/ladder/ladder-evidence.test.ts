/**
 * What traffic alone leaves undecided, and the ladder decides: facts of the corpus up to the incident, the engine's own
 * wish, a climb through a network that is written down here, and what the engine makes of it.
 */
import { expect, it } from "vitest";
import { disturbanceNamed } from "../../../sim/corpus/disturbances.ts";
import { playFacts } from "../../../sim/corpus/score.ts";
import { sampleSecond } from "../../../test/support/sample-facts.ts";
import { loadSettings } from "../../config/load.ts";
import type { Settings } from "../../config/settings.ts";
import type { Fact, ProbeFact, ProbeRung } from "../../contract/facts.ts";
import type { Incident } from "../../contract/incident.ts";
import type { Endpoint, Rungs, Seen } from "../../contract/rungs.ts";
import { createEngine } from "../engine.ts";
import type { Wish } from "../engine-port.ts";
import { createLadder } from "./ladder-companion.ts";

const A1 = "http://a1.shop-alpha.example:3000";

/** The same machine carries another service. */
const SETTINGS = settingsOf({
  listeners: [{ bind: "127.0.0.1:0" }],
  admin: { bind: "127.0.0.1:0" },
  services: {
    shop: { pools: [{ name: "a", origins: [A1] }] },
    mail: { hosts: ["mail.example"], pools: [{ name: "a", origins: ["http://a1.shop-alpha.example:4000"] }] },
  },
});

function settingsOf(file: unknown): Settings {
  const loaded = loadSettings(JSON.stringify(file), "goodgate.yaml");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings;
}

/** Every name leads to one address, and nothing is said by HTTP: what counts is which ports let themselves be connected to. */
function network(open: (to: Endpoint) => boolean): Rungs {
  const yes: Seen = { ok: true, ms: 1, text: "connected", failure: "" };
  const no: Seen = { ok: false, ms: 2_500, text: "no answer to SYN within 2500 ms", failure: "silent" };
  return {
    resolversFor: () => ["192.0.2.53"],
    resolve: () => Promise.resolve({ ...yes, text: "192.0.2.1", addresses: [{ ip: "192.0.2.1", family: 4 }] }),
    connect: (to) => Promise.resolve(open(to) ? yes : no),
    handshake: () => Promise.resolve(no),
    request: () => Promise.resolve({ ...no, status: 0, bodyBytes: 0, date: "" }),
  };
}

interface Disturbed {
  readonly before: Incident;
  readonly wish: Wish | null;
  readonly now: number;
  /** The same incident, ten seconds after this was found out. */
  after(probe: ProbeFact): Incident;
}

/** A minute into it. */
function disturbed(name: string): Disturbed {
  const engine = createEngine({ keepsFigures: false });
  const { facts, beganAt } = playFacts(disturbanceNamed(name, 5), 5);
  let wish: Wish | null = null;
  let now = 0;
  for (const fact of facts) {
    if (fact.kind === "second" && fact.at > beganAt + 60_000) break;
    now = fact.at;
    for (const output of [...engine.step(fact), ...engine.tick(fact.at)]) if (output.kind === "wish") wish = output;
  }
  const [before] = engine.answer({ ask: "incidents", state: "open" });
  if (before === undefined) throw new Error("no incident");
  function after(probe: ProbeFact): Incident {
    engine.step(probe);
    for (const fact of facts) if (fact.at > now && fact.at < now + 10_000) engine.step(fact);
    engine.tick(now + 10_000);
    const incident = engine.answer({ ask: "incident", id: before?.id ?? "" });
    if (incident === null) throw new Error("the incident is gone");
    return incident;
  }
  return { before, wish, now, after };
}

/** The incident before the climb that the engine wished for, and after it. */
async function climbed(name: string, rungs: Rungs): Promise<{ before: Incident; after: Incident; probe: ProbeFact }> {
  const { before, wish, now, after } = disturbed(name);
  if (wish === null) throw new Error("no wish");
  const wished = wish;
  const probe = await new Promise<ProbeFact>((resolve) => {
    const hands = {
      fact: (fact: Fact) => fact.kind === "probe" && resolve(fact),
      news: () => undefined,
      keep: () => undefined,
      kept: () => [],
    };
    const clock = { monotonic: () => now, wall: () => now };
    const ladder = createLadder(hands, {
      settings: () => SETTINGS,
      rungs,
      clock,
      onFault(error) {
        throw error;
      },
    });
    ladder.hear?.(sampleSecond(now), [wished], false);
  });
  return { before, after: after(probe), probe };
}

it("A machine that is silent at every port is gone, which traffic alone does not show", async () => {
  const { before, after, probe } = await climbed(
    "machine gone or filtered",
    network(() => false),
  );
  expect(before).toMatchObject({ verdict: "undecided", cause: null });
  expect(probe).toMatchObject({ service: "shop", origin: A1 });
  expect(after).toMatchObject({ verdict: "decided", cause: "origin.host_dead" });
  const cited = after.hypotheses[0].for.flatMap(({ cites }) => cites).filter(({ kind }) => kind === "probe");
  expect(cited).toMatchObject([{ kind: "probe", id: probe.id, rung: "other port", result: "breaks" }]);
  expect(after.timeline.map(({ text }) => text)).toContain(probe.located);
});

it("A machine that answers at another port is not gone, and what is left stays undecided", async () => {
  const { after } = await climbed(
    "machine gone or filtered",
    network(({ port }) => port === 4000),
  );
  expect(after.verdict).toBe("undecided");
  expect(after.hypotheses.slice(0, 2).map(({ cause }) => cause)).toEqual(["net.filtered", "origin.backlog_full"]);
});

it("An origin elsewhere that answers from here speaks against this machine, and one that is silent speaks for that", () => {
  const name = "the only provider cannot be connected to";
  const found = (result: ProbeRung["result"]): Incident => {
    const { before, now, after } = disturbed(name);
    const rung = { rung: "control: other origin", at: "http://b1.mail.example", result, ms: 1, text: "" };
    const [service = ""] = before.services;
    const where = { service, pool: "a", origin: A1 };
    return after({ kind: "probe", at: now, id: "probe-1", ...where, rungs: [rung], located: "" });
  };
  const localDrop = ({ hypotheses }: Incident): number =>
    hypotheses.find(({ cause }) => cause === "net.local_drop")?.confidence ?? 0;
  const unknown = found("unknown");
  expect(unknown.verdict).toBe("undecided");
  expect(localDrop(unknown)).toBeGreaterThan(0.2);
  expect(localDrop(found("holds"))).toBeLessThan(0.05);
  expect(found("breaks")).toMatchObject({ verdict: "decided", cause: "net.local_drop" });
});

it("Where only large packets are lost the ladder shows it, and an origin that stands still is not blamed for it", () => {
  const name = "origin accepts and never answers";
  const found = (large: ProbeRung["result"], asked: ProbeRung["result"]): Incident => {
    const { now, after } = disturbed(name);
    const rung = (what: string, result: ProbeRung["result"]): ProbeRung => ({
      rung: what,
      at: "192.0.2.1:3000",
      result,
      ms: 3,
      text: "",
    });
    const rungs = [rung("request", asked), rung("large request", large), rung("large response", large)];
    return after({
      kind: "probe",
      at: now,
      id: "probe-1",
      service: "shop",
      pool: "alpha",
      origin: A1,
      rungs,
      located: "",
    });
  };
  const lost = found("breaks", "holds");
  expect(lost).toMatchObject({ verdict: "decided", cause: "net.mtu_blackhole", party: "network" });
  const cited = lost.hypotheses[0].for.flatMap(({ cites }) => cites).filter(({ kind }) => kind === "probe");
  expect(cited).toMatchObject([
    { rung: "large request", result: "breaks" },
    { rung: "large response", result: "breaks" },
  ]);
  const other = found("holds", "breaks");
  expect(other.party).toBe("origin");
  expect(other.hypotheses.map(({ cause }) => cause)).not.toContain("net.mtu_blackhole");
});

it("Of a provider that is out two origins are climbed at, with another provider beside them, and what they show counts", async () => {
  const engine = createEngine({ keepsFigures: false });
  const { facts, beganAt } = playFacts(disturbanceNamed("provider out: silence", 5), 5);
  const wishes = new Map<string, Wish>();
  const ladder: Fact[] = [];
  for (const fact of facts) {
    if (fact.kind === "second" && fact.at > beganAt + 30_000) break;
    ladder.push(fact);
    for (const output of [...engine.step(fact), ...engine.tick(fact.at)])
      if (output.kind === "wish") wishes.set(output.origin, output);
  }
  const [incident] = engine.answer({ ask: "incidents", state: "open" });
  expect(incident).toMatchObject({ cause: "provider.outage", where: { provider: "alpha" } });
  expect(incident?.where["origin"]).toBeUndefined();
  const topology = facts.find((fact) => fact.kind === "topology");
  const shop = topology?.services.find(({ name }) => name === "shop");
  const [first = "", second = ""] = shop?.pools.find(({ provider }) => provider === "alpha")?.origins ?? [];
  expect([...wishes.keys()].slice(-2)).toEqual([first, second]);

  const pools = shop?.pools.map(({ name, provider, origins }) => ({ name, provider, origins })) ?? [];
  const settings = settingsOf({
    listeners: [{ bind: "127.0.0.1:0" }],
    admin: { bind: "127.0.0.1:9" },
    services: { shop: { pools } },
  });
  const probes: ProbeFact[] = [];
  const told = Promise.withResolvers<void>();
  const hands = {
    fact(fact: Fact) {
      if (fact.kind === "probe" && probes.push(fact) === 2) told.resolve();
    },
    news: () => undefined,
    keep: () => undefined,
    kept: () => [],
  };
  const alpha = new Set(
    [...(pools.find(({ provider }) => provider === "alpha")?.origins ?? [])].map((url) => new URL(url).hostname),
  );
  const asked: string[] = [];
  const link = network(() => true);
  const rungs: Rungs = {
    ...link,
    // A host has an address of its own, so that connections can be told apart.
    resolve(_resolver, name) {
      asked.push(name);
      return link.resolve(alpha.has(name) ? "alpha" : "beta", name, 0).then((seen) => ({
        ...seen,
        addresses: [{ ip: alpha.has(name) ? "192.0.2.1" : "192.0.2.2", family: 4 }],
      }));
    },
    connect: (to, way, ms) => network(({ ip }) => ip !== "192.0.2.1").connect(to, way, ms),
  };
  const clock = { monotonic: () => 0, wall: () => beganAt + 30_000 };
  const companion = createLadder(hands, {
    settings: () => settings,
    rungs,
    clock,
    onFault(error) {
      throw error;
    },
  });
  for (const fact of ladder) companion.hear?.(fact, [], false);
  companion.hear?.(sampleSecond(beganAt + 30_000), [...wishes.values()].slice(-2), false);
  await told.promise;
  for (const probe of probes) {
    const results = new Map(probe.rungs.map(({ rung, result }) => [rung, result]));
    expect(results.get("connect")).toBe("breaks");
    expect(results.get("control: other origin")).toBe("holds");
    expect(results.get("control: same provider")).toBe("breaks");
    expect(results.has("control: gateway itself")).toBe(true);
    engine.step(probe);
  }
  engine.tick(beganAt + 31_000);
  const after = engine.answer({ ask: "incident", id: incident?.id ?? "" });
  const cited = after?.hypotheses.find(({ cause }) => cause === "provider.outage")?.for.flatMap(({ cites }) => cites);
  expect(cited?.filter(({ kind }) => kind === "probe")).toMatchObject([{ rung: "connect", result: "breaks" }]);
});
