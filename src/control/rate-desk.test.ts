/** Rate limits of several workers, both sides of them, on channels that take their time and end with their worker. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import type { FromHub, ToHub } from "../contract/shared-knowledge.ts";
import { SharedRates } from "../gateway/shared-rates.ts";
import type { SharedLimit } from "../gateway/shared-rates.ts";
import type { RateLimitOptions } from "../policies/rate-limit.ts";
import { RateDesk } from "./rate-desk.ts";
import type { RateMember } from "./rate-desk.ts";

const LIMIT = "shop / all";

interface TestWorker {
  readonly number: number;
  readonly rates: SharedRates;
  readonly limit: SharedLimit;
  readonly member: RateMember;
  alive: boolean;
  retired: boolean;
  /** Its process stands still until then. */
  stillUntil: number;
}

interface Scene {
  readonly workers: TestWorker[];
  readonly admitted: { readonly key: number; readonly at: number }[];
  /** Decided at once, and after a wait. */
  readonly waited: { count: number; longestMs: number };
  refused: number;
  messages: number;
  join(number: number): void;
  request(worker: TestWorker, key: number): void;
  retire(worker: TestWorker): void;
  /** Its process stands still for so long. */
  still(worker: TestWorker, ms: number): void;
  die(worker: TestWorker): void;
  advance(ms: number): void;
}

function scene(options: RateLimitOptions, places: number, delayOf: () => number = () => 1): Scene {
  const time = manualSchedule(1_000);
  const desk = new RateDesk(new Map([[LIMIT, options]]), places);
  const admitted: { key: number; at: number }[] = [];
  let lives = 0;

  /** In order, whatever the delays. */
  function channel<M>(deliver: (message: M) => void): (message: M) => void {
    let last = 0;
    return (message) => {
      const at = Math.max(last, time.clock.monotonic() + delayOf());
      last = at;
      const copy = structuredClone(message);
      time.schedule(at - time.clock.monotonic(), () => deliver(copy));
      self.messages += 1;
    };
  }

  const self: Scene = {
    workers: [],
    admitted,
    waited: { count: 0, longestMs: 0 },
    refused: 0,
    messages: 0,
    join(number) {
      lives += 1;
      // What comes for a process that stands still is heard when it goes on, behind what clients sent meanwhile.
      const awake = (run: () => void): void => {
        const left = worker.stillUntil - time.clock.monotonic();
        if (left < 0) run();
        else time.schedule(left + 1, () => awake(run));
      };
      const toWorker = channel<FromHub>((message) => awake(() => hearRates(message)));
      const hearRates = (message: FromHub): void => {
        if (worker.alive && message.kind.startsWith("rates"))
          rates.hear(message as Extract<FromHub, { kind: "rates" | "rates begin" | "rates end" }>);
      };
      const toHub = channel<ToHub>((message) => {
        const now = time.clock.monotonic();
        if (!worker.alive) return;
        if (message.kind === "rates") desk.hear(member, message.rows, now);
        else if (message.kind === "rates end") desk.retire(member, message.levels, now);
        else if (message.kind === "rates resume" && !worker.retired) desk.resume(member, now);
      });
      const member: RateMember = {
        worker: number,
        id: `${number}.${lives}`,
        sendRates: (rows) => toWorker({ kind: "rates", rows }),
        beginRates: (begin) => toWorker({ kind: "rates begin", begin }),
      };
      const schedule: ManualSchedule["schedule"] = (ms, run) => time.schedule(ms, () => awake(run));
      const rates = new SharedRates({ clock: time.clock, schedule, send: toHub, workers: places });
      const worker: TestWorker = {
        number,
        rates,
        limit: rates.limit(LIMIT, options, 64),
        member,
        alive: true,
        retired: false,
        stillUntil: 0,
      };
      self.workers.push(worker);
      desk.join(member, time.clock.monotonic());
    },
    request(worker, key) {
      const asked = time.clock.monotonic();
      if (asked < worker.stillUntil) return;
      const { limit } = worker;
      const decide = (again: boolean): void => {
        if (!worker.alive) return;
        const now = time.clock.monotonic();
        const verdict = limit.look(key, now);
        if (verdict.kind === "may") {
          limit.take(key, now);
          admitted.push({ key, at: now });
        } else if (verdict.kind === "ask" && !again) {
          self.waited.count += 1;
          limit.wait(key, now, () => {
            self.waited.longestMs = Math.max(self.waited.longestMs, time.clock.monotonic() - asked);
            decide(true);
          });
        } else self.refused += 1;
      };
      decide(false);
    },
    still(worker, ms) {
      worker.stillUntil = time.clock.monotonic() + ms;
    },
    retire(worker) {
      worker.retired = true;
      worker.rates.hear({ kind: "rates end" });
    },
    die(worker) {
      worker.alive = false;
      self.workers.splice(self.workers.indexOf(worker), 1);
      desk.leave(worker.member, time.clock.monotonic());
    },
    advance: (ms) => time.advance(ms),
  };
  for (let number = 1; number <= places; number += 1) self.join(number);
  self.advance(20);
  return self;
}

