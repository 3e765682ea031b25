/** What a process does with signals and orders while its place goes to another one. Processes are in test/e2e. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Heritage } from "../net/heritage.ts";
import { whyNotNow } from "./by-another.ts";
import { createEvents } from "./events.ts";
import { running } from "./process-life.ts";
import type { Given, Running } from "./process-life.ts";

const HEIR = 4_711_000;
const SIGNALS = ["SIGHUP", "SIGTERM", "SIGINT", "SIGUSR1", "SIGUSR2", "uncaughtException"] as const;
const HERITAGE: Heritage = {
  from: "service manager",
  state: null,
  isWaitedFor: false,
  isKept: false,
  take: () => null,
  closeRest: () => [],
};

let before = new Map<string, readonly unknown[]>();
let killed: unknown[] = [];
beforeEach(() => {
  before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal as NodeJS.Signals)]));
  killed = [];
  vi.spyOn(process, "kill").mockImplementation((pid, signal) => {
    killed.push([pid, signal]);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal as NodeJS.Signals)) {
      if (before.get(signal)?.includes(listener) !== true) process.off(signal, listener);
    }
  }
});

interface World {
  readonly life: Running;
  readonly reloads: string[];
  /** The successor that is being started serves, or does not. */
  become(given: Given): Promise<void>;
}

function world(): World {
  const reloads: string[] = [];
  const given = Promise.withResolvers<Given>();
  const life = running({
    listeners: [],
    admin: null,
    drainMs: () => 1_000,
    config: {
      state: () => {
        throw new Error("nobody asks");
      },
      shown: () => {
        throw new Error("nobody asks");
      },
      apply: () => Promise.reject(new Error("nobody applies")),
      reload({ by }) {
        reloads.push(by);
        return Promise.resolve({ kind: "refused", why: "no file", detail: "", problems: [] });
      },
    },
    events: createEvents(),
    subscribe: () => undefined,
    end: () => Promise.resolve(),
    // Somebody is told of each process, so none stays for another.
    takeover: {
      heritage: HERITAGE,
      predecessor: null,
      manager: {
        serves: () => Promise.resolve(),
        tell: () => Promise.resolve(),
        reloads: () => Promise.resolve(),
        isReloaded: () => Promise.resolve(),
        close: () => undefined,
      },
    },
    giveOn: () => given.promise,
    cut: () => Promise.resolve(),
  });
  return {
    life,
    reloads,
    async become(what) {
      given.resolve(what);
      await turn();
    },
  };
}

/** Everything that waits for promises alone has gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

const SERVES: Given = {
  ok: true,
  successor: { pid: HEIR, endKeys: () => Promise.resolve(), send: () => Promise.resolve() },
  end: () => new Promise(() => undefined),
};

describe("a process whose successor is being started", () => {
  it("refuses changes of the configuration, which that one would not know", async () => {
    const { life, become } = world();
    expect(whyNotNow(life)).toBeNull();
    const handed = life.handOn("goodgate upgrade", null);
    expect(whyNotNow(life)).toMatchObject({ kind: "refused", why: "draining" });
    await become({ ok: false, because: "it ended" });
    expect(await handed).toEqual({ ok: false, because: "it ended" });
    expect(whyNotNow(life)).toBeNull();
  });

  it("keeps a SIGHUP for whoever serves then: the successor", async () => {
    const { life, reloads, become } = world();
    const handed = life.handOn("goodgate upgrade", null);
    process.emit("SIGHUP");
    await turn();
    expect([reloads, killed]).toEqual([[], []]);
    await become(SERVES);
    expect(await handed).toEqual({ ok: true, pid: HEIR });
    await turn();
    expect([reloads, killed]).toEqual([[], [[HEIR, "SIGHUP"]]]);
    process.emit("SIGHUP");
    await turn();
    expect(killed).toHaveLength(2);
  });

  it("keeps a SIGHUP for whoever serves then: itself, when the successor does not", async () => {
    const { life, reloads, become } = world();
    const handed = life.handOn("goodgate upgrade", null);
    process.emit("SIGHUP");
    await become({ ok: false, because: "it hung" });
    await handed;
    await turn();
    expect([reloads, killed]).toEqual([["SIGHUP"], []]);
  });

  it("starts no second one, and tells the first to end when it is told to end itself", async () => {
    const { life, become } = world();
    const first = life.handOn("goodgate upgrade", null);
    expect(await life.handOn("goodgate upgrade", null)).toMatchObject({ ok: false });
    life.stop(0, "SIGTERM");
    await become(SERVES);
    expect(await first).toMatchObject({ ok: false });
    expect(killed).toEqual([[HEIR, "SIGTERM"]]);
  });
});
