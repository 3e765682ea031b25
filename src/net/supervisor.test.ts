/** Processes that the test plays, and time that it moves. Real ones are in test/e2e/workers.test.ts. */
import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { FromWorker, ToWorker } from "../contract/worker-messages.ts";
import { createSupervisor } from "./supervisor.ts";
import type { Supervisor } from "./supervisor.ts";
import type { WorkerListener } from "./worker-life.ts";

const DRAIN_MS = 20_000;
const BIND = { host: "127.0.0.1", port: 80 };
const GONE = { host: "127.0.0.1", port: 81 };

class PlayedWorker {
  readonly worker: number;
  readonly life: number;
  readonly #listener: WorkerListener;
  readonly heard: ToWorker[] = [];
  readonly killedBy: string[] = [];
  /** False: it is stopped, or its loop does not turn. */
  isAlive = true;
  isGone = false;

  constructor(worker: number, life: number, listener: WorkerListener) {
    this.worker = worker;
    this.life = life;
    this.#listener = listener;
  }

  say(message: FromWorker): void {
    this.#listener.onMessage(message);
  }

  end(why = "exit code 1"): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#listener.onEnd(why);
  }

  kinds(): string[] {
    return this.heard.map(({ kind }) => kind);
  }
}

interface World {
  readonly supervisor: Supervisor;
  readonly processes: PlayedWorker[];
  readonly told: string[];
  readonly noted: string[];
  readonly hopeless: string[];
  /** The newest process of a worker. */
  of(worker: number): PlayedWorker;
  running(): PlayedWorker[];
  advance(ms: number): void;
}

interface WorldOptions {
  readonly leaving?: boolean;
  /** The system starts no process while this says so. */
  readonly isFull?: () => boolean;
}

function world(workers: number, chance = 0, { leaving = false, isFull = () => false }: WorldOptions = {}): World {
  const time = manualSchedule();
  const processes: PlayedWorker[] = [];
  const told: string[] = [];
  const noted: string[] = [];
  const hopeless: string[] = [];
  const supervisor = createSupervisor({
    workers,
    drainMs: () => DRAIN_MS,
    start(worker, life, listener) {
      if (isFull()) throw new Error("spawn ENOMEM");
      const played = new PlayedWorker(worker, life, listener);
      processes.push(played);
      return {
        pid: 1_000 + processes.length,
        send: (message) => void played.heard.push(message),
        kill(signal) {
          played.killedBy.push(signal);
          if (signal === "SIGKILL") played.end("SIGKILL");
        },
      };
    },
    sockets: (worker) => [
      { bind: BIND, handle: `socket 1 of worker ${worker}` },
      { bind: BIND, handle: `socket 2 of worker ${worker}` },
    ],
    leaving: (worker) => (leaving ? [{ bind: GONE, handle: `socket of worker ${worker} that leaves` }] : []),
    onLife: () => undefined,
    clock: time.clock,
    schedule: time.schedule,
    chance: () => chance,
    tell: (code, detail) => told.push(`${code} ${detail}`),
    noted: (worker, code) => noted.push(`${worker} ${code}`),
    onHopeless: (detail) => hopeless.push(detail),
  });
  const running = (): PlayedWorker[] => processes.filter(({ isGone }) => !isGone);
  return {
    supervisor,
    processes,
    told,
    noted,
    hopeless,
    running,
    of(worker) {
      const newest = processes.findLast((one) => one.worker === worker);
      if (newest === undefined) throw new Error(`there was no worker ${worker}`);
      return newest;
    },
    advance(ms) {
      for (let left = ms; left > 0; left -= 500) {
        time.advance(Math.min(left, 500));
        for (const one of running()) if (one.isAlive) one.say({ kind: "alive" });
      }
    },
  };
}

async function serving(workers: number, options: WorldOptions = {}): Promise<World> {
  const made = world(workers, 0, options);
  const started = made.supervisor.start();
  for (const one of made.processes) one.say({ kind: "ready" });
  expect(await started).toBeNull();
  return made;
}

function states({ supervisor }: World): string[] {
  return supervisor.lives().map(({ state }) => state);
}