/** How far above the burst the bucket of a single gateway would have been; 0: never. */
function excess({ count, periodMs, burst }: RateLimitOptions, admitted: Scene["admitted"]): number {
  const buckets = new Map<number, { level: number; at: number }>();
  let most = 0;
  for (const { key, at } of admitted) {
    const bucket = buckets.get(key) ?? { level: 0, at };
    bucket.level = Math.max(0, bucket.level - (at - bucket.at) * count) + periodMs;
    bucket.at = at;
    buckets.set(key, bucket);
    most = Math.max(most, bucket.level - burst * periodMs);
  }
  return most;
}

function one(workers: readonly TestWorker[], index: number): TestWorker {
  const found = workers[index % workers.length];
  if (found === undefined) throw new Error("no worker is left");
  return found;
}

describe("a rate limit that several workers keep together", () => {
  const limits: fc.Arbitrary<RateLimitOptions> = fc.record({
    count: fc.integer({ min: 1, max: 200 }),
    periodMs: fc.constantFrom(1_000, 10_000),
    burst: fc.integer({ min: 1, max: 60 }),
  });
  const events = fc.array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          do: fc.constant("request" as const),
          at: fc.nat({ max: 7 }),
          key: fc.integer({ min: 1, max: 3 }),
          times: fc.integer({ min: 1, max: 60 }),
        }),
      },
      { weight: 8, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 400 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1_000, max: 30_000 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("still" as const),
          at: fc.nat({ max: 7 }),
          ms: fc.integer({ min: 50, max: 1_500 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("die" as const), at: fc.nat({ max: 7 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("replace" as const), at: fc.nat({ max: 7 }) }) },
    ),
    { minLength: 5, maxLength: 100 },
  );
  const delays = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 });

  it("lets through no more at any instant than one gateway would, whoever asks, stands still, dies or joins in between", () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 4 }), delays, events, (options, places, delay, course) => {
        let turn = 0;
        const it = scene(options, places, () => delay[(turn += 1) % delay.length] ?? 0);
        const missing: number[] = [];
        for (const event of course) {
          if (event.do === "wait") it.advance(event.ms);
          else if (event.do === "request") {
            for (let count = 0; count < event.times && it.workers.length > 0; count += 1) {
              it.request(one(it.workers, event.at), event.key);
            }
          } else if (event.do === "still") {
            if (it.workers.length > 0) it.still(one(it.workers, event.at), event.ms);
          } else if (event.do === "die") {
            if (it.workers.length < 2) continue;
            const victim = one(it.workers, event.at);
            it.die(victim);
            missing.push(victim.number);
          } else {
            const number = missing.shift();
            if (number !== undefined) it.join(number);
            else {
              // As in a rolling change: the new one begins before the old one ends.
              const old = one(it.workers, event.at);
              if (old.retired) continue;
              it.join(old.number);
              it.advance(7);
              it.retire(old);
            }
          }
        }
        it.advance(1_000);
        expect(excess(options, it.admitted)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("gives all of it to whoever has all of the demand", () => {
    const options = { count: 100, periodMs: 1_000, burst: 100 };
    const it_ = scene(options, 4);
    for (let ms = 0; ms < 10_000; ms += 5) {
      it_.request(one(it_.workers, 0), 1);
      it_.advance(5);
    }
    expect(it_.admitted.length).toBeGreaterThan(100 + 900);
    expect(it_.admitted.length).toBeLessThanOrEqual(100 + 1_000);
  });

  it("follows the demand from one worker to another within a few messages", () => {
    const options = { count: 100, periodMs: 1_000, burst: 10 };
    const it_ = scene(options, 2);
    for (let ms = 0; ms < 3_000; ms += 20) {
      it_.request(one(it_.workers, 0), 1);
      it_.advance(20);
    }
    const before = it_.admitted.length;
    for (let ms = 0; ms < 3_000; ms += 20) {
      it_.request(one(it_.workers, 1), 1);
      it_.advance(20);
    }
    expect(it_.admitted.length - before).toBeGreaterThan(145);
    expect(it_.refused).toBe(0);
  });

  it("shares alike between workers that want the same", () => {
    const options = { count: 100, periodMs: 1_000, burst: 20 };
    const it_ = scene(options, 2);
    const by = [0, 0];
    for (let ms = 0; ms < 5_000; ms += 2) {
      const index = (ms / 2) % 2;
      const before = it_.admitted.length;
      it_.request(one(it_.workers, index), 1);
      by[index] = (by[index] ?? 0) + it_.admitted.length - before;
      it_.advance(2);
    }
    expect(it_.admitted.length).toBeGreaterThan(450);
    expect(Math.min(...by) / Math.max(...by)).toBeGreaterThan(0.5);
  });

  it("costs no message and no wait while a client stays below the base", () => {
    const it_ = scene({ count: 100, periodMs: 1_000, burst: 100 }, 4);
    const before = it_.messages;
    for (let key = 1; key < 50; key += 1) {
      for (let count = 0; count < 20; count += 1) it_.request(one(it_.workers, count), key);
    }
    it_.advance(5_000);
    expect(it_.admitted).toHaveLength(49 * 20);
    expect(it_.messages).toBe(before);
    expect(it_.waited.count).toBe(0);
  });

  it("holds for the first request of a limit too small to be divided: that is let through, and a second is not", () => {
    const it_ = scene({ count: 1, periodMs: 60_000, burst: 1 }, 4);
    it_.request(one(it_.workers, 2), 1);
    it_.advance(20);
    expect([it_.admitted.length, it_.refused]).toEqual([1, 0]);
    it_.request(one(it_.workers, 3), 1);
    it_.advance(100);
    expect([it_.admitted.length, it_.refused]).toEqual([1, 1]);
    expect(it_.waited.longestMs).toBeLessThan(20);
  });

  it("asks no more often than twenty times a second for a client that knocks all the time", () => {
    const it_ = scene({ count: 1, periodMs: 1_000, burst: 1 }, 2);
    it_.advance(100);
    const before = it_.messages;
    for (let ms = 0; ms < 10_000; ms += 1) {
      it_.request(one(it_.workers, 0), 1);
      it_.advance(1);
    }
    expect(it_.admitted.length).toBeGreaterThanOrEqual(10);
    expect((it_.messages - before) / 10).toBeLessThan(120);
  });

  it("is whole again for the others some time after a worker died with a part of it in hand", () => {
    const options = { count: 10, periodMs: 1_000, burst: 40 };
    const it_ = scene(options, 2);
    for (let count = 0; count < 30; count += 1) it_.request(one(it_.workers, 0), 1);
    it_.advance(10);
    it_.die(one(it_.workers, 0));
    it_.advance(10_000);
    const before = it_.admitted.length;
    for (let count = 0; count < 60; count += 1) it_.request(one(it_.workers, 0), 1);
    it_.advance(20);
    expect(it_.admitted.length - before).toBe(40);
  });

  it("is not given twice where a worker is replaced in order", () => {
    const options = { count: 1, periodMs: 60_000, burst: 10 };
    const it_ = scene(options, 2);
    const old = one(it_.workers, 0);
    for (let count = 0; count < 5; count += 1) it_.request(old, 1);
    it_.join(1);
    it_.advance(10);
    it_.retire(old);
    it_.advance(10);
    for (const worker of it_.workers) {
      for (let count = 0; count < 10; count += 1) it_.request(worker, 1);
      it_.advance(50);
    }
    expect(it_.admitted).toHaveLength(10);
  });

  it("waits half a second for a sibling that stands still, and then goes on without its part", () => {
    const it_ = scene({ count: 1, periodMs: 60_000, burst: 4 }, 2);
    const [a, b] = [one(it_.workers, 0), one(it_.workers, 1)];
    it_.still(b, 5_000);
    for (let count = 0; count < 4; count += 1) it_.request(a, 1);
    it_.advance(620);
    // Two of its own; the two of the other may have been used.
    expect([it_.admitted.length, it_.refused]).toEqual([2, 2]);
    expect(it_.waited.longestMs).toBeLessThanOrEqual(600);
    it_.advance(5_000);
    for (let count = 0; count < 4; count += 1) it_.request(b, 1);
    it_.advance(700);
    expect(it_.admitted).toHaveLength(2);
    // A key that nobody asked for meanwhile has its base again.
    it_.request(b, 2);
    expect(it_.admitted).toHaveLength(3);
  });

  it("is not used twice by a worker that goes on after it stood still, whatever it does first", () => {
    const options = { count: 1, periodMs: 1_000, burst: 4 };
    const it_ = scene(options, 2);
    const [a, b] = [one(it_.workers, 0), one(it_.workers, 1)];
    it_.still(b, 5_000);
    for (let count = 0; count < 4; count += 1) it_.request(a, 1);
    it_.advance(4_900);
    // What the other may have used has drained, and is used here.
    for (let count = 0; count < 4; count += 1) it_.request(a, 1);
    it_.advance(100);
    for (let count = 0; count < 4; count += 1) it_.request(b, 1);
    it_.advance(1_000);
    expect(excess(options, it_.admitted)).toBe(0);
    expect(it_.admitted.length).toBeGreaterThan(5);
  });
});
