/**
 * A gateway in several workers: this process opens the listening sockets, supervises the workers, and has the admin
 * server, the control process and the ledger of keys beside it. It carries no traffic.
 */
import { hostname } from "node:os";
import type { StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import { needsNewProcess, withFieldsOf } from "../config/needs-new-process.ts";
import type { PutResult } from "../contract/config-desk.ts";
import { revisionInWords } from "../contract/revision.ts";
import type { HandedOn } from "../contract/succession.ts";
import type { News } from "../contract/shared-knowledge.ts";
import type { ToWorker, WorkerChannel } from "../contract/worker-messages.ts";
import { createConfigDesk } from "../control/config-desk.ts";
import { MergedFacts } from "../control/merged-facts.ts";
import { NodeView } from "../control/node-view.ts";
import { LedgerDesk } from "../control/ledger-desk.ts";
import { WorkerHub } from "../control/worker-hub.ts";
import { WorkerPuts } from "../control/worker-puts.ts";
import { createKeyDesk } from "../gateway/key-desk.ts";
import { createIdSource, systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { createSupervisor, notStartedText } from "../net/supervisor.ts";
import type { Supervisor } from "../net/supervisor.ts";
import { createSystemFacts } from "../net/system-facts.ts";
import { FIRST_SOCKET, forkWorker } from "../net/worker-fork.ts";
import { openAcme } from "./acme.ts";
import { putWithAdmin, startAdmin } from "./admin.ts";
import type { AdminSite } from "./admin.ts";
import { createBridge, revisionOf, startControl } from "./control.ts";
import { LAST_WORDS_MS } from "./data-plane.ts";
import { listenFailure } from "./error-text.ts";
import { adminSocket } from "./kept-sockets.ts";
import { bindListeners } from "./listener-sockets.ts";
import type { ListenerSockets } from "./listener-sockets.ts";
import type { StartedWith } from "./one-process.ts";
import { byAnother, whyFixed, whyNotNow } from "./by-another.ts";
import { running } from "./process-life.ts";
import type { Given } from "./process-life.ts";
import { readTextAgain } from "./read-text.ts";
import { missingSecret } from "./secret-sources.ts";
import { watchSocketFiles } from "./socket-files.ts";
import { stateDirectoryOf } from "./state.ts";
import { giveOn, HAND_OVER_IDLE_MS, knownBefore, takeKeys, tookOver } from "./takeover.ts";
import type { Order } from "./takeover.ts";
import { VERSION } from "./version.ts";
import { workerCount } from "./worker-count.ts";

const WORKER = new URL(import.meta.url.endsWith(".ts") ? "../worker.ts" : "../worker.js", import.meta.url);

const ACME_SETTLE_MS = 250;

/** What a worker begins with. */
interface Begin {
  readonly settings: Settings;
  readonly hash: string;
}

interface Crew {
  readonly workers: number;
  readonly hub: WorkerHub;
  readonly supervisor: Supervisor;
  begin: Begin;
}

interface NotRenewed {
  /** So many have been replaced all the same. */
  readonly replaced: number;
  readonly because: string;
}

export async function startSupervised(
  settings: Settings,
  workers: number,
  { events, takeover, options }: StartedWith,
): Promise<StartResult> {
  const state = stateDirectoryOf(settings, takeover.heritage.state);
  const taken = await takeKeys(settings, state, takeover, events.tell);
  if (!taken.ok) return taken;
  const { keys } = taken;
  let sockets: ListenerSockets;
  try {
    sockets = await bindListeners(settings.listeners, workers, takeover.heritage);
  } catch (error) {
    await keys.close();
    return { ok: false, what: "listener", ...listenFailure(error, settings.listeners[0]?.bind ?? null) };
  }
  /** What workers begin with from now on. */
  let current: Begin = { settings, hash: revisionOf(settings) };
  const newId = createIdSource();
  const seed = newId() + newId();
  const bridge = createBridge();

  const facts = createSystemFacts(systemClock, systemSchedule);
  let isDraining = false;
  const view = new NodeView({
    clock: systemClock,
    schedule: systemSchedule,
    version: VERSION,
    startedAt: systemClock.wall(),
    records: settings.records,
    listeners: () =>
      current.settings.listeners.map(({ name, bind }, index) => ({
        name,
        address: sockets.addresses[index]?.host ?? bind.host,
        port: sockets.addresses[index]?.port ?? bind.port,
      })),
    lives: () => crew.supervisor.lives(),
    isDraining: () => isDraining,
    own: () => facts.process(),
    ledger: () => keys.ledger?.view() ?? { keys: 0, bytes: 0 },
  });
  const desk = new LedgerDesk(keys.ledger);
  /** For the terminal and for the stream of events alike. */
  const tell = (code: string, detail: string): void =>
    view.tell(0, { kind: "gateway", at: systemClock.wall(), code, detail });
  const factsOfAll = new MergedFacts();

  const puts = new WorkerPuts(systemSchedule);

  function follow(channel: WorkerChannel, hub: WorkerHub, hash: string): void {
    view.follow(channel);
    puts.follow(channel, hash);
    const member = hub.join(channel.worker, (message) => channel.send({ kind: "share", message }));
    channel.onMessage((message) => {
      if (message.kind === "share") member.hear(message.message);
      else if (message.kind === "fact") {
        const fact = factsOfAll.merge(message.fact, systemClock.monotonic());
        if (fact !== null) bridge.tell(fact);
      } else if (message.kind === "traces") bridge.tellTraces(message.records, message.leftOut);
    });
    channel.onRetire(() => member.retire());
    channel.onEnd(() => member.leave());
  }

  /** So many workers, and what they know together. `begin`: what those that begin from now on begin with. */
  function createCrew(begin: Begin, workers: number, known: readonly News[], livesBefore: number): Crew {
    const hub = new WorkerHub({
      clock: systemClock,
      settings: begin.settings,
      workers,
      keys: desk,
      onKept: (records) => view.keep(records),
      known,
    });
    const supervisor = createSupervisor({
      workers,
      livesBefore,
      drainMs: () => current.settings.drainMs,
      start(worker, life, listener) {
        const { descriptors, binds } = sockets.ofWorker(worker, workers);
        const child = forkWorker(WORKER, descriptors, listener);
        let next = FIRST_SOCKET;
        const inherited = binds.map(({ bind, count }) => {
          const first = next;
          next += count;
          return { bind, descriptors: Array.from({ length: count }, (_, index) => first + index) };
        });
        child.send({
          kind: "begin",
          setup: {
            version: VERSION,
            node: nodeOf(own.begin.settings),
            worker,
            workers,
            life,
            settings: own.begin.settings,
            revision: own.begin.hash,
            seed,
            acme: acme.material,
            stateDirectory: state,
            sockets: inherited,
          },
        });
        return child;
      },
      sockets: (worker) => sockets.handlesOf(worker, workers),
      leaving: (worker) => sockets.leavingOf(worker, workers),
      onLife: (channel) => follow(channel, hub, own.begin.hash),
      clock: systemClock,
      schedule: systemSchedule,
      chance: systemChance,
      tell,
      noted(worker, code, detail) {
        const at = systemClock.wall();
        const { settings: its, hash: revision } = own.begin;
        const event = { kind: "gateway" as const, at, code, detail };
        bridge.tell({ kind: "event", node: nodeOf(its), worker, revision, at, event });
      },
      onHopeless: (detail) => stop(70, detail),
    });
    const own: Crew = { workers, hub, supervisor, begin };
    return own;
  }
  const crewsLeaving = new Map<Crew, Promise<void>>();
  const broadcast = (message: ToWorker): void => {
    for (const { supervisor } of [crew, ...crewsLeaving.keys()]) supervisor.broadcast(message);
  };

  function begin(next: Begin): void {
    current = next;
    crew.begin = next;
    crew.hub.configure(next.settings);
  }

  /**
   * New workers take the places of the old ones: one after the other where there are as many, otherwise all of them
   * before the old ones stop to accept, so that no socket is without. When one cannot begin, all stays as it is.
   */
  async function renew(next: Begin, why: string): Promise<PutResult> {
    let opened: Awaited<ReturnType<ListenerSockets["change"]>>;
    try {
      opened = await sockets.change(next.settings.listeners);
    } catch (error) {
      const { where, code } = listenFailure(error, next.settings.listeners[0]?.bind ?? null);
      return { kind: "refused", why: "unusable", detail: `${where} cannot be listened on (${code})` };
    }
    const count = workerCount(next.settings);
    // What is not listened on any more is closed here before the last workers that accept from it are told to finish:
    // closed there at last, when nobody waits in its queue, it refuses whoever comes.
    const use = (): void => opened.use();
    const failed = count === crew.workers ? await roll(next, why, use) : await exchange(next, count, use);
    if (failed === null) return { kind: "applied" };
    opened.giveUp();
    if (failed.replaced > 0) await crew.supervisor.roll("back to the configuration before");
    return { kind: "refused", why: "unusable", detail: `a worker could not begin by it: ${failed.because}` };
  }

  /** Null: done. */
  async function roll(next: Begin, why: string, onBegun: () => void): Promise<NotRenewed | null> {
    const before = current;
    begin(next);
    const rolled = await crew.supervisor.roll(why, onBegun);
    if (rolled.ok) return null;
    begin(before);
    return rolled;
  }

  async function exchange(next: Begin, count: number, onBegun: () => void): Promise<NotRenewed | null> {
    const before = crew;
    const after = createCrew(next, count, before.hub.known(), before.supervisor.livesMax());
    const failed = await after.supervisor.start();
    if (failed !== null) return { replaced: 0, because: notStartedText(failed) };
    crew = after;
    current = next;
    onBegun();
    const left = before.supervisor.drain(HAND_OVER_IDLE_MS).then(() => void crewsLeaving.delete(before));
    crewsLeaving.set(before, left);
    return null;
  }

  const acme = await openAcme(settings, state, tell);
  let stop = (_code: number, _why: string): void => undefined;
  let crew = createCrew(current, workers, await knownBefore(takeover, events.tell), 0);
  const failed = await crew.supervisor.start();
  if (failed !== null) {
    sockets.close();
    await keys.close();
    // What a worker cannot open is what a single process could not either.
    const what = failed.what as Extract<StartResult, { ok: false }>["what"];
    return { ok: false, what, where: failed.where, code: failed.code };
  }
  acme.start((material) => {
    broadcast({ kind: "acme", material });
    // Nobody answers that he has it; between processes of one machine it takes no longer.
    return new Promise((resolve) => systemSchedule(ACME_SETTLE_MS, resolve));
  });
  const control = startControl(settings, {
    node: nodeOf(settings),
    state,
    tell,
    free: takeover.predecessor?.controlIsFree,
  });
  bridge.connect(control);
  const flights = desk.flights();
  let admin: AdminSite | null = null;
  const config = createConfigDesk({
    settings,
    file: options.file ?? null,
    readFile: readTextAgain,
    hashOf: revisionOf,
    clock: systemClock,
    tell,
    first: options.revision ?? null,
    async put(next, revision, source) {
      const fields = needsNewProcess(current.settings, next);
      const fixed = whyFixed(fields, options.samples !== undefined && fields.includes("control"));
      if (fixed !== null) return fixed;
      const late = revision === null ? null : whyNotNow(life);
      if (late !== null) return late;
      if (fields.includes("control") && revision === null)
        return puts.look({ ...withFieldsOf(current.settings, next), listeners: current.settings.listeners });
      if (fields.includes("control") && revision !== null) return byAnother(life, source, revision);
      return putWithAdmin(admin, next, revision, async () => {
        const gone = await sockets.goneFiles();
        const change = changeUnderSupervisor(current.settings, next, gone.length > 0);
        if (change.kind === "refused") return change;
        if (revision === null) return puts.look(change.kind === "renew" ? change.looked : next);
        const before = current;
        if (change.kind === "renew") {
          const result = await renew({ settings: next, hash: revision.hash }, `configuration ${revision.number}`);
          if (result.kind === "applied") {
            // Running workers that are given it say so themselves; new ones only know what they begin with.
            tell("config.applied", revisionInWords(revision));
            control?.configure(next, nodeOf(next));
            keys.follow(next);
            await acme.follow(next);
          }
          return result;
        }
        // Before any worker serves by it; one that begins now begins with it.
        begin({ settings: next, hash: revision.hash });
        const result = await puts.put(
          { settings: next, revision },
          { settings: before.settings, revision: { ...revision, hash: before.hash } },
        );
        if (result.kind === "applied") {
          control?.configure(next, nodeOf(next));
          keys.follow(next);
          await acme.follow(next);
        } else begin(before);
        return result;
      });
    },
  });
  const upgrade = (): Promise<HandedOn> => life.handOn("goodgate upgrade", null);
  try {
    const shown = {
      view,
      actions: view.actions,
      keys: flights === null ? null : createKeyDesk(flights, systemClock, (event) => view.tell(0, event)),
    };
    const { heritage } = takeover;
    admin = await startAdmin(
      settings,
      { gateway: shown, control, config, acme, upgrade, samples: options.samples, heritage },
      tell,
    );
  } catch (error) {
    await crew.supervisor.stop();
    await control?.close(LAST_WORDS_MS);
    await keys.close();
    sockets.close();
    return { ok: false, what: "admin", ...listenFailure(error, settings.admin?.bind ?? null) };
  }
  const stopWatching = watchSocketFiles(systemSchedule, () => sockets.goneFiles(), tell);
  const end = async (): Promise<void> => {
    stopWatching();
    acme.stop();
    isDraining = true;
    // Here first: workers accept who waits and close them at last, and whoever comes then is refused and does not wait.
    sockets.close();
    await Promise.all([crew.supervisor.drain(0), ...crewsLeaving.values()]);
    await control?.close(LAST_WORDS_MS);
    await admin?.close(LAST_WORDS_MS);
    facts.close();
    await keys.close();
  };
  const giveOnPlace = async (order: Order): Promise<Given> => {
    const handed = [...sockets.handOn(), ...adminSocket(current.settings, admin?.server() ?? null)];
    const given = await giveOn({ sockets: handed, state, desk, known: crew.hub.known() }, order, events.tell);
    if (!given.ok) return given;
    const { successor } = given;
    const leave = async (): Promise<void> => {
      stopWatching();
      acme.stop();
      isDraining = true;
      sockets.close();
      const drained = Promise.all([crew.supervisor.drain(HAND_OVER_IDLE_MS), ...crewsLeaving.values()]);
      await Promise.all([admin?.close(LAST_WORDS_MS), control?.close(LAST_WORDS_MS)]);
      await successor.send({ kind: "control is free" });
      await drained;
      await successor.endKeys();
      await keys.close();
      await successor.send({ kind: "keys are free" });
    };
    return { ok: true, successor, end: leave };
  };
  process.on("SIGUSR1", () => broadcast({ kind: "reopen" }));
  const life = running({
    listeners: sockets.addresses,
    admin: admin.server(),
    drainMs: () => current.settings.drainMs,
    config: options.file === undefined ? null : config,
    events,
    subscribe(listener) {
      view.listen(listener);
      events.listen((event) => view.tell(0, event));
    },
    end,
    takeover,
    giveOn: giveOnPlace,
    async cut() {
      await Promise.all([crew, ...crewsLeaving.keys()].map(({ supervisor }) => supervisor.stop()));
    },
  });
  stop = life.stop;
  await tookOver(takeover, events.tell);
  return { ok: true, gateway: life.gateway };
}

function nodeOf({ node }: Settings): string {
  return node === "" ? hostname() : node;
}

type ChangeUnderSupervisor =
  | Extract<PutResult, { kind: "refused" }>
  /** Running workers can be given them. */
  | { readonly kind: "put" }
  /** It takes new ones. `looked`: as much of it as a running one can be asked about. */
  | { readonly kind: "renew"; readonly looked: Settings };

/** Listening sockets are opened by this process and inherited, and so is what a worker opens once. */
function changeUnderSupervisor(before: Settings, after: Settings, areFilesGone: boolean): ChangeUnderSupervisor {
  const missing = missingSecret(after);
  if (missing !== null) return { kind: "refused", why: "unusable", detail: missing };
  const fields = needsNewProcess(before, after);
  const bindsOf = ({ listeners }: Settings): string =>
    JSON.stringify(listeners.map(({ bind, socketFile }) => [bind, socketFile]));
  if (fields.length === 0 && bindsOf(before) === bindsOf(after) && !areFilesGone) return { kind: "put" };
  return { kind: "renew", looked: { ...withFieldsOf(before, after), listeners: before.listeners } };
}