describe("workers that start", () => {
  it("are waited for, all of them", async () => {
    const { supervisor, processes } = world(3);
    let isStarted = false;
    const started = supervisor.start().then(() => (isStarted = true));
    processes[0]!.say({ kind: "ready" });
    processes[1]!.say({ kind: "ready" });
    await Promise.resolve();
    expect(isStarted).toBe(false);
    processes[2]!.say({ kind: "ready" });
    await started;
    expect(supervisor.lives().map(({ worker, pid, state }) => [worker, pid, state])).toEqual([
      [1, 1001, "serving"],
      [2, 1002, "serving"],
      [3, 1003, "serving"],
    ]);
  });

  it("end together when one cannot, and its reason is told", async () => {
    const { supervisor, processes } = world(2);
    const started = supervisor.start();
    processes[0]!.say({ kind: "ready" });
    const failure = { kind: "not started", what: "listener", where: "127.0.0.1:80", code: "EACCES" } as const;
    processes[1]!.say(failure);
    processes[1]!.end("exit code 0");
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(processes[0]!.kinds()).toEqual(["stop"]);
    processes[0]!.end("exit code 0");
    expect(await started).toEqual(failure);
  });
});

describe("a worker that ends", () => {
  it("is covered for by its siblings until its replacement serves", async () => {
    const { of, advance, told, supervisor } = await serving(3);
    of(2).end("SIGSEGV");
    expect(of(1).heard).toEqual([{ kind: "cover", bind: BIND, worker: 2, isLeaving: false }]);
    expect(of(3).heard).toEqual([{ kind: "cover", bind: BIND, worker: 2, isLeaving: false }]);
    expect(supervisor.lives()[1]).toMatchObject({
      pid: 0,
      state: "waiting",
      because: expect.stringContaining("SIGSEGV"),
    });
    advance(100);
    expect(of(2).life).toBe(2);
    expect(of(1).kinds()).toEqual(["cover"]);
    of(2).say({ kind: "ready" });
    expect(of(1).kinds()).toEqual(["cover", "uncover"]);
    expect(of(3).kinds()).toEqual(["cover", "uncover"]);
    expect(supervisor.lives()[1]).toMatchObject({ state: "serving", restarts: 1 });
    expect(told.map((line) => line.split(" ")[0])).toEqual(["worker.ended", "worker.running"]);
  });

  it("is started again later each time, and soon again after it has lived for a minute", async () => {
    const made = await serving(1);
    const waits: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      made.of(1).end();
      const { length } = made.processes;
      let waited = 0;
      for (; made.processes.length === length; waited += 50) made.advance(50);
      waits.push(waited);
      made.of(1).say({ kind: "ready" });
    }
    // Without chance it is half of 100 ms, doubled each time.
    expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000, 15_000]);
    made.advance(60_000);
    made.of(1).end();
    const { length } = made.processes;
    made.advance(50);
    expect(made.processes).toHaveLength(length + 1);
  });

  it("again and again is named a crash loop, and its siblings are left alone", async () => {
    const made = await serving(2);
    for (let i = 0; i < 6; i += 1) {
      made.of(1).end("SIGSEGV");
      made.advance(4_000);
      made.of(1).say({ kind: "ready" });
    }
    expect(made.told.filter((line) => line.startsWith("worker.crash-loop"))).toEqual([
      expect.stringMatching(/worker 1: it ended 5 times within 60 s, last by SIGSEGV; .*; its siblings serve$/),
    ]);
    expect(made.of(2).life).toBe(1);
    expect(made.of(2).killedBy).toEqual([]);
    made.advance(60_000);
    expect(states(made)).toEqual(["serving", "serving"]);
    expect(made.told.at(-1)).toBe("worker.running worker 1: it has run for 60 s");
  });

  it("is noted at each end for the diagnosis, in a loop or not, and when it runs well again", async () => {
    const made = await serving(2);
    for (let i = 0; i < 7; i += 1) {
      made.of(1).end("SIGSEGV");
      made.advance(4_000);
      made.of(1).say({ kind: "ready" });
    }
    made.advance(60_000);
    expect(made.noted).toEqual([
      ...Array.from({ length: 4 }, () => "1 worker.ended"),
      ...Array.from({ length: 3 }, () => "1 worker.crash-loop"),
      "1 worker.running",
    ]);
  });

  it("because it cannot begin any more says why in its place", async () => {
    const made = await serving(2);
    made.of(1).end();
    made.advance(100);
    made.of(1).say({ kind: "not started", what: "fallback", where: "/srv/closed.html", code: "ENOENT" });
    made.of(1).end("exit code 0");
    expect(made.supervisor.lives()[0]?.because).toContain("fallback /srv/closed.html: ENOENT");
  });
});

describe("workers that all crash", () => {
  it("are tried one at a time, and after a minute in which none served that is told as hopeless", async () => {
    const made = await serving(3);
    for (let i = 0; i < 5; i += 1) {
      for (const one of made.running()) one.end("exit code 134");
      made.advance(4_000);
    }
    expect(states(made)).toEqual(["crashing", "crashing", "crashing"]);
    let most = 0;
    for (let second = 0; second < 120; second += 1) {
      made.advance(500);
      most = Math.max(most, made.running().length);
      for (const one of made.running()) one.end("exit code 134");
      made.advance(500);
    }
    expect(most).toBe(1);
    expect(made.hopeless).toEqual([expect.stringContaining("no worker has served for 60 s")]);
  });
});

