/** Several workers shown as one gateway: real gateways behind channels that a test plays. */
import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_PROCESS } from "../../test/support/gateway-parts.ts";
import { seededChance } from "../../test/support/memory-gateway.ts";
import { workerGroup } from "../../test/support/worker-group.ts";
import type { GroupWorker } from "../../test/support/worker-group.ts";
import type { FromWorker, ToWorker, WorkerChannel, WorkerLife } from "../contract/worker-messages.ts";
import type { GatewayEvent } from "../contract/view.ts";
import { answerQuestion } from "../gateway/answer-question.ts";
import { NodeView } from "./node-view.ts";

const OK = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

interface Played {
  readonly worker: GroupWorker;
  readonly number: number;
  /** It hears and answers nothing. */
  silent: boolean;
  watched: boolean;
  end(): void;
}

interface Node {
  readonly time: ManualSchedule;
  readonly view: NodeView;
  readonly played: Played[];
  readonly lives: WorkerLife[];
  follow(worker: GroupWorker, number: number): Played;
  /** Asks all and lets the time pass that a silent one costs. */
  refresh(): Promise<void>;
}

function node(): Node {
  const time = manualSchedule(10_000);
  const lives: WorkerLife[] = [];
  const view = new NodeView({
    clock: time.clock,
    schedule: time.schedule,
    version: "0.0.0",
    startedAt: 1,
    records: { failedMax: 10, slowestMax: 5, sampledMax: 5 },
    listeners: () => [{ name: "127.0.0.1:8080", address: "127.0.0.1", port: 8080 }],
    lives: () => lives,
    isDraining: () => false,
    own: () => ({ ...NO_PROCESS, cpuSeconds: 1, residentBytes: 1_000 }),
    ledger: () => ({ keys: 3, bytes: 4 }),
  });
  const self: Node = {
    time,
    view,
    played: [],
    lives,
    follow(worker, number) {
      const hearers: ((message: FromWorker) => void)[] = [];
      const enders: ((why: string) => void)[] = [];
      const pid = 100 + self.played.length;
      const tell = (message: FromWorker): void => hearers.forEach((hear) => hear(structuredClone(message)));
      const played: Played = {
        worker,
        number,
        silent: false,
        watched: false,
        end() {
          played.silent = true;
          enders.forEach((hear) => hear("SIGKILL"));
        },
      };
      const channel: WorkerChannel = {
        worker: number,
        life: 1,
        pid,
        send(message: ToWorker) {
          if (message.kind === "watched") played.watched = message.on;
          if (message.kind !== "ask" || played.silent) return;
          const answer = answerQuestion(worker.gateway, message.question);
          queueMicrotask(() => tell({ kind: "answer", number: message.number, answer }));
        },
        onMessage: (hear) => void hearers.push(hear),
        onRetire: () => undefined,
        onEnd: (hear) => void enders.push(hear),
      };
      self.played.push(played);
      view.follow(channel);
      worker.gateway.view.subscribe((event) => tell({ kind: "event", event }));
      lives.push({ worker: number, pid, state: "serving", since: 5, because: "it runs", restarts: 0 });
      return played;
    },
    async refresh() {
      time.advance(200);
      const done = view.refresh();
      await new Promise((resolve) => setImmediate(resolve));
      time.advance(300);
      await done;
    },
  };
  return self;
}

function exchange(world: GroupWorker, status = 200): void {
  const client = world.client();
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const origin = world.network.dialled.at(-1);
  if (status === 0) origin?.rst();
  else origin?.send(OK);
  client.rst();
}

async function two(
  options: Parameters<typeof workerGroup>[0] = {},
): Promise<Node & { a: GroupWorker; b: GroupWorker; advance: (ms: number) => void }> {
  const all = workerGroup({ service: { retry: false }, chance: seededChance(), ...options });
  const [a, b] = [await all.join(), await all.join()];
  const it_ = node();
  it_.follow(a, 1);
  it_.follow(b, 2);
  return { ...it_, a, b, advance: (ms) => all.advance(ms) };
}

