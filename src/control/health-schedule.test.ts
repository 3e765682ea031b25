import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CheckResult } from "../policies/health.ts";
import type { CheckTiming, HealthSchedule } from "./health-schedule.ts";
import { createHealthSchedule } from "./health-schedule.ts";

interface Target extends CheckTiming {
  readonly address: string;
}

function target(key: string, intervalMs = 2000, timeoutMs = 1000): Target {
  return { key, address: `10.0.0.1:${key}`, health: { intervalMs, timeoutMs } };
}

/** Virtual time: `advance` fires timers in order of their due time. */
function world(options: { atOnceMax?: number; chance?: () => number } = {}): {
  schedule: HealthSchedule<Target>;
  advance(ms: number): void;
  jump(ms: number): void;
  probes: Probing[];
  underWay(): Probing[];
  heard: { key: string; at: number; result: CheckResult }[];
  timers(): number;
  onHeard: { run: (key: string) => void };
} {
  let now = 0;
  let sequence = 0;
  const timers = new Map<number, { at: number; fire: () => void }>();
  const probes: Probing[] = [];
  const heard: { key: string; at: number; result: CheckResult }[] = [];
  const onHeard = { run: (_key: string): void => {} };
  const fireDue = (until: number): void => {
    for (;;) {
      const due = [...timers]
        .filter(([, timer]) => timer.at <= until)
        .toSorted(([a, one], [b, other]) => one.at - other.at || a - b)[0];
      if (due === undefined) return;
      timers.delete(due[0]);
      now = Math.max(now, due[1].at);
      due[1].fire();
    }
  };
  const schedule = createHealthSchedule<Target>({
    clock: { monotonic: () => now, wall: () => now },
    chance: options.chance ?? (() => 0.5),
    schedule: (ms, fire) => {
      sequence += 1;
      const id = sequence;
      timers.set(id, { at: now + ms, fire });
      return () => void timers.delete(id);
    },
    probe: (asked, done) => {
      const probing: Probing = {
        key: asked.key,
        target: asked,
        at: now,
        done,
        givenUp: false,
        onGivenUp: () => {},
        answered: false,
      };
      probing.done = (result) => {
        probing.answered = true;
        done(result);
      };
      probes.push(probing);
      return () => {
        probing.givenUp = true;
        probing.onGivenUp();
      };
    },
    onCheck: (checked, result) => {
      heard.push({ key: checked.key, at: now, result });
      onHeard.run(checked.key);
    },
    atOnceMax: options.atOnceMax ?? 16,
  });
  return {
    schedule,
    advance(ms) {
      const until = now + ms;
      fireDue(until);
      now = until;
    },
    // The process stands still: time passes and no timer fires until the end.
    jump(ms) {
      now += ms;
      fireDue(now);
    },
    probes,
    underWay: () => probes.filter((probing) => !probing.answered && !probing.givenUp),
    heard,
    timers: () => timers.size,
    onHeard,
  };
}

interface Probing {
  readonly key: string;
  readonly target: Target;
  readonly at: number;
  done: (result: CheckResult) => void;
  givenUp: boolean;
  onGivenUp: () => void;
  answered: boolean;
}

const UP: CheckResult = { ok: true, detail: "status 200" };