describe("a worker that hangs", () => {
  it("is covered for after three seconds, aborted after ten, killed two seconds later, and replaced", async () => {
    const made = await serving(2);
    const hung = made.of(1);
    hung.isAlive = false;
    made.advance(2_500);
    expect(made.of(2).kinds()).toEqual([]);
    made.advance(1_000);
    expect(made.of(2).kinds()).toEqual(["cover", "cover"]);
    made.advance(6_000);
    expect(hung.killedBy).toEqual([]);
    made.advance(1_000);
    expect(hung.killedBy).toEqual(["SIGABRT"]);
    made.advance(2_500);
    expect(hung.killedBy).toEqual(["SIGABRT", "SIGKILL"]);
    made.advance(500);
    expect(made.of(1).life).toBe(2);
    expect(made.told[0]).toMatch(/^worker\.hung worker 1: its event loop has not turned for 10 s/);
  });

  // On a machine with far too much to do all of them were ended at once, and had to be started by it too.
  it("is not ended while no sibling is heard either, because then it is the machine", async () => {
    const made = await serving(3);
    const all = made.running();
    for (const one of all) one.isAlive = false;
    made.advance(29_000);
    expect(all.flatMap(({ killedBy }) => killedBy)).toEqual([]);
    expect(made.told).toEqual([expect.stringMatching(/^workers\.silent no worker's event loop has turned for 10 s/)]);
    for (const one of all) one.isAlive = true;
    made.advance(60_000);
    expect(made.running()).toEqual(all);
  });

  it("is ended after thirty seconds all the same, and of several one at a time until one is heard again", async () => {
    const made = await serving(3);
    const all = made.running();
    for (const one of all) one.isAlive = false;
    const ended = (): number => all.filter(({ killedBy }) => killedBy.length > 0).length;
    made.advance(31_000);
    expect(ended()).toBe(1);
    made.advance(20_000);
    expect(ended()).toBe(1);
    for (const one of made.running()) if (!all.includes(one)) one.say({ kind: "ready" });
    made.advance(1_000);
    expect(ended()).toBe(3);
  });

  it("for a moment is heard again and not covered for any more", async () => {
    const made = await serving(2);
    made.of(1).isAlive = false;
    made.advance(5_000);
    made.of(1).isAlive = true;
    made.advance(1_000);
    expect(made.of(2).kinds()).toEqual(["cover", "cover", "uncover"]);
    expect(made.of(1).killedBy).toEqual([]);
  });

  it("before it has served is told by that, and not by the signal that ended it", async () => {
    const made = world(2);
    const started = made.supervisor.start();
    made.of(1).say({ kind: "ready" });
    for (let s = 0; s < 61; s += 1) made.advance(1_000);
    expect(made.of(2).killedBy).toEqual(["SIGKILL"]);
    made.of(1).end("exit code 0");
    expect(await started).toMatchObject({ code: "it was not ready within 60 s" });
  });

  it("while it starts is killed after a minute", async () => {
    const made = await serving(2);
    made.of(1).end();
    made.advance(100);
    const second = made.of(1);
    made.advance(61_000);
    expect(second.killedBy).toEqual(["SIGKILL"]);
  });

  it("is not what it looks like after the supervisor itself stood still", async () => {
    const time = manualSchedule();
    const processes: PlayedWorker[] = [];
    const supervisor = createSupervisor({
      workers: 1,
      drainMs: () => DRAIN_MS,
      start(worker, life, listener) {
        const played = new PlayedWorker(worker, life, listener);
        processes.push(played);
        return { pid: 1, send: () => undefined, kill: (signal) => void played.killedBy.push(signal) };
      },
      sockets: () => [],
      onLife: () => undefined,
      clock: time.clock,
      schedule: time.schedule,
      chance: () => 0,
      tell: () => undefined,
      onHopeless: () => undefined,
    });
    const started = supervisor.start();
    processes[0]!.say({ kind: "ready" });
    await started;
    time.stall(60_000);
    time.advance(1_000);
    expect(processes[0]!.killedBy).toEqual([]);
  });
});

/** Lets what waits for promises go on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

describe("a roll", () => {
  it("has the new worker serve before the old one is told to finish, one place after the other", async () => {
    const made = await serving(2);
    const [first, second] = made.processes;
    const rolled = made.supervisor.roll("new settings");
    await settle();
    expect(made.running()).toHaveLength(3);
    expect(first!.kinds()).toEqual([]);
    made.of(1).say({ kind: "ready" });
    await settle();
    expect(first!.heard).toEqual([{ kind: "drain", idleMs: 5_000 }]);
    expect(second!.heard).toEqual([]);
    expect(made.running()).toHaveLength(3);
    first!.end("exit code 0");
    await settle();
    made.of(2).say({ kind: "ready" });
    await settle();
    second!.end("exit code 0");
    expect(await rolled).toEqual({ ok: true, replaced: 2 });
    expect(made.supervisor.lives().map(({ state, restarts, because }) => [state, restarts, because])).toEqual([
      ["serving", 1, "it replaced another: new settings"],
      ["serving", 1, "it replaced another: new settings"],
    ]);
    expect(made.told).toEqual([]);
  });

  it("stops at the first that cannot begin, and the old ones go on", async () => {
    const made = await serving(2);
    const rolled = made.supervisor.roll("new settings");
    await settle();
    made.of(1).say({ kind: "not started", what: "fallback", where: "/x", code: "ENOENT" });
    made.of(1).end("exit code 0");
    expect(await rolled).toEqual({ ok: false, replaced: 0, because: "fallback /x ENOENT" });
    expect(states(made)).toEqual(["serving", "serving"]);
    expect(made.running().map(({ life }) => life)).toEqual([1, 1]);
    expect(made.told).toEqual([expect.stringMatching(/^worker\.not-replaced worker 1: /)]);
  });

  it("ends by force what does not finish in its time", async () => {
    const made = await serving(1);
    const old = made.of(1);
    const rolled = made.supervisor.roll("new settings");
    await settle();
    made.of(1).say({ kind: "ready" });
    await settle();
    made.advance(DRAIN_MS);
    expect(old.killedBy).toEqual([]);
    made.advance(6_000);
    expect(old.killedBy).toEqual(["SIGKILL"]);
    expect(await rolled).toMatchObject({ ok: true });
  });

  it("goes on when the old one ends while the new one begins, and leaves one process in the place", async () => {
    const made = await serving(2);
    const rolled = made.supervisor.roll("new settings");
    await settle();
    const next = made.of(1);
    made.processes[0]!.end("SIGKILL");
    made.advance(200);
    const third = made.of(1);
    expect(third.life).toBe(3);
    next.say({ kind: "ready" });
    await settle();
    expect(third.kinds().at(-1)).toBe("drain");
    third.end("exit code 0");
    await settle();
    made.of(2).say({ kind: "ready" });
    await settle();
    made.processes[1]!.end("exit code 0");
    expect(await rolled).toEqual({ ok: true, replaced: 2 });
    expect(made.running()).toHaveLength(2);
    expect(made.of(2).kinds()).not.toContain("cover");
  });

  it("makes the replacement of one that ended meanwhile unnecessary", async () => {
    const made = await serving(2);
    const rolled = made.supervisor.roll("new settings");
    await settle();
    const next = made.of(1);
    made.processes[0]!.end("SIGKILL");
    const sibling = made.processes[1]!;
    expect(sibling.kinds()).toEqual(["cover", "cover"]);
    next.say({ kind: "ready" });
    await settle();
    expect(sibling.kinds()).toEqual(["cover", "cover", "uncover"]);
    made.advance(10_000);
    expect(made.of(1)).toBe(next);
    made.of(2).say({ kind: "ready" });
    await settle();
    sibling.end("exit code 0");
    expect(await rolled).toEqual({ ok: true, replaced: 2 });
  });

  it("of one place follows ten faults of its worker within a minute", async () => {
    const made = await serving(2);
    const old = made.of(1);
    for (let i = 0; i < 10; i += 1) old.say({ kind: "fault", text: "TypeError" });
    await settle();
    expect(made.of(1).life).toBe(2);
    made.of(1).say({ kind: "ready" });
    await settle();
    expect(old.kinds()).toEqual(["drain"]);
    old.end("exit code 0");
    expect(made.of(2).life).toBe(1);
  });
});

describe("a roll that takes a listener away", () => {
  it("has those of before accept what a replaced one leaves, and its sockets closed while the last still accepts", async () => {
    const made = await serving(3, { leaving: true });
    let hasBegun = false;
    const rolled = made.supervisor.roll("new settings", () => (hasBegun = true));
    const old = [...made.processes];
    for (const [index, one] of old.entries()) {
      await settle();
      made.of(index + 1).say({ kind: "ready" });
      await settle();
      expect(hasBegun).toBe(index === 2);
      expect(one.kinds().at(-1)).toBe("drain");
      one.end("exit code 0");
    }
    expect(await rolled).toEqual({ ok: true, replaced: 3 });
    const order = { kind: "cover", bind: GONE, isLeaving: true };
    const lent = made.processes.map(({ heard }) => heard.filter(({ kind }) => kind === "cover"));
    // New ones know nothing of that address, and whoever finishes accepts no more.
    expect(lent).toEqual([[], [{ ...order, worker: 1 }], [{ ...order, worker: 2 }], [], [], []]);
  });
});

describe("sockets of a worker that is gone", () => {
  const coversOf = (one: PlayedWorker): number =>
    one.heard.reduce((held, each) => (each.kind === "cover" ? held + 1 : each.kind === "uncover" ? 0 : held), 0);

  it("are accepted from by those who are left when one of those that covered for it goes too", async () => {
    const made = await serving(3);
    made.of(3).end();
    expect([coversOf(made.of(1)), coversOf(made.of(2))]).toEqual([1, 1]);
    made.of(1).end();
    const told = made.of(2).heard.filter((each) => each.kind === "cover");
    expect(told.slice(-2).map((each) => each.kind === "cover" && each.worker)).toEqual([3, 3]);
    expect(told.filter((each) => each.kind === "cover" && each.worker === 1)).toHaveLength(2);
  });

  it("are accepted from by the first that is back where all were gone", async () => {
    const made = await serving(2);
    made.of(1).end();
    // It goes on and off, and is to be started much later than its sibling.
    made.of(2).end();
    made.advance(60);
    made.of(1).say({ kind: "ready" });
    expect(made.of(1).heard.filter((each) => each.kind === "cover" && each.worker === 2)).toHaveLength(2);
  });
});

describe("a system that starts no process", () => {
  it("is asked again later, and leaves no place without a worker for good", async () => {
    let isFull = false;
    const made = await serving(2, { isFull: () => isFull });
    isFull = true;
    made.of(1).end("SIGKILL");
    made.advance(1_000);
    expect(made.told.some((line) => line.includes("could not be started: spawn ENOMEM"))).toBe(true);
    expect(made.running()).toHaveLength(1);
    isFull = false;
    made.advance(3_000);
    expect(made.of(1).isGone).toBe(false);
    expect(made.running()).toHaveLength(2);
  });

  it("makes a roll come to nothing, and a start", async () => {
    let isFull = false;
    const made = await serving(2, { isFull: () => isFull });
    isFull = true;
    const rolled = made.supervisor.roll("new settings");
    await settle();
    made.advance(500);
    expect(await rolled).toMatchObject({ ok: false, replaced: 0, because: expect.stringContaining("ENOMEM") });
    expect(states(made)).toEqual(["serving", "serving"]);
    const full = world(2, 0, { isFull: () => true });
    const started = full.supervisor.start();
    full.advance(500);
    expect(await started).toMatchObject({ kind: "not started", code: expect.stringContaining("ENOMEM") });
  });
});

describe("a replacement that cannot begin", () => {
  it("for one that crashed meanwhile is followed by one process, and not by two", async () => {
    const made = await serving(2);
    const rolled = made.supervisor.roll("new settings");
    await settle();
    made.processes[0]!.end("SIGKILL");
    made.of(1).say({ kind: "not started", what: "listener", where: "127.0.0.1:1", code: "EACCES" });
    made.of(1).end();
    expect(await rolled).toMatchObject({ ok: false });
    made.advance(31_000);
    expect(made.running().map(({ worker }) => worker)).toEqual([2, 1]);
  });

  it("is not begun at all when the gateway has been told to end", async () => {
    const made = await serving(2);
    const first = made.supervisor.roll("new settings");
    for (let i = 0; i < 10; i += 1) made.of(2).say({ kind: "fault", text: "TypeError" });
    await settle();
    const drained = made.supervisor.drain(0);
    for (const one of made.processes) one.end("exit code 0");
    expect(await first).toMatchObject({ ok: false });
    await drained;
    await settle();
    expect(made.running()).toEqual([]);
    expect(made.processes).toHaveLength(3);
  });
});

describe("an end", () => {
  it("in order has all finish, starts nothing any more, and kills what stays", async () => {
    const made = await serving(2);
    made.of(1).end();
    const drained = made.supervisor.drain(0);
    made.advance(10_000);
    expect(made.processes).toHaveLength(2);
    expect(made.of(2).heard.at(-1)).toEqual({ kind: "drain", idleMs: 0 });
    made.advance(DRAIN_MS);
    expect(made.of(2).killedBy).toEqual(["SIGKILL"]);
    await drained;
  });
});