describe("several workers as one gateway", () => {
  it("add up what they counted, and have a row each", async () => {
    const { a, b, view, refresh } = await two();
    for (let count = 0; count < 3; count += 1) exchange(a);
    exchange(b);
    exchange(b, 0);
    const open = b.client();
    await refresh();
    const { routes, connectionsAccepted, process, ledger } = view.metrics();
    const route = routes.find(({ route: name }) => name === "default");
    expect(route?.byStatus).toMatchObject({ "2xx": 4, "5xx": 1 });
    expect(route?.duration.count).toBe(5);
    expect(connectionsAccepted).toBe(6);
    expect(process).toMatchObject({ cpuSeconds: 1, residentBytes: 1_000 });
    expect(ledger).toEqual({ keys: 3, bytes: 4 });
    const status = view.status();
    expect(status).toMatchObject({ connections: 1, exchangesTotal: 5, state: "serving" });
    expect(status.workers.map(({ worker, exchanges, connections }) => [worker, exchanges, connections])).toEqual([
      [1, 3, 0],
      [2, 2, 1],
    ]);
    open.rst();
  });

  it("count on when one of them has died and another has its place", async () => {
    const { a, b, view, refresh, played, follow, lives } = await two();
    for (let count = 0; count < 7; count += 1) exchange(a);
    exchange(b);
    await refresh();
    const before = view.metrics();
    played[0]?.end();
    lives.shift();
    const counted = (): number => view.metrics().routes.find(({ route }) => route === "default")?.byStatus["2xx"] ?? -1;
    expect(counted()).toBe(8);
    expect(view.metrics().connectionsAccepted).toBe(before.connectionsAccepted);
    expect(view.metrics().origins[0]?.attempts).toBe(before.origins[0]?.attempts);
    const replacement = await workerGroup().join();
    follow(replacement, 1);
    exchange(replacement);
    await refresh();
    expect(counted()).toBe(9);
    expect(view.status().exchangesTotal).toBe(9);
    expect(view.status().workers.find(({ worker }) => worker === 1)?.exchanges).toBe(8);
  });

  it("are shown as they were where one does not answer, after a quarter of a second at most", async () => {
    const { a, b, view, refresh, played } = await two();
    exchange(a);
    await refresh();
    const [silent] = played;
    if (silent !== undefined) silent.silent = true;
    exchange(a);
    exchange(b);
    await refresh();
    expect(view.status().exchangesTotal).toBe(2);
  });

  it("say how many of them see an origin out of use, where not all do", async () => {
    const { a, view, refresh, advance } = await two({
      origins: ["http://10.0.0.1", "http://10.0.0.2"],
      service: { retry: false, ejection: { consecutiveFailures: 1 } },
    });
    for (let count = 0; count < 20; count += 1) exchange(a);
    while (!a.gateway.view.origins().some(({ addresses }) => addresses[0]?.state === "ejected")) exchange(a, 0);
    await refresh();
    const seen = (): string[] =>
      view
        .origins()
        .flatMap(({ addresses }) => addresses.filter(({ state }) => state === "ejected").map((one) => one.because));
    expect(seen()).toEqual([expect.stringMatching(/in a row failed.*\(at 1 of 2 workers\)$/)]);
    expect(view.status().services[0]).toMatchObject({ state: "degraded" });
    advance(100);
    await refresh();
    expect(seen()).toEqual([expect.not.stringMatching(/workers/)]);
  });

  it("tell what happened to an origin once, though each of them comes to know of it", async () => {
    const { a, b, view, advance } = await two({
      origins: ["http://10.0.0.1", "http://10.0.0.2"],
      service: { retry: false, ejection: { consecutiveFailures: 1 } },
    });
    const events: GatewayEvent[] = [];
    view.listen((event) => events.push(event));
    for (let count = 0; count < 20; count += 1) exchange(a);
    while (!events.some(({ kind }) => kind === "origin")) exchange(a, 0);
    advance(200);
    expect(events.filter(({ kind }) => kind === "origin")).toHaveLength(1);
    a.gateway.tell("pressure.warning", "memory runs out in 10 s");
    expect(events.at(-1)).toMatchObject({ detail: "worker 1: memory runs out in 10 s" });
    // Each reads the same files and is given the same configuration.
    const before = events.length;
    for (const code of ["config.applied", "certificate.refused"]) {
      for (const what of ["one", "two"]) for (const world of [a, b]) world.gateway.tell(code, what);
      for (const what of ["one", "two"]) b.gateway.tell(code, what);
    }
    expect(events.slice(before).map((event) => (event.kind === "gateway" ? event.detail : ""))).toEqual([
      "one",
      "two",
      "one",
      "two",
    ]);
  });

  it("tell single exchanges only while somebody wants them", async () => {
    const { a, view, played } = await two();
    view.listen((event) => {
      if (event.kind === "exchange") throw new Error("nobody asked for it");
    });
    expect(played.map(({ watched }) => watched)).toEqual([false, false]);
    const events: GatewayEvent[] = [];
    const leave = view.subscribe((event) => events.push(event));
    expect(played.map(({ watched }) => watched)).toEqual([true, true]);
    exchange(a);
    expect(events.at(-1)?.kind).toBe("exchange");
    leave();
    expect(played.map(({ watched }) => watched)).toEqual([false, false]);
  });

  it("find an exchange that only one of them remembers, and one of a worker that is gone", async () => {
    const { a, view, played, time } = await two();
    exchange(a, 0);
    const id = a.records.at(-1)?.id ?? "";
    expect(view.exchange(id)).toBeNull();
    const found = view.seek(id);
    await new Promise((resolve) => setImmediate(resolve));
    time.advance(300);
    expect((await found)?.id).toBe(id);
    view.keep(a.records);
    played[0]?.end();
    expect(view.exchange(id)?.cause).toBe("origin.reset_before_response");
    expect(view.exchanges({ outcome: "failed" })).toHaveLength(1);
  });

  it("purge at all of them, and have one of them take an origin out for all", async () => {
    const { a, b, view, advance } = await two({
      origins: ["http://10.0.0.1", "http://10.0.0.2"],
      service: { retry: false, routes: [{ match: { path: "/*" }, cache: true }] },
    });
    for (const world of [a, b]) {
      const client = world.client();
      client.send("GET /thing HTTP/1.1\r\nHost: x\r\n\r\n");
      world.network.dialled
        .at(-1)
        ?.send("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
      client.rst();
    }
    expect(await view.actions.purgeCache({ kind: "prefix", prefix: "/" })).toEqual({ purged: 2 });
    const order = { service: "test", origin: "http://10.0.0.1", by: "ann", reason: "new kernel", forMs: 60_000 };
    expect(await view.actions.drainOrigin(order)).toMatchObject({ done: true });
    advance(100);
    for (const world of [a, b]) expect(world.gateway.view.origins()[0]?.addresses[0]?.state).toBe("drained");
  });
});
