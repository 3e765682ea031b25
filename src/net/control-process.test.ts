import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FromControl, ToControl } from "../contract/control-messages.ts";
import type { News } from "../contract/control-port.ts";
import { sampleEvent, sampleSecond, sampleTopology } from "../../test/support/sample-facts.ts";
import { sampleRecord } from "../../test/support/sample-record.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import { checkValue } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { startControlProcess } from "./control-process.ts";
import type { ChannelListener, ControlProcess } from "./control-process.ts";
import { FactHandOver, UNDER_WAY_MAX, WAITING_MAX } from "./fact-hand-over.ts";

/** A life of the process, played by hand. */
interface Life {
  readonly sent: ToControl[];
  killed: number;
  says(message: FromControl): void;
  ends(why?: string): void;
  /** Acknowledges all that it was sent. */
  takes(): void;
}

interface Scene {
  readonly time: ManualSchedule;
  readonly control: ControlProcess;
  readonly lives: Life[];
  readonly told: string[];
  last(): Life;
  /** So many seconds of facts and of time; the last life takes them when `taking`. */
  seconds(count: number, taking?: boolean): void;
}

function settings(): Settings {
  const checked = checkValue({ services: { app: { pools: [{ origins: ["http://10.0.0.1"] }] } } });
  if (checked.settings === null) throw new Error("not a configuration");
  return checked.settings;
}

function scene(): Scene {
  const time = manualSchedule();
  const lives: Life[] = [];
  const told: string[] = [];
  const control = startControlProcess({
    start(listener: ChannelListener) {
      const sent: ToControl[] = [];
      const life: Life = {
        sent,
        killed: 0,
        says: (message) => listener.onMessage(message),
        ends: (why = "exit code 1") => listener.onEnd(why),
        takes() {
          for (const message of sent.splice(0))
            if (message.kind === "facts") listener.onMessage({ kind: "took", number: message.batch.number });
        },
      };
      lives.push(life);
      return {
        send: (message) => sent.push(message),
        residentBytes: () => 1_000,
        kill() {
          life.killed += 1;
        },
      };
    },
    setup: { version: "0.0.0", node: "edge-1", stateDirectory: null, settings: settings() },
    session: "life-1",
    clock: time.clock,
    schedule: time.schedule,
    chance: () => 0.5,
    tell: (code) => told.push(code),
  });
  const last = (): Life => {
    const life = lives.at(-1);
    if (life === undefined) throw new Error("never started");
    return life;
  };
  return {
    time,
    control,
    lives,
    told,
    last,
    seconds(count, taking = true) {
      for (let at = 0; at < count; at += 1) {
        time.advance(1_000);
        control.tellFact(sampleSecond(time.clock.wall()));
        if (taking) last().takes();
      }
    },
  };
}

function batches(life: Life): number[] {
  return life.sent.flatMap((message) => (message.kind === "facts" ? [message.batch.number] : []));
}

