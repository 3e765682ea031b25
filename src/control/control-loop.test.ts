import { describe, expect, it } from "vitest";
import type { ControlMemory, ControlStore, ControlWriting } from "../contract/control-store.ts";
import type { FactBatch, FromControl } from "../contract/control-messages.ts";
import type { Fact, PersonFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import { sampleEvent, sampleSecond, sampleTopology } from "../../test/support/sample-facts.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import { createIdleEngine } from "../../test/support/idle-engine.ts";
import { createControlLoop } from "./control-loop.ts";
import type { Companion, ControlLoop, LoopHands } from "./control-loop.ts";
import type { Engine, Output } from "./engine-port.ts";
import { changesBetween } from "./topology-changes.ts";

/** An engine that opens an incident at each event, and remembers what it was told. */
function eventEngine(told: Fact[], recall: Engine["recall"]): Engine {
  let opened = 0;
  return {
    ...createIdleEngine(),
    recall,
    step(fact): readonly Output[] {
      told.push(fact);
      if (fact.kind !== "event") return [];
      if (fact.event.kind === "gateway" && fact.event.code === "poison") throw new Error("a defect");
      opened += 1;
      return [{ kind: "incident", incident: sampleIncident({ id: `inc-${opened}`, state: "open" }) }];
    },
    // Something ends at that moment.
    tick: (now) =>
      now === ENDS_AT ? [{ kind: "incident", incident: sampleIncident({ id: "inc-end", state: "closed" }) }] : [],
    save: () => ({ opened }),
    restore(saved) {
      const { opened: before } = saved as { opened: unknown };
      if (typeof before !== "number") throw new Error("of another kind");
      opened = before;
    },
  };
}

const ENDS_AT = 42_000;

class MemoryStore implements ControlStore {
  readonly written: ControlWriting[] = [];
  memory: ControlMemory = { saved: null, savedAt: 0, rows: [], batches: [], session: "", number: 0 };
  closed: Incident[] = [];
  isClosed = false;
  isSaveUrgent = false;
  write(writing: ControlWriting): void {
    this.written.push(writing);
  }
  read(): ControlMemory {
    return this.memory;
  }
  closedIncidents(): readonly Incident[] {
    return this.closed;
  }
  incident(id: string): Incident | null {
    return this.closed.find((one) => one.id === id) ?? null;
  }
  incidentsSince(): readonly Incident[] {
    return this.closed.filter(({ state }) => state !== "closed");
  }
  documents(kind: string): ReturnType<ControlStore["documents"]> {
    return this.written.flatMap(({ documents }) => documents.filter((document) => document.kind === kind));
  }
  state(): ReturnType<ControlStore["state"]> {
    return { failing: "", bytes: 0, bytesMax: 0, isSaveUrgent: this.isSaveUrgent };
  }
  close(): void {
    this.isClosed = true;
  }
}

interface Scene {
  readonly loop: ControlLoop;
  readonly told: Fact[];
  readonly sent: FromControl[];
  readonly faults: unknown[];
  readonly hands: LoopHands;
  take(number: number, ...facts: Fact[]): void;
}

function scene(
  store: ControlStore | null = null,
  companion: Companion = {},
  recall: Engine["recall"] = () => undefined,
): Scene {
  const told: Fact[] = [];
  const sent: FromControl[] = [];
  const faults: unknown[] = [];
  const given: LoopHands[] = [];
  const loop = createControlLoop({
    createEngine: () => eventEngine(told, recall),
    store,
    companions(hands) {
      given.push(hands);
      return [companion];
    },
    send: (message) => sent.push(message),
    onFault: (error) => faults.push(error),
  });
  const [hands] = given;
  if (hands === undefined) throw new Error("nobody was given hands");
  return {
    loop,
    told,
    sent,
    faults,
    hands,
    take: (number, ...facts) => loop.receive({ kind: "facts", batch: { session: "life-1", number, facts } }),
  };
}

function poison(at: number): Fact {
  return { ...sampleEvent(at), event: { kind: "gateway", at, code: "poison", detail: "" } };
}

describe("facts", () => {
  it("are acknowledged after they were thought about and written, and what follows is told", () => {
    const store = new MemoryStore();
    const { take, sent } = scene(store);
    take(1, sampleEvent(500), sampleSecond(0));
    expect(sent.map(({ kind }) => kind)).toEqual(["news", "took"]);
    expect(sent[0]).toMatchObject({ news: { kind: "incident", incident: { id: "inc-1" } } });
    expect(store.written).toMatchObject([
      { batch: { session: "life-1", number: 1 }, incidents: [{ id: "inc-1" }], at: 1_000 },
    ]);
    expect(store.written[0]?.batch?.facts).toHaveLength(2);
  });

  it("that were told before are acknowledged and not thought about again", () => {
    const { take, told, sent } = scene();
    take(1, sampleSecond(0));
    take(2, sampleSecond(1_000));
    take(1, sampleSecond(0));
    expect(told).toHaveLength(2);
    expect(sent.at(-1)).toEqual({ kind: "took", number: 1 });
  });

  it("are heard once by those beside the loop, with what they and their end led to", () => {
    const heard: [string, number][] = [];
    const { take } = scene(null, { hear: (fact, outputs) => void heard.push([fact.kind, outputs.length]) });
    take(1, sampleEvent(500), sampleSecond(ENDS_AT - 2_000), sampleSecond(ENDS_AT - 1_000));
    expect(heard).toEqual([
      ["event", 1],
      ["second", 0],
      ["second", 1],
    ]);
  });

  it("of another life of the gateway begin with one again", () => {
    const { loop, take, told } = scene();
    take(7, sampleSecond(0));
    loop.receive({ kind: "facts", batch: { session: "life-2", number: 1, facts: [sampleSecond(9_000)] } });
    expect(told).toHaveLength(2);
  });

  it("that the engine fails at cost themselves and nothing else", () => {
    const store = new MemoryStore();
    const { take, sent, faults } = scene(store);
    take(1, poison(100), sampleEvent(500), sampleSecond(0));
    expect(faults).toHaveLength(1);
    expect(sent.at(-1)).toEqual({ kind: "took", number: 1 });
    expect(store.written[0]?.incidents.map(({ id }) => id)).toEqual(["inc-1"]);
  });

  it("that were found out here are heard at once and written with the next second", () => {
    const store = new MemoryStore();
    const { hands, take, told } = scene(store);
    const change: Fact = { kind: "change", at: 5, id: "c", what: "action", where: {}, text: "", by: "" };
    hands.fact(change);
    expect(told).toEqual([change]);
    take(1, sampleSecond(0));
    expect(store.written[0]?.batch?.facts.map(({ kind }) => kind)).toEqual(["change", "second"]);
  });
});

describe("a restart", () => {
  it("takes up what was saved and what was told since, and says nothing of it twice", () => {
    const store = new MemoryStore();
    const batch = (number: number): FactBatch => ({ session: "life-1", number, facts: [sampleEvent(number)] });
    store.memory = {
      saved: { opened: 5 },
      savedAt: 1,
      rows: [],
      batches: [batch(8), batch(9)],
      session: "life-1",
      number: 9,
    };
    const heard: boolean[] = [];
    const { loop, take, sent, told } = scene(store, { hear: (_fact, _outputs, isReplay) => heard.push(isReplay) });
    loop.restore(true);
    expect(sent).toEqual([]);
    expect(heard).toEqual([true, true]);
    take(9, sampleSecond(0));
    expect(told).toHaveLength(2);
    take(10, sampleEvent(1), sampleSecond(1_000));
    expect(sent.find(({ kind }) => kind === "news")).toMatchObject({ news: { incident: { id: "inc-8" } } });
    expect(store.written.flatMap(({ incidents }) => incidents.map(({ id }) => id))).toEqual(["inc-8"]);
  });

  it("gives the engine the incidents that its facts led to, and ends in words what it does not find again", () => {
    const store = new MemoryStore();
    const batches = [{ session: "life-1", number: 8, facts: [sampleEvent(8)] }];
    store.memory = { saved: { opened: 5 }, savedAt: 1, rows: [], batches, session: "life-1", number: 8 };
    store.closed = [sampleIncident({ id: "inc-of-before", state: "open", closedAt: null })];
    const recalled: string[][] = [];
    const { loop, take, hands } = scene(store, {}, (known) => recalled.push(known.map(({ id }) => id)));
    loop.restore(true);
    expect(recalled).toEqual([["inc-of-before"], []]);
    expect(hands.incident("inc-of-before")).toMatchObject({ state: "closed" });
    take(9, sampleSecond(0));
    const [ended] = store.written.flatMap(({ incidents }) => incidents.filter(({ id }) => id === "inc-of-before"));
    expect(ended?.timeline.at(-1)).toMatchObject({
      kind: "closed",
      text: expect.stringContaining("not seen any more") as string,
    });
  });

  it("counts from when it was saved, not from its start", () => {
    const store = new MemoryStore();
    const savedAt = 1_790_000_000_000;
    store.memory = { saved: { opened: 5 }, savedAt, rows: [], batches: [], session: "life-1", number: 9 };
    const { loop, take } = scene(store);
    loop.restore(true);
    take(10, sampleSecond(savedAt + 61_000));
    expect(store.written.at(-1)?.saved).toEqual({ opened: 5 });
  });

  it("with something that cannot be read back begins anew and says so", () => {
    const store = new MemoryStore();
    store.memory = { saved: { opened: "five" }, savedAt: 1, rows: [], batches: [], session: "", number: 0 };
    const { loop, take, sent, faults } = scene(store);
    loop.restore(true);
    expect(faults).toHaveLength(1);
    expect(sent).toMatchObject([{ kind: "told", code: "control.not-restored" }]);
    take(1, sampleEvent(1), sampleSecond(0));
    expect(sent.at(-2)).toMatchObject({ news: { incident: { id: "inc-1" } } });
  });

  it("that is told to forget does, and still knows which facts it had", () => {
    const store = new MemoryStore();
    const batches = [{ session: "life-1", number: 4, facts: [poison(1)] }];
    store.memory = { saved: { opened: 5 }, savedAt: 1, rows: [], batches, session: "life-1", number: 4 };
    const { loop, take, sent, told, faults } = scene(store);
    loop.restore(false);
    expect(sent).toMatchObject([{ kind: "told", code: "control.fresh" }]);
    take(4, poison(1));
    expect(told).toEqual([]);
    expect(faults).toEqual([]);
  });

  it("notices that the gateway serves by another configuration than before", () => {
    const store = new MemoryStore();
    const first = scene(store);
    first.take(1, sampleTopology(), sampleSecond(0));
    const second = scene(store);
    second.loop.restore(true);
    second.take(0, sampleTopology({ at: 9_000, revision: "fedcba987654" }));
    expect(second.told).toMatchObject([{ kind: "change", what: "configuration applied" }, { kind: "topology" }]);
    second.take(0, sampleTopology({ at: 10_000, revision: "fedcba987654" }));
    expect(second.told).toHaveLength(3);
  });

  it("saves nothing while an incident is open, as long as its facts are soon gone through", () => {
    const store = new MemoryStore();
    const open: Incident[] = [sampleIncident({ id: "inc-1", state: "open" })];
    const loop = createControlLoop({
      createEngine: () => ({
        ...createIdleEngine(),
        answer: (question) => (question.ask === "incidents" ? open : null) as never,
        save: () => ({}),
      }),
      store,
      companions: () => [],
      send: () => undefined,
      onFault: (error) => {
        throw error;
      },
    });
    const second = (number: number): void => {
      const facts = [sampleSecond(1_790_000_000_000 + number * 1_000)];
      loop.receive({ kind: "facts", batch: { session: "life-1", number, facts } });
    };
    const saves = (): number[] =>
      store.written.flatMap(({ saved, batch }) => (saved === null ? [] : [batch?.number ?? 0]));
    for (let number = 1; number <= 100; number += 1) second(number);
    expect(saves()).toEqual([]);
    store.isSaveUrgent = true;
    second(101);
    expect(saves()).toEqual([101]);
    store.isSaveUrgent = false;
    for (let number = 102; number <= 2_000; number += 1) second(number);
    expect(saves()).toEqual([101, 1_901]);
    open.pop();
    for (let number = 2_001; number <= 2_100; number += 1) second(number);
    expect(saves()).toEqual([101, 1_901, 2_001, 2_061]);
  });

  it("saves once a minute of the facts' time, and at the end", async () => {
    const store = new MemoryStore();
    const { loop, take } = scene(store);
    for (let second = 0; second < 130; second += 1) take(second + 1, sampleSecond(1_790_000_000_000 + second * 1_000));
    expect(store.written.filter(({ saved }) => saved !== null).map(({ batch }) => batch?.number)).toEqual([61, 121]);
    await loop.close();
    expect(store.written.at(-1)).toMatchObject({ saved: { opened: 0 }, batch: null });
    expect(store.isClosed).toBe(true);
  });
});

describe("questions", () => {
  const ask = ({ loop, sent }: Scene, question: Parameters<ControlLoop["receive"]>[0] & { kind: "ask" }): unknown => {
    loop.receive(question);
    const answer = sent.findLast((message) => message.kind === "answer");
    return answer?.kind === "answer" ? answer.answer : undefined;
  };

  it("about incidents of long ago are answered by the store", () => {
    const store = new MemoryStore();
    store.closed = [sampleIncident({ id: "inc-old", state: "closed" })];
    const one = scene(store);
    expect(ask(one, { kind: "ask", number: 1, question: { ask: "incidents" } })).toMatchObject([{ id: "inc-old" }]);
    expect(ask(one, { kind: "ask", number: 2, question: { ask: "incidents", state: "open" } })).toEqual([]);
    expect(ask(one, { kind: "ask", number: 3, question: { ask: "incident", id: "inc-old" } })).toMatchObject({
      id: "inc-old",
    });
    expect(ask(one, { kind: "ask", number: 4, question: { ask: "incident", id: "inc-none" } })).toBe(null);
  });

  it("that a companion answers are not put to the engine", () => {
    const one = scene(null, {
      answer(question, done) {
        if (question.ask !== "forecasts") return undefined;
        done([]);
        return true;
      },
    });
    expect(ask(one, { kind: "ask", number: 1, question: { ask: "forecasts" } })).toEqual([]);
    expect(ask(one, { kind: "ask", number: 2, question: { ask: "unsilence", id: "x", by: "ann" } })).toMatchObject({
      refused: expect.any(String),
    });
  });

  it("that cannot be answered for a fault of ours say so", () => {
    const one = scene(null, {
      answer() {
        throw new Error("a defect");
      },
    });
    expect(ask(one, { kind: "ask", number: 1, question: { ask: "health" } })).toMatchObject({ unanswered: "failed" });
    expect(one.faults).toHaveLength(1);
  });

  it("what a person cannot do is refused and not told as a fact", () => {
    const fact: PersonFact = { kind: "person", at: 1, by: "ann", incident: "inc-none", act: { do: "acknowledge" } };
    const one = scene();
    expect(ask(one, { kind: "ask", number: 1, question: { ask: "act", fact } })).toMatchObject({
      refused: expect.stringContaining("no such incident"),
    });
    expect(one.told).toEqual([]);
  });

  it("figures are told each second while somebody looks, and not otherwise", () => {
    const { loop, take, sent } = scene();
    const pulses = (): number => sent.filter((one) => one.kind === "news" && one.news.kind === "pulse").length;
    take(1, sampleSecond(0));
    expect(pulses()).toBe(0);
    loop.receive({ kind: "watched", on: true });
    take(2, sampleSecond(1_000));
    loop.receive({ kind: "watched", on: false });
    take(3, sampleSecond(2_000));
    expect(pulses()).toBe(1);
  });
});

describe("what is kept for others", () => {
  it("is there for whoever asks before and after it was written", () => {
    const store = new MemoryStore();
    const { hands, take } = scene(store);
    const silence = { kind: "silence", id: "s1", at: 1, until: 2, body: { by: "ann" } };
    hands.keep(silence);
    expect(hands.kept("silence")).toEqual([silence]);
    take(1, sampleSecond(0));
    expect(hands.kept("silence")).toEqual([silence]);
    hands.keep({ ...silence, body: null });
    expect(hands.kept("silence")).toEqual([]);
  });
});

describe("two topologies", () => {
  it("that are alike are no change", () => {
    expect(changesBetween(sampleTopology(), sampleTopology({ at: 5 }))).toEqual([]);
  });

  it("tell which origins came and left, and where", () => {
    const [service] = sampleTopology().services;
    if (service === undefined) throw new Error("a topology without services");
    const pools = [{ name: "aws", provider: "aws", origins: ["http://a1", "http://a3"] }];
    const after = sampleTopology({ at: 5, services: [{ ...service, pools }] });
    expect(changesBetween(sampleTopology(), after)).toMatchObject([
      {
        what: "origins changed",
        where: { service: "shop", pool: "aws" },
        text: "pool aws of shop: http://a3 came; http://a2 left",
      },
    ]);
  });
});
