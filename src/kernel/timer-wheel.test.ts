import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TimerWheel, WheelTimer } from "./timer-wheel.ts";

interface Fired {
  name: string;
  at: number;
}

function world(start = 0): {
  wheel: TimerWheel;
  fired: Fired[];
  timer: (name: string) => WheelTimer;
  run: (from: number, to: number) => void;
} {
  const wheel = new TimerWheel(start, 50, 250);
  const fired: Fired[] = [];
  return {
    wheel,
    fired,
    timer: (name) => new WheelTimer({ onTimer: (_timer, now) => fired.push({ name, at: now }), onFault: rethrow }),
    run: (from, to) => {
      for (let now = from; now <= to; now += 50) wheel.advance(now);
    },
  };
}

function rethrow(error: unknown): never {
  throw error;
}

describe("the timer wheel", () => {
  it("fires no timer early and none later than one tick", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 50 }), (delays) => {
        const { wheel, fired, timer, run } = world();
        delays.forEach((delay, index) => wheel.arm(timer(String(index)), 0, delay));
        run(50, 300_100);
        expect(fired).toHaveLength(delays.length);
        for (const { name, at } of fired) {
          const delay = delays[Number(name)] ?? 0;
          expect(at).toBeGreaterThanOrEqual(delay);
          expect(at).toBeLessThanOrEqual(Math.max(50, delay + 50));
        }
      }),
    );
  });

  it("agrees with a plain list of deadlines whatever is armed, moved, disarmed and removed", () => {
    const step = fc.record({
      timer: fc.integer({ min: 0, max: 5 }),
      action: fc.constantFrom("arm", "disarm", "remove", "wait"),
      ms: fc.integer({ min: 0, max: 9_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { wheel, fired, timer } = world();
        const timers = Array.from({ length: 6 }, (_, index) => timer(String(index)));
        const deadlines = Array.from({ length: 6 }, () => Infinity);
        let now = 0;
        for (const { timer: index, action, ms } of steps) {
          const chosen = timers[index];
          if (chosen === undefined) continue;
          if (action === "arm") {
            wheel.arm(chosen, now, ms);
            deadlines[index] = now + ms;
          } else if (action === "disarm") {
            wheel.disarm(chosen);
            deadlines[index] = Infinity;
          } else if (action === "remove") {
            wheel.remove(chosen);
            deadlines[index] = Infinity;
          } else {
            for (const until = now + ms; now + 50 <= until;) {
              now += 50;
              wheel.advance(now);
              for (const { name, at } of fired.splice(0)) {
                expect(deadlines[Number(name)]).toBeLessThanOrEqual(at);
                deadlines[Number(name)] = Infinity;
              }
              for (const deadline of deadlines) expect(deadline).toBeGreaterThan(now - 100);
            }
          }
        }
      }),
    );
  });

  it("lets a timer that fires arm itself and remove others", () => {
    const wheel = new TimerWheel(0, 50, 250);
    const seen: string[] = [];
    const victim = new WheelTimer({ onTimer: () => seen.push("victim"), onFault: rethrow });
    const again = new WheelTimer({
      onTimer: (self, now) => {
        seen.push("again");
        wheel.remove(victim);
        if (seen.length < 3) wheel.arm(self, now, 0);
      },
      onFault: rethrow,
    });
    wheel.arm(victim, 0, 100);
    wheel.arm(again, 0, 100);
    for (let now = 50; now <= 400; now += 50) wheel.advance(now);
    expect(seen).toEqual(["again", "again", "again"]);
  });

  it("fires the timers behind one whose owner throws, and tells that owner", () => {
    const { wheel, fired, timer } = world();
    const faults: unknown[] = [];
    const broken = new WheelTimer({
      onTimer: () => {
        throw new Error("a defect");
      },
      onFault: (error) => faults.push(error),
    });
    wheel.arm(timer("behind"), 0, 100);
    wheel.arm(broken, 0, 100);
    for (let now = 50; now <= 200; now += 50) wheel.advance(now);
    expect(faults).toEqual([new Error("a defect")]);
    expect(fired).toHaveLength(1);
  });

  it("waits one more tick after a stall, so that what arrived meanwhile is read first", () => {
    const { wheel, fired, timer } = world();
    wheel.arm(timer("late"), 0, 1_000);
    wheel.advance(50);
    wheel.advance(2_000);
    expect(fired).toEqual([]);
    expect(wheel.stallMs).toBe(1_950);
    expect(wheel.stallEndedAt).toBe(2_000);
    expect(wheel.unnoticedStallMs(2_200)).toBe(0);
    expect(wheel.unnoticedStallMs(2_300)).toBe(300);
    wheel.advance(2_050);
    expect(fired).toEqual([{ name: "late", at: 2_050 }]);
  });

  it("still fires when every single tick is late", () => {
    const { wheel, fired, timer } = world();
    wheel.arm(timer("due"), 0, 100);
    for (let now = 300; now <= 1_200; now += 300) wheel.advance(now);
    expect(fired).toHaveLength(1);
  });
});
