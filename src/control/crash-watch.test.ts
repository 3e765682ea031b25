import { describe, expect, it } from "vitest";
import { sampleSecond, sampleTopology } from "../../test/support/sample-facts.ts";
import type { EventFact, Fact, SecondFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { Engine } from "./engine-port.ts";
import { createEngine } from "./engine.ts";

const START = Date.parse("2026-01-15T12:00:00Z");
const LOOP = "it ended 5 times within 60 s, last by SIGSEGV; it is started again in 2 s, and at most every 30 s";

function told(worker: number, seconds: number, code: string, detail = LOOP): EventFact {
  const at = START + seconds * 1000;
  return {
    kind: "event",
    node: "edge-1",
    worker,
    revision: "0123456789ab",
    at,
    event: { kind: "gateway", at, code, detail },
  };
}

/** Twenty exchanges in each second of each of two workers, of which so many fail. */
function second(seconds: number, worker: number, failed = 0): SecondFact {
  const byOutcome = { served: 20 - failed, rescued: 0, failed, refused: 0, aborted: 0 };
  return sampleSecond(START + seconds * 1000, {
    worker,
    traffic: [
      {
        service: "shop",
        route: "default",
        class: "normal",
        byOutcome,
        byCause: failed > 0 ? { "origin.refused": failed } : {},
        duration: [[40, 20]],
        durationSumUs: 20_000,
        retries: 0,
        retriesRefusedByBudget: 0,
      },
    ],
  });
}

/** Ends at 5, 8, 11, 14 and from 17 on every thirty seconds a loop. */
function looping(worker: number, seconds: number): Fact[] {
  if ([5, 8, 11, 14].includes(seconds)) return [told(worker, seconds, "worker.ended", "it ended (SIGSEGV)")];
  return seconds >= 17 && (seconds - 17) % 30 === 0 ? [told(worker, seconds, "worker.crash-loop")] : [];
}

function lived(seconds: number, factsAt: (second: number) => readonly Fact[]): { engine: Engine; all: Incident[] } {
  const engine = createEngine();
  engine.step(sampleTopology({ at: START }));
  for (let at = 0; at < seconds; at += 1) {
    for (const fact of factsAt(at)) engine.step(fact);
    engine.step(second(at, 1));
    engine.step(second(at, 2));
    engine.tick(START + (at + 1) * 1000);
  }
  return { engine, all: [...engine.answer({ ask: "incidents" })] };
}

describe("a worker that crashes again and again", () => {
  it("is one incident that names it, says what is done and what to do, and goes on for as long as it does", () => {
    const { engine, all } = lived(120, (at) => looping(2, at));
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({
      state: "open",
      severity: "warning",
      cause: "gw.crash_loop",
      party: "gateway",
      verdict: "decided",
      title: "Worker 2 of edge-1 crashes again and again",
      where: { worker: "edge-1/2" },
      services: [],
      firstFailureAt: START + 5_000,
      nextStep: expect.stringContaining("Read what it printed before it ended") as string,
    });
    const [best] = all[0]?.hypotheses ?? [];
    expect(best?.for[0]).toMatchObject({ cites: [{ kind: "event", code: "worker.crash-loop" }] });
    expect(best?.for[0]?.text).toContain("last by SIGSEGV");
    // Each end of the loop says the same: once is enough.
    expect(all[0]?.timeline.filter(({ kind }) => kind === "automation").map(({ text }) => text)).toEqual([
      `Worker 2 of edge-1: ${LOOP}.`,
    ]);
    // Its sibling serves, so no service is disturbed by it.
    expect(engine.answer({ ask: "health" }).map(({ state }) => state)).toEqual(["well"]);
  });

  it("is over after it has run for a while, and said to be", () => {
    const { all } = lived(300, (at) =>
      at < 100 ? looping(1, at) : at === 100 ? [told(1, 100, "worker.running", "it has run for 60 s")] : [],
    );
    expect(all.map(({ state }) => state)).toEqual(["closed"]);
    expect(all[0]?.timeline.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["first failure", "detected", "automation", "effect", "recovered", "closed"]),
    );
  });

  it("is one incident with another that does, and none with an origin that fails meanwhile", () => {
    const { all } = lived(90, (at) => [
      ...looping(1, at),
      ...looping(2, at),
      ...(at >= 40 ? [second(at, 3, 15)] : [second(at, 3)]),
    ]);
    expect(all.map(({ cause, services }) => [cause === "gw.crash_loop", services])).toEqual(
      expect.arrayContaining([
        [true, []],
        [false, ["shop"]],
      ]),
    );
    expect(all).toHaveLength(2);
    expect(all.find(({ cause }) => cause === "gw.crash_loop")?.title).toBe("2 workers of edge-1 crash again and again");
  });

  it("is no incident after one end, or a few that are far apart, and is forgotten when nobody tells of it any more", () => {
    const ended = (at: number): Fact[] => (at % 30 === 5 ? [told(2, at, "worker.ended", "it ended (SIGKILL)")] : []);
    expect(lived(200, ended).all).toEqual([]);
    const { all } = lived(1_200, (at) => (at < 60 ? looping(2, at) : []));
    expect(all.map(({ state }) => state)).toEqual(["closed"]);
  });

  it("is not put on a gateway of one process, which nobody supervises", () => {
    expect(lived(60, (at) => looping(0, at)).all).toEqual([]);
  });
});