describe("a control process that works", () => {
  it("is told how to begin, then what there is, then each second", () => {
    const { control, last, seconds, told } = scene();
    control.tellFact(sampleTopology());
    expect(last().sent.map(({ kind }) => kind)).toEqual(["begin"]);
    expect(control.state()).toMatchObject({ state: "starting", heardAt: null });
    last().says({ kind: "ready" });
    expect(control.state()).toMatchObject({ state: "running", factsLost: 0, restarts: 0 });
    expect(last().sent.at(-1)).toMatchObject({ kind: "facts", batch: { number: 0, facts: [{ kind: "topology" }] } });
    seconds(1, false);
    expect(last().sent.at(-1)).toMatchObject({
      batch: { number: 1, facts: [{ kind: "topology" }, { kind: "second" }] },
    });
    // That it came up is nothing to be told of.
    expect(told).toEqual([]);
  });

  it("answers, tells, and its figures are asked for only while somebody looks", () => {
    const { control, last, told } = scene();
    last().says({ kind: "ready" });
    const heard: News[] = [];
    const stop = control.subscribe((news) => heard.push(news));
    const stopToo = control.subscribe(() => undefined);
    expect(last().sent.at(-1)).toEqual({ kind: "watched", on: true });
    last().says({ kind: "news", news: { kind: "pulse", at: 1, services: [] } });
    last().says({ kind: "told", code: "control.store-failing", detail: "no room" });
    stop();
    stopToo();
    expect(last().sent.at(-1)).toEqual({ kind: "watched", on: false });
    expect(heard).toEqual([{ kind: "pulse", at: 1, services: [] }]);
    expect(told).toEqual(["control.store-failing"]);
    const answers: unknown[] = [];
    control.ask({ ask: "forecasts" }, (answer) => answers.push(answer));
    last().says({ kind: "answer", number: 1, answer: [] });
    last().says({ kind: "answer", number: 1, answer: [] });
    expect(answers).toEqual([[]]);
  });

  it("is given what a collector is to be told while it keeps up; the rest is counted and waits nowhere", () => {
    const { control, last, seconds, lives } = scene();
    control.tellTraces([sampleRecord()], 0);
    last().says({ kind: "ready" });
    control.tellTraces([sampleRecord(), sampleRecord()], 5);
    expect(last().sent.at(-1)).toMatchObject({
      kind: "traces",
      leftOut: { bound: 5, process: 1 },
      records: [{}, {}],
    });
    expect(control.state().tracesLeftOut).toBe(1 + 5);
    seconds(UNDER_WAY_MAX, false);
    const before = last().sent.length;
    control.tellTraces([sampleRecord()], 0);
    expect(last().sent.length).toBe(before);
    expect(control.state().tracesLeftOut).toBe(7);
    last().takes();
    control.tellTraces([sampleRecord()], 0);
    // Told once: who is told next need not be.
    expect(last().sent.at(-1)).toMatchObject({ kind: "traces", leftOut: { bound: 0, process: 1 } });
    control.tellTraces([sampleRecord()], 0);
    expect(last().sent.at(-1)).toMatchObject({ kind: "traces", leftOut: { bound: 0, process: 0 } });
    last().ends("SIGKILL");
    control.tellTraces([sampleRecord()], 0);
    expect(control.state().tracesLeftOut).toBe(8);
    expect(lives).toHaveLength(1);
  });

  it("a question is given up after a while, and at most so many wait", () => {
    const { control, last, time } = scene();
    last().says({ kind: "ready" });
    const answers: unknown[] = [];
    for (let at = 0; at < 70; at += 1) control.ask({ ask: "health" }, (answer) => answers.push(answer));
    expect(answers).toHaveLength(6);
    expect(answers[0]).toMatchObject({ unanswered: "failed" });
    time.advance(2_000);
    expect(answers).toHaveLength(70);
    expect(answers.at(-1)).toMatchObject({ unanswered: "hung" });
  });

  it("is told of other settings, and begins anew with those that it opens things for", () => {
    const { control, last, lives, told, seconds, time } = scene();
    last().says({ kind: "ready" });
    const other = { ...settings(), drainMs: 1_000 };
    control.configure(other, "edge-1");
    expect(last().sent.at(-1)).toEqual({ kind: "configure", settings: other });
    const elsewhere = { ...other, statusPage: { bind: null, directory: "/srv", title: "", url: "", services: [] } };
    control.configure(elsewhere, "edge-1");
    expect(last().sent.at(-1)).toEqual({ kind: "end" });
    expect(lives).toHaveLength(1);
    seconds(1, false);
    last().ends("exit code 0");
    // At once, and nobody is told of a death.
    expect(lives).toHaveLength(2);
    expect(last().sent[0]).toMatchObject({ kind: "begin", setup: { settings: elsewhere, restore: true } });
    last().says({ kind: "ready" });
    expect(control.state()).toMatchObject({ state: "running", restarts: 0 });
    expect(told).toEqual([]);
    // What happened meanwhile is handed over.
    time.advance(1_000);
    expect(batches(last()).length).toBeGreaterThan(0);
  });

  it("that does not end for another name is killed", () => {
    const { control, last, time } = scene();
    last().says({ kind: "ready" });
    control.configure(settings(), "edge-2");
    time.advance(10_000);
    expect(last().killed).toBe(1);
  });
});

describe("a control process that does not", () => {
  it("that ends is started again, later each time, and what it had not taken is told again", () => {
    const { control, lives, last, seconds, time, told } = scene();
    control.tellFact(sampleTopology());
    last().says({ kind: "ready" });
    seconds(3, false);
    const answers: unknown[] = [];
    control.ask({ ask: "health" }, (answer) => answers.push(answer));
    last().ends("SIGKILL");
    expect(answers).toMatchObject([{ unanswered: "dead", because: expect.stringContaining("SIGKILL") }]);
    expect(control.state()).toMatchObject({ state: "dead", because: expect.stringContaining("SIGKILL") });
    time.advance(500);
    expect(lives).toHaveLength(2);
    expect(control.state()).toMatchObject({ state: "starting", restarts: 1 });
    last().says({ kind: "ready" });
    expect(batches(last())).toEqual([0, 1, 2, 3]);
    expect(told).toEqual(["control.dead", "control.running"]);
    // It ends again at once, and again: half a second, one, two …
    for (const [index, waitMs] of [750, 1_500, 3_000, 6_000].entries()) {
      last().ends();
      time.advance(waitMs - 1);
      expect(lives).toHaveLength(2 + index);
      time.advance(1);
      expect(lives).toHaveLength(3 + index);
    }
  });

  it("is never waited for longer than a minute, and one that ran well begins anew", () => {
    const { lives, last, seconds, time } = scene();
    for (let at = 0; at < 20; at += 1) {
      last().ends();
      time.advance(60_000);
    }
    expect(lives).toHaveLength(21);
    last().says({ kind: "ready" });
    seconds(61);
    last().ends();
    time.advance(500);
    expect(lives).toHaveLength(22);
  });

  it("that ends three times in a row begins without what it remembers", () => {
    const { lives, last, time } = scene();
    for (let at = 0; at < 3; at += 1) {
      last().ends();
      time.advance(10_000);
    }
    const remembers = lives.map(({ sent }) => (sent[0]?.kind === "begin" ? sent[0].setup.restore : null));
    expect(remembers).toEqual([true, true, true, false]);
  });

  it("that hangs is said to, is not asked, and is killed when that lasts", () => {
    const { control, last, seconds, told, time } = scene();
    last().says({ kind: "ready" });
    seconds(10);
    const heardAt = control.state().heardAt;
    seconds(6, false);
    expect(control.state()).toMatchObject({ state: "hung", heardAt });
    const answers: unknown[] = [];
    control.ask({ ask: "health" }, (answer) => answers.push(answer));
    expect(answers).toMatchObject([{ unanswered: "hung", because: expect.stringContaining("last heard at") }]);
    seconds(13, false);
    expect(last().killed).toBe(0);
    seconds(3, false);
    expect(last().killed).toBeGreaterThan(0);
    last().ends("SIGKILL");
    time.advance(1_000);
    last().says({ kind: "ready" });
    expect(told).toEqual(["control.hung", "control.dead", "control.running"]);
  });

  it("that was only slow runs again when it takes facts", () => {
    const { control, last, seconds, told } = scene();
    last().says({ kind: "ready" });
    seconds(7, false);
    expect(control.state().state).toBe("hung");
    last().takes();
    expect(control.state().state).toBe("running");
    expect(told).toEqual(["control.hung", "control.running"]);
    seconds(10);
    expect(control.state()).toMatchObject({ state: "running", factsLost: 0 });
  });

  it("is not blamed for a stall of the gateway's own process", () => {
    const { control, last, seconds, time } = scene();
    last().says({ kind: "ready" });
    seconds(2, false);
    time.stall(60_000);
    time.advance(1_000);
    expect(control.state().state).toBe("running");
    expect(last().killed).toBe(0);
  });

  it("that never gets ready is killed", () => {
    const { last, seconds } = scene();
    seconds(29, false);
    expect(last().killed).toBe(0);
    seconds(3, false);
    expect(last().killed).toBeGreaterThan(0);
  });
});

