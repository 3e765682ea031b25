import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { Fact } from "../contract/facts.ts";
import { MergedFacts } from "./merged-facts.ts";

/** What a worker with this number tells of its life. */
async function toldBy(worker: number): Promise<Fact[]> {
  const facts: Fact[] = [];
  const machine = (): { portsMax: number; diskFreeBytes: number; diskBytes: number } => ({
    portsMax: 0,
    diskFreeBytes: 0,
    diskBytes: 0,
  });
  const told = { node: "n1", worker, revision: "r1", tell: (fact: Fact) => void facts.push(fact), machine };
  const world = await memoryGateway({ origins: ["http://a.test"], ofWorker: () => ({ facts: told }) });
  world.names.answer("a.test", ["10.0.0.1"]);
  world.names.answer("a.test", ["10.0.0.2", "10.0.0.1"]);
  world.gateway.tell("pressure.warning", "memory runs out in 10 s");
  world.advance(1_100);
  return facts;
}

describe("the facts of several workers", () => {
  it("are told once where one thing happened, and by each where each has its own", async () => {
    const merged = new MergedFacts();
    const told: Fact[] = [];
    for (const worker of [1, 2]) {
      for (const fact of await toldBy(worker)) {
        const kept = merged.merge(fact, 1_000);
        if (kept !== null) told.push(kept);
      }
    }
    const changes = told.flatMap((fact) => (fact.kind === "change" ? [[fact.what, fact.where["worker"] ?? ""]] : []));
    expect(changes.filter(([what]) => what === "dns answer changed")).toHaveLength(1);
    // Two processes began, and each says which.
    expect(changes.filter(([what]) => what === "gateway started")).toEqual([
      ["gateway started", "n1/1"],
      ["gateway started", "n1/2"],
    ]);
    const seconds = told.filter((fact) => fact.kind === "second");
    expect(new Set(seconds.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
    const warnings = told.flatMap((fact) =>
      fact.kind === "event" && fact.event.kind === "gateway" ? [fact.event.detail] : [],
    );
    expect(warnings).toEqual(["worker 1: memory runs out in 10 s", "worker 2: memory runs out in 10 s"]);
  });

  it("are told again when it happens again, a while later", () => {
    const merged = new MergedFacts();
    const change = {
      kind: "change",
      at: 1,
      id: "a",
      what: "dns answer changed",
      where: {},
      text: "x",
      by: "",
    } as const;
    expect(merged.merge(change, 0)).toBe(change);
    expect(merged.merge({ ...change, id: "b" }, 4_000)).toBeNull();
    expect(merged.merge({ ...change, id: "c" }, 6_000)).not.toBeNull();
  });
});
