import { describe, expect, it } from "vitest";
import { settingsFrom } from "../../test/support/gateway-parts.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { PutResult } from "../contract/config-desk.ts";
import type { FromWorker, ToWorker, WorkerChannel } from "../contract/worker-messages.ts";
import { WorkerPuts } from "./worker-puts.ts";
import type { Put } from "./worker-puts.ts";

const settings = settingsFrom({ services: { app: { pools: [{ origins: ["http://10.0.0.1"] }] } } });
const putOf = (hash: string): Put => ({
  settings,
  revision: { number: 2, hash, at: 0, by: "", reason: "", changes: [{ path: "x", from: null, to: null }] },
});
const OLD = putOf("old");
const NEW = putOf("new");
const APPLIED: PutResult = { kind: "applied" };
const REFUSED: PutResult = { kind: "refused", why: "unusable", detail: "no" };

/** A worker that answers as it is told to; null: not at all. */
function worker(number: number, answer: () => PutResult | null) {
  const asked: string[] = [];
  let hear: (message: FromWorker) => void = () => undefined;
  const ends: (() => void)[] = [];
  const channel: WorkerChannel = {
    worker: number,
    life: 1,
    pid: number,
    send(message: ToWorker) {
      if (message.kind !== "put") return;
      asked.push(message.revision?.hash ?? "look");
      const result = answer();
      if (result !== null) queueMicrotask(() => hear({ kind: "put", number: message.number, result }));
    },
    onMessage: (listener) => void (hear = listener),
    onRetire: () => undefined,
    onEnd: (listener) => void ends.push(() => listener("SIGKILL")),
  };
  return { channel, asked, end: () => ends.forEach((end) => end()) };
}

function world(...answers: (() => PutResult | null)[]) {
  const time = manualSchedule();
  const puts = new WorkerPuts(time.schedule);
  const workers = answers.map((answer, index) => worker(index + 1, answer));
  for (const { channel } of workers) puts.follow(channel, "old");
  return { puts, workers, asked: () => workers.map(({ asked }) => asked), advance: time.advance };
}

describe("settings for several workers", () => {
  it("are put into effect in all of them", async () => {
    const { puts, asked } = world(
      () => APPLIED,
      () => APPLIED,
    );
    expect(await puts.put(NEW, OLD)).toEqual(APPLIED);
    expect(asked()).toEqual([["new"], ["new"]]);
  });

  it("that the first one refuses no other hears of", async () => {
    const { puts, asked } = world(
      () => REFUSED,
      () => APPLIED,
    );
    expect(await puts.put(NEW, OLD)).toEqual(REFUSED);
    expect(asked()).toEqual([["new"], []]);
  });

  it("that a later one refuses are taken back", async () => {
    const { puts, asked } = world(
      () => APPLIED,
      () => REFUSED,
      () => APPLIED,
    );
    expect(await puts.put(NEW, OLD)).toEqual(REFUSED);
    expect(asked()).toEqual([["new", "old"], ["new"], []]);
  });

  it("reach a worker that began meanwhile with those before", async () => {
    const late = worker(3, () => APPLIED);
    const { puts, workers } = world(
      () => APPLIED,
      () => {
        puts.follow(late.channel, "old");
        return APPLIED;
      },
    );
    expect(await puts.put(NEW, OLD)).toEqual(APPLIED);
    expect(late.asked).toEqual(["new"]);
    expect(workers[0]?.asked).toEqual(["new"]);
  });

  it("do not wait for a worker that ends", async () => {
    const { puts, workers, asked } = world(
      () => null,
      () => APPLIED,
    );
    const done = puts.put(NEW, OLD);
    workers[0]?.end();
    expect(await done).toEqual(APPLIED);
    expect(asked()).toEqual([["new"], ["new"]]);
  });

  it("are given up when a worker does not answer", async () => {
    const { puts, advance } = world(() => null);
    const done = puts.put(NEW, OLD);
    advance(30_000);
    // It may have taken them all the same, so it is told again what holds.
    for (let round = 0; round < 12; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      advance(30_000);
    }
    expect(await done).toMatchObject({ kind: "refused", detail: "worker 1 did not answer within 30 s" });
  });

  it("are only looked at by one of them", async () => {
    const { puts, asked } = world(
      () => APPLIED,
      () => APPLIED,
    );
    expect(await puts.look(settings)).toEqual(APPLIED);
    expect(asked()).toEqual([["look"], []]);
  });
});
