/**
 * The composition root of a worker: a process that serves, one of several under a supervisor (net/supervisor.ts). It
 * accepts from listening sockets that it inherits, and has neither admin server nor control process: what they need
 * goes over the channel.
 *
 * It heeds no signal that stops a server: Ctrl-C and a service manager reach the whole group, and the supervisor says
 * who finishes when. It ends when it is told to; when its supervisor is gone, it finishes what is under way and ends,
 * and is ended when it cannot (net/orphan-guard.ts).
 */
import { NO_MATERIAL } from "./contract/acme.ts";
import { startDataPlane } from "./compose/data-plane.ts";
import type { DataPlane } from "./compose/data-plane.ts";
import { startChecks } from "./compose/checks.ts";
import { boundByDescriptors } from "./compose/connection-bound.ts";
import { describe } from "./compose/error-text.ts";
import { createEvents } from "./compose/events.ts";
import { settingsForWorker } from "./config/worker-settings.ts";
import type { Channel, FromHub, ToHub } from "./contract/shared-knowledge.ts";
import type { Settings } from "./config/settings.ts";
import type { PutResult } from "./contract/config-desk.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./contract/worker-messages.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { answerQuestion } from "./gateway/answer-question.ts";
import { WatchedExchanges } from "./gateway/watched-exchanges.ts";
import { WorkerLink } from "./gateway/worker-link.ts";
import { systemClock, systemSchedule } from "./net/clock.ts";
import { guardOrphan } from "./net/orphan-guard.ts";
import { createSystemFacts } from "./net/system-facts.ts";
import { createWorkerSockets } from "./net/worker-sockets.ts";
import type { WorkerSockets } from "./net/worker-sockets.ts";

const ALIVE_MS = 1_000;
const ENDING: PutResult = { kind: "refused", why: "draining", detail: "the worker ends" };

function main(): void {
  process.title = "goodgate worker";
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const) process.on(signal, ignore);
  // A reader that went away is no fault, and a gateway outlives its terminal.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignore);
  let name = "a worker";
  let sockets: WorkerSockets | null = null;
  let plane: DataPlane | null = null;
  let acme = NO_MATERIAL;
  let whenAlone: () => void = ignore;
  const exchanges = new WatchedExchanges(systemClock);
  let begun: Promise<void> = Promise.resolve();
  /** What of a node's settings this worker can keep to. */
  let boundTo = (settings: Settings): Settings => settings;
  let isEnding = false;
  const channel: Channel<ToHub, FromHub> = {
    send: (message) => send({ kind: "share", message }),
    onMessage: ignore,
  };

  const onFault = (text: string): void => {
    process.stderr.write(`goodgate: a fault in Goodgate itself (gw.internal) in ${name}; serving goes on:\n${text}\n`);
    send({ kind: "fault", text });
  };
  process.on("uncaughtException", (error) => onFault(describe(error)));

  async function begin(setup: WorkerSetup): Promise<void> {
    name = `worker ${setup.worker}`;
    process.title = `goodgate ${name}`;
    // Before anything is waited for: what the hub says comes from now on.
    const { worker, workers, seed } = setup;
    const link = new WorkerLink({ clock: systemClock, schedule: systemSchedule, channel, workers });
    whenAlone = () => link.lost();
    const events = createEvents();
    events.listen((event) => send({ kind: "event", event }));
    const facts = createSystemFacts(systemClock, systemSchedule, workers);
    const own = settingsForWorker(setup.settings, worker, workers, seed);
    // What does not add up is one thing, however many find it.
    if (worker === 1) for (const note of own.notes) events.tell("limits.more-than-written", note);
    const settings = boundByDescriptors(own.settings, facts.process().descriptorsMax, events.tell);
    boundTo = (next) => {
      const part = settingsForWorker(next, worker, workers, seed).settings;
      return boundByDescriptors(part, facts.process().descriptorsMax, ignore);
    };
    sockets = createWorkerSockets(setup.sockets);
    acme = setup.acme;
    const started = await startDataPlane({
      settings,
      acme: setup.acme,
      facts,
      events,
      node: setup.node,
      worker,
      workers,
      life: setup.life,
      revision: setup.revision,
      state: setup.stateDirectory,
      ledger: setup.stateDirectory === null ? null : link.ledger,
      ofWorker: link.ports(seed),
      tellFact: (fact) => send({ kind: "fact", fact }),
      tellTraces: (records, leftOut) => send({ kind: "traces", records, leftOut }),
      keeper: sockets.keeper,
      seed,
      onFault,
    });
    if (!started.ok) {
      send({ kind: "not started", what: started.what, where: started.where, code: started.code });
      leave();
      return;
    }
    plane = started.plane;
    // What came meanwhile.
    plane.setAcme(acme);
    followChecks(link, plane.gateway);
    plane.gateway.view.subscribe((event) => {
      if (exchanges.wants(event)) send({ kind: "event", event });
    });
    send({ kind: "ready" });
    guardOrphan();
  }

  /** Other settings: the part of them that is this worker's. */
  async function put({ number, settings, revision }: Extract<ToWorker, { kind: "put" }>): Promise<void> {
    await begun;
    const result = isEnding || plane === null ? ENDING : await plane.put(boundTo(settings), revision);
    send({ kind: "put", number, result });
  }

  /** Finishes what is under way within the bound. */
  async function drain(idleMs: number): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    await plane?.gateway.drain(idleMs);
    await plane?.close();
    leave();
  }

  async function stop(): Promise<void> {
    isEnding = true;
    await plane?.gateway.close();
    await plane?.close();
    leave();
  }

  const fail = (error: unknown): never => {
    onFault(describe(error));
    process.exit(1);
  };
  process.once("disconnect", () => {
    whenAlone();
    process.stderr.write(`goodgate: ${name} has no supervisor any more; it finishes what is under way and ends\n`);
    drain(0).catch(fail);
  });
  process.on("message", (told, socket) => {
    // Both ends of the channel are this program's, and of one version.
    const message = told as ToWorker;
    switch (message.kind) {
      case "begin":
        begun = begin(message.setup);
        begun.catch(fail);
        return;
      case "cover":
        sockets?.cover(message, socket);
        return;
      case "uncover":
        sockets?.uncover(message.worker);
        return;
      case "watched":
        exchanges.on = message.on;
        return;
      case "put":
        put(message).catch(fail);
        return;
      case "acme":
        acme = message.material;
        plane?.setAcme(acme);
        return;
      case "reopen":
        plane?.reopenLog();
        return;
      case "drain":
        drain(message.idleMs).catch(fail);
        return;
      case "stop":
        stop().catch(fail);
        return;
      case "share":
        channel.onMessage(message.message);
        return;
      case "ask":
        if (plane !== null) {
          const answer = answerQuestion(plane.gateway, message.question);
          send({ kind: "answer", number: message.number, answer });
        }
        return;
    }
  });
  setInterval(() => send({ kind: "alive" }), ALIVE_MS);
}

/** One worker checks for all; which one is the hub's to say. */
function followChecks(link: WorkerLink, gateway: Gateway): void {
  let checks: { stop(): void } | null = null;
  link.followChecker((on) => {
    checks?.stop();
    checks = on ? startChecks(gateway) : null;
  });
}

/** The supervisor may be gone, which `disconnect` tells. */
function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, ignore);
}

/** When what was sent last has left. */
function leave(): void {
  if (!process.connected) process.exit(0);
  process.send?.({ kind: "alive" } satisfies FromWorker, undefined, undefined, () => process.exit(0));
}

function ignore(): void {
  // Somebody else decides.
}

main();