describe("the schedule of checks", () => {
  test("a new target is checked within the first 200 ms and then once per interval, counted from the start of a check", () => {
    const { schedule, advance, probes, heard } = world();
    schedule.setTargets([target("1")]);
    advance(100);
    expect(probes.map((probing) => probing.at)).toEqual([100]);
    advance(700);
    probes[0]?.done(UP);
    advance(1300);
    expect(probes.map((probing) => probing.at)).toEqual([100, 2100]);
    expect(heard).toEqual([{ key: "1", at: 800, result: UP }]);
  });

  test("intervals vary by a tenth up and down with chance", () => {
    for (const [roll, second] of [
      [0, 1800],
      [0.5, 2100],
      [0.999999, 2400],
    ] as const) {
      const { schedule, advance, probes } = world({ chance: () => roll });
      schedule.setTargets([target("1")]);
      advance(200);
      probes[0]?.done(UP);
      advance(3000);
      expect(Math.round(probes[1]?.at ?? 0)).toBe(second);
    }
  });

  test("after a failure the next three come half a second apart, counted from the last failure", () => {
    const { schedule, advance, probes } = world();
    schedule.setTargets([target("1")]);
    advance(100);
    for (const ok of [true, false, false, true, true, true, true]) {
      probes.at(-1)?.done({ ok, detail: "" });
      advance(ok && probes.length === 1 ? 2_000 : 500);
    }
    advance(2_000);
    expect(probes.map((probing) => probing.at)).toEqual([100, 2_100, 2_600, 3_100, 3_600, 4_100, 6_100]);
  });

  test("no answer within the timeout is a failed check, and the probe is given up", () => {
    const { schedule, advance, probes, heard } = world();
    schedule.setTargets([target("1")]);
    advance(1100);
    expect(heard).toEqual([{ key: "1", at: 1100, result: { ok: false, detail: "no answer in 1 s" } }]);
    expect(probes[0]?.givenUp).toBe(true);
    probes[0]?.done(UP);
    expect(heard).toHaveLength(1);
  });

  test("a probe that answers while it is given up is not heard beside the timeout", () => {
    const { schedule, advance, probes, heard, underWay } = world();
    schedule.setTargets([target("1")]);
    advance(100);
    const probing = probes[0];
    if (probing !== undefined) probing.onGivenUp = () => probing.done(UP);
    advance(1000);
    expect(heard.map((one) => one.result.ok)).toEqual([false]);
    expect(underWay()).toEqual([]);
    schedule.setTargets([]);
    expect(heard).toHaveLength(1);
  });

  test("a deadline that fires late because the process stood still blames nobody, and the check is made again", () => {
    const { schedule, advance, jump, probes, heard } = world();
    schedule.setTargets([target("1")]);
    advance(100);
    jump(1600);
    expect(heard).toEqual([]);
    expect(probes[0]?.givenUp).toBe(true);
    expect(probes.map((probing) => probing.at)).toEqual([100, 1700]);
  });

  test("a check that was due many intervals ago is made once, not in a burst", () => {
    const { schedule, advance, jump, probes } = world();
    schedule.setTargets([target("1")]);
    advance(100);
    probes[0]?.done(UP);
    jump(60_000);
    expect(probes).toHaveLength(2);
  });

  test("no more checks are under way than allowed, and those that wait go first come, first served", () => {
    const { schedule, advance, probes, underWay } = world({ atOnceMax: 2 });
    schedule.setTargets(["1", "2", "3", "4"].map((key) => target(key)));
    advance(150);
    expect(underWay().map((probing) => probing.key)).toEqual(["1", "2"]);
    probes[1]?.done(UP);
    expect(underWay().map((probing) => probing.key)).toEqual(["1", "3"]);
    probes[0]?.done(UP);
    probes[2]?.done(UP);
    expect(underWay().map((probing) => probing.key)).toEqual(["4"]);
  });

  test("a target that left is not checked again, its check is given up, and its late answer is not heard", () => {
    const { schedule, advance, probes, heard, timers } = world();
    schedule.setTargets([target("1"), target("2")]);
    advance(100);
    schedule.setTargets([target("2")]);
    expect(probes[0]?.givenUp).toBe(true);
    probes[0]?.done(UP);
    probes[1]?.done(UP);
    advance(10_000);
    expect(heard.every((one) => one.key === "2")).toBe(true);
    expect(probes.filter((probing) => probing.key === "1")).toHaveLength(1);
    schedule.setTargets([]);
    expect(timers()).toBe(0);
  });

  test("a target that waits for its turn when it leaves is never asked", () => {
    const { schedule, advance, probes } = world({ atOnceMax: 1 });
    schedule.setTargets([target("1"), target("2")]);
    advance(150);
    schedule.setTargets([target("1")]);
    probes[0]?.done(UP);
    advance(1000);
    expect(probes.map((probing) => probing.key)).toEqual(["1"]);
  });

  test("removing checks under way lets those that wait begin", () => {
    const { schedule, advance, underWay } = world({ atOnceMax: 1 });
    schedule.setTargets([target("1"), target("2")]);
    advance(150);
    schedule.setTargets([target("2")]);
    expect(underWay().map((probing) => probing.key)).toEqual(["2"]);
  });

  test("a target that stays keeps its rhythm and gets its new settings", () => {
    const { schedule, advance, probes } = world();
    schedule.setTargets([target("1")]);
    advance(100);
    probes[0]?.done(UP);
    schedule.setTargets([target("1", 500, 400)]);
    advance(2200);
    expect(probes.map((probing) => probing.at)).toEqual([100, 2100]);
    probes[1]?.done(UP);
    advance(500);
    expect(probes[2]?.target.health.timeoutMs).toBe(400);
  });

  test("a listener that replaces the targets while it hears of one finds the schedule whole", () => {
    const { schedule, advance, probes, onHeard, underWay } = world({ atOnceMax: 1 });
    onHeard.run = () => {
      schedule.setTargets([target("3")]);
    };
    schedule.setTargets([target("1"), target("2")]);
    advance(150);
    probes[0]?.done(UP);
    advance(200);
    expect(underWay().map((probing) => probing.key)).toEqual(["3"]);
  });

  test("after stop nothing is asked, nothing is heard and no timer is left", () => {
    const { schedule, advance, probes, heard, timers } = world();
    schedule.setTargets([target("1"), target("2")]);
    advance(100);
    schedule.stop();
    for (const probing of probes) probing.done(UP);
    advance(60_000);
    expect(probes).toHaveLength(2);
    expect(heard).toEqual([]);
    expect(timers()).toBe(0);
  });

  test("whatever happens, the bound holds, only current targets are asked, and every current target is asked again and again", () => {
    const command = fc.oneof(
      fc.record({
        kind: fc.constant("targets" as const),
        keys: fc.uniqueArray(fc.constantFrom("1", "2", "3", "4", "5")),
      }),
      fc.record({ kind: fc.constant("answer" as const), index: fc.nat(4), ok: fc.boolean() }),
      fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(3000) }),
      fc.record({ kind: fc.constant("jump" as const), ms: fc.nat(5000) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (commands, atOnceMax) => {
        const { schedule, advance, jump, probes, underWay } = world({ atOnceMax });
        let current: string[] = [];
        const checkBounds = (seen: number): void => {
          expect(underWay().length).toBeLessThanOrEqual(atOnceMax);
          for (const probing of underWay()) expect(current).toContain(probing.key);
          for (const probing of probes.slice(seen)) expect(current).toContain(probing.key);
        };
        for (const step of commands) {
          const seen = probes.length;
          if (step.kind === "targets") {
            current = step.keys;
            schedule.setTargets(step.keys.map((key) => target(key)));
          } else if (step.kind === "answer") underWay()[step.index]?.done({ ok: step.ok, detail: "" });
          else if (step.kind === "advance") advance(step.ms);
          else jump(step.ms);
          checkBounds(seen);
        }
        // Nobody answers from here on; at worst each check takes its whole timeout, one at a time.
        const before = probes.length;
        advance(40_000);
        for (const key of current) {
          expect(probes.slice(before).filter((probing) => probing.key === key).length).toBeGreaterThan(2);
        }
      }),
      { numRuns: 300 },
    );
  });
});
