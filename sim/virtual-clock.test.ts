import { describe, expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

describe("the virtual clock", () => {
  it("lets things happen in the order of their time, and within one instant in the order they were asked for", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    for (const [ms, name] of [
      [5, "c"],
      [1, "a"],
      [5, "d"],
      [3, "b"],
      [5, "e"],
    ] as const)
      clock.schedule(ms, () => seen.push(name));
    await clock.run(10);
    expect(seen.join("")).toBe("abcde");
    expect(clock.elapsedMs).toBe(10);
  });

  it("does not run what was cancelled, and counts what waits", async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const cancel = clock.schedule(1, () => seen.push(1));
    clock.schedule(2, () => seen.push(2));
    cancel();
    cancel();
    expect(clock.waiting).toBe(1);
    await clock.run(10);
    expect(seen).toEqual([2]);
    expect(clock.waiting).toBe(0);
  });

  it("repeats until it is stopped, also from within", async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const stop = clock.every(10, () => {
      seen.push(clock.elapsedMs);
      if (seen.length === 3) stop();
    });
    await clock.run(1_000);
    expect(seen).toEqual([10, 20, 30]);
  });

  it("gives promises their turns before time goes on", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.schedule(1, () => {
      void Promise.resolve()
        .then(() => seen.push("promise"))
        .then(() => seen.push("and what hangs on it"));
    });
    clock.schedule(1.5, () => seen.push("event"));
    await clock.run(10);
    expect(seen).toEqual(["promise", "and what hangs on it", "event"]);
  });

  it("makes what fell due while the process stood still happen at its end", async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    clock.schedule(1, () => clock.stall(100));
    clock.schedule(50, () => seen.push(clock.elapsedMs));
    clock.schedule(300, () => seen.push(clock.elapsedMs));
    await clock.run(1_000);
    expect(seen).toEqual([101, 300]);
  });

  it("goes on when an event throws and somebody hears of it", async () => {
    const clock = new VirtualClock();
    const faults: unknown[] = [];
    let later = false;
    clock.onFault = (error) => faults.push(error);
    clock.schedule(1, () => {
      throw new Error("broken");
    });
    clock.schedule(2, () => {
      later = true;
    });
    await clock.run(10);
    expect(faults).toHaveLength(1);
    expect(later).toBe(true);
  });
});