describe("the end", () => {
  it("hands over what is left and waits for the process", async () => {
    const { control, last, time } = scene();
    last().says({ kind: "ready" });
    control.tellFact(sampleEvent(time.clock.wall()));
    const closed = control.close(2_000);
    expect(
      last()
        .sent.map(({ kind }) => kind)
        .slice(-2),
    ).toEqual(["facts", "end"]);
    last().ends("exit code 0");
    await closed;
    expect(last().killed).toBe(0);
    expect(time.waiting()).toBe(0);
  });

  it("is by force when it takes too long", async () => {
    const { control, last, time } = scene();
    const closed = control.close(2_000);
    time.advance(2_000);
    expect(last().killed).toBe(1);
    last().ends("SIGKILL");
    await closed;
  });

  it("does not wait for one that is dead, nor start it again", async () => {
    const { control, last, lives, time } = scene();
    last().ends();
    await control.close(2_000);
    time.advance(120_000);
    expect(lives).toHaveLength(1);
  });
});

describe("facts on their way", () => {
  it("are bounded while nobody takes them, and what is lost is counted", () => {
    const { control, last, seconds } = scene();
    last().says({ kind: "ready" });
    seconds(1_000, false);
    expect(batches(last())).toHaveLength(UNDER_WAY_MAX);
    expect(control.state().factsLost).toBe(1_000 - UNDER_WAY_MAX - WAITING_MAX);
  });

  it("events beyond their bound are lost, the second they belong to is not", () => {
    const sent: number[] = [];
    const handOver = new FactHandOver("s", ({ facts }) => sent.push(facts.length));
    handOver.open();
    for (let at = 0; at < 2_000; at += 1) handOver.tell(sampleEvent(at));
    handOver.tell(sampleSecond(0));
    expect(sent).toEqual([501]);
    expect(handOver.lost).toBe(1_500);
  });

  it("come in order, none twice within a life, and each is taken or counted as lost", () => {
    const act = fc.constantFrom("second", "take", "die", "begin");
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
        const taken = new Set<number>();
        let inbox: number[] = [];
        let isAlive = false;
        let told = 0;
        const handOver = new FactHandOver("s", ({ number }) => inbox.push(number));
        for (const what of acts) {
          if (what === "second") {
            told += 1;
            handOver.tell(sampleSecond(told));
          } else if (what === "take" && isAlive) {
            const [first] = inbox.splice(0, 1);
            if (first === undefined) continue;
            taken.add(first);
            handOver.acknowledge(first);
          } else if (what === "die" && isAlive) {
            isAlive = false;
            inbox = [];
            handOver.shut();
          } else if (what === "begin" && !isAlive) {
            isAlive = true;
            handOver.open();
          }
          expect(inbox.length).toBeLessThanOrEqual(UNDER_WAY_MAX);
          expect(inbox).toEqual(inbox.toSorted((a, b) => a - b));
        }
        if (!isAlive) handOver.open();
        for (let first = inbox.shift(); first !== undefined; first = inbox.shift()) {
          taken.add(first);
          handOver.acknowledge(first);
        }
        expect(taken.size + handOver.lost).toBe(told);
      }),
    );
  });
});
