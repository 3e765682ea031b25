/**
 * The supervisor of workers: as many processes as there are places, each watched, each replaced when it ends. It
 * carries no traffic; while it is busy or gone, workers serve on.
 *
 * What ends costs what was under way in it and nothing else: its siblings accept for it until there is a replacement.
 * What ends again and again is started again later each time (100 ms, doubling to 30 s, half of it at random), is told
 * apart by name, and takes no sibling along: a healthy worker is never ended because of another. Of several that crash
 * in a row one at a time is tried, so that a machine on which nothing can start is not kept busy with starting.
 *
 * A worker says once a second that its event loop turns. One that is silent is covered for by its siblings after three
 * seconds and ended after ten: by SIGABRT, so that a core file shows what it was at, then by SIGKILL.
 *
 * `roll` replaces workers by new ones, one place after the other: the new one accepts before the old one stops to, so
 * there is at most one process more than places.
 */
import type { FromWorker, ToWorker, WorkerChannel, WorkerLife } from "../contract/worker-messages.ts";
import type { Chance, Clock, Schedule } from "../kernel/clock.ts";
import { Life } from "./worker-life.ts";
import type { WorkerListener, WorkerProcess } from "./worker-life.ts";

export interface SupervisorOptions {
  readonly workers: number;
  /** Lives that each place has had under a supervisor before this one. Absent: none. */
  readonly livesBefore?: number;
  /** How long a worker may take to finish what is under way. Asked each time. */
  readonly drainMs: () => number;
  /** Forks a worker and has it begin. */
  readonly start: (worker: number, life: number, listener: WorkerListener) => WorkerProcess;
  /** What the worker accepts from, by where that is: siblings are given it when it is gone. */
  readonly sockets: (worker: number) => readonly SocketOfWorker[];
  /** What of it no new worker will accept from: siblings of before are given it when it is replaced. Absent: nothing. */
  readonly leaving?: (worker: number) => readonly SocketOfWorker[];
  /** A new life, before anything is heard of it. */
  readonly onLife: (channel: WorkerChannel) => void;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly chance: Chance;
  /** For the gateway's event stream. */
  readonly tell: (code: string, detail: string) => void;
  /** Each end that was no wish of ours, also those of a loop, and that it runs well again: for the diagnosis. */
  readonly noted?: (worker: number, code: string, detail: string) => void;
  /** Every worker crashes and none has served for a minute: whoever supervises this process may know more. */
  readonly onHopeless: (detail: string) => void;
}

export interface SocketOfWorker {
  readonly bind: { readonly host: string; readonly port: number };
  readonly handle: unknown;
}

export type NotStarted = Extract<FromWorker, { kind: "not started" }>;
export type Rolled =
  | { readonly ok: true; readonly replaced: number }
  | { readonly ok: false; readonly replaced: number; readonly because: string };

export interface Supervisor {
  /** Resolves when all places serve, or with the first reason why one cannot; then everything has been ended. */
  start(): Promise<NotStarted | null>;
  lives(): WorkerLife[];
  /** The most that any place has had. */
  livesMax(): number;
  /** To every process, also to those that finish. */
  broadcast(message: ToWorker): void;
  /**
   * One at a time; when a new one cannot begin, the rest stays as it is. A second call waits for the first. `onBegun`: all
   * new ones serve, and the last of before still does.
   */
  roll(because: string, onBegun?: () => void): Promise<Rolled>;
  /** Workers finish what is under way, for `drainMs` at most; connections that ask nothing for `idleMs` are closed. Resolves when all have ended. */
  drain(idleMs: number): Promise<void>;
  /** At once: what they cut leaves its records. */
  stop(): Promise<void>;
}

const LOOK_MS = 1_000;
/** Of a machine that has just started everything at once a process may need most of a minute to begin. */
const READY_MS = 60_000;
const QUIET_MS = 3_000;
const HUNG_MS = 10_000;
/** While nobody is heard the machine is the likelier reason: then so long, for one of them at a time. */
const ALL_QUIET_MS = 30_000;
/** SIGABRT is heeded at once by what runs, and not by what is stopped. */
const KILL_AFTER_MS = 2_000;
const BACK_MS = 100;
const BACK_MAX_MS = 30_000;
/** After so long it counts as well: the next end is a first one again. */
const WELL_MS = 60_000;
const LOOP_ENDS = 5;
const LOOP_MS = 60_000;
/** A crashing worker that lived so long gives the next one its try. */
const TRIAL_MS = 5_000;
const HOPELESS_MS = 60_000;
const FAULTS_MAX = 10;
/** What a worker may still say and write after its last exchange. */
const LAST_WORDS_MS = 5_000;
/** While it drains for a replacement, a connection that asks nothing for so long is closed. */
const ROLL_IDLE_MS = 5_000;

/** A place for a worker. */
interface Place {
  readonly worker: number;
  current: Life | null;
  state: WorkerLife["state"];
  because: string;
  /** Epoch ms. */
  since: number;
  lives: number;
  restarts: number;
  /** Ends in a row. */
  ends: number;
  /** Monotonic ms. */
  readonly endedAt: number[];
  /** It was said of it that it ends again and again. */
  isInLoop: boolean;
  /** Siblings accept for it. */
  isCovered: boolean;
  cancelStart: () => void;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new Forking(options);
}

class Forking implements Supervisor {
  readonly #options: SupervisorOptions;
  readonly #places: Place[];
  /** All that have not ended. */
  readonly #lives = new Set<Life>();
  #isEnding = false;
  #hasStarted = false;
  #lookedAt = 0;
  #servedAt = 0;
  #isHopeless = false;
  /** When one was ended for its silence. Monotonic ms. */
  #abortedAt = Number.NEGATIVE_INFINITY;
  #isAllQuiet = false;
  #rolling: Promise<unknown> = Promise.resolve();
  #onGone: () => void = () => undefined;
  #cancelLook: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.workers }, (_, index) => ({
      worker: index + 1,
      current: null,
      state: "starting",
      because: "it is being started",
      since: options.clock.wall(),
      lives: options.livesBefore ?? 0,
      restarts: 0,
      ends: 0,
      endedAt: [],
      isInLoop: false,
      isCovered: false,
      cancelStart: () => undefined,
    }));
  }

  // ------------------------------------------------------------------ what others call

  async start(): Promise<NotStarted | null> {
    this.#lookedAt = this.#options.clock.monotonic();
    this.#servedAt = this.#lookedAt;
    this.#lookLater();
    const begun = await Promise.all(this.#places.map((place) => this.#isReady((place.current = this.#begin(place)))));
    const failed = begun.find((result) => result !== null);
    if (failed !== undefined) {
      await this.stop();
      return failed;
    }
    this.#hasStarted = true;
    return null;
  }

  lives(): WorkerLife[] {
    return this.#places.map(({ worker, current, state, since, because, restarts }) => ({
      worker,
      pid: current?.pid ?? 0,
      state,
      since,
      because,
      restarts,
    }));
  }

  livesMax(): number {
    return Math.max(...this.#places.map(({ lives }) => lives));
  }

  broadcast(message: ToWorker): void {
    for (const life of this.#lives) life.send(message);
  }

  roll(because: string, onBegun: () => void = () => undefined): Promise<Rolled> {
    const rolled = this.#rolling.then(() => this.#rollAll(because, onBegun));
    this.#rolling = rolled;
    return rolled;
  }

  drain(idleMs: number): Promise<void> {
    for (const life of this.#lives) life.retire(idleMs);
    return this.#end(this.#options.drainMs() + LAST_WORDS_MS);
  }

  stop(): Promise<void> {
    this.broadcast({ kind: "stop" });
    return this.#end(LAST_WORDS_MS);
  }

  #end(withinMs: number): Promise<void> {
    this.#isEnding = true;
    this.#cancelLook();
    for (const place of this.#places) {
      place.cancelStart();
      if (place.current !== null) this.#become(place, "draining", "the gateway stops");
    }
    const cancel = this.#options.schedule(withinMs, () => {
      for (const life of this.#lives) life.kill("SIGKILL");
    });
    return new Promise((resolve) => {
      this.#onGone = () => {
        if (this.#lives.size > 0) return;
        cancel();
        resolve();
      };
      this.#onGone();
    });
  }

  // ------------------------------------------------------------------ one life

  #begin(place: Place): Life {
    place.lives += 1;
    const life = new Life(place.worker, place.lives, this.#options.clock.monotonic());
    this.#lives.add(life);
    this.#options.onLife(life);
    const onEnd = (why: string): void => this.#ended(place, life, why);
    try {
      const onMessage = (message: FromWorker): void => this.#hear(place, life, message);
      life.begin(this.#options.start(place.worker, place.lives, { onMessage, onEnd }));
    } catch (error) {
      // No memory for another process, or none may be started: as one that ended at once, when this call is over.
      this.#options.schedule(0, () => onEnd(`could not be started: ${(error as Error).message}`));
    }
    return life;
  }

  #isReady(life: Life): Promise<NotStarted | null> {
    return new Promise((resolve) => {
      life.onMessage((message) => {
        if (message.kind === "ready") resolve(null);
        else if (message.kind === "not started") resolve(message);
      });
      life.onEnd((why) => resolve({ kind: "not started", what: "worker", where: "", code: why }));
    });
  }

  #hear(place: Place, life: Life, message: FromWorker): void {
    const now = this.#options.clock.monotonic();
    life.heardAt = now;
    if (place.current === life && place.isCovered && life.state === "serving") this.#uncover(place);
    if (message.kind === "ready" && life.state === "starting") {
      life.state = "serving";
      if (place.current === life) this.#serves(place);
    } else if (message.kind === "not started") life.notStarted = message;
    else if (message.kind === "fault") this.#fault(place, life, now);
    life.heard(message);
  }

  #serves(place: Place): void {
    const { restarts } = place;
    this.#become(place, "serving", restarts === 0 ? "it runs" : `it runs again, started ${restarts + 1} times`);
    // What ends again and again has to show first that it does not.
    if (restarts > 0 && !place.isInLoop) this.#tell("worker.running", `worker ${place.worker}: ${place.because}`);
    if (place.isCovered) this.#uncover(place);
    this.#coverAgain(place);
  }

  #ended(place: Place, life: Life, why: string): void {
    const wasServing = life.state === "serving";
    const wasDraining = life.state === "draining";
    const saidWhy = life.notStarted;
    this.#lives.delete(life);
    life.ended(why);
    if (place.current === life) {
      place.current = null;
      if (!this.#isEnding && this.#hasStarted && !wasDraining) {
        const because = saidWhy === null ? why : `${saidWhy.what} ${saidWhy.where}: ${saidWhy.code}`;
        if (wasServing) this.#cover(place);
        if (wasServing) this.#coverAgain(place);
        this.#crashed(place, life, because);
      }
    }
    this.#onGone();
  }

  #crashed(place: Place, life: Life, why: string): void {
    const { clock, chance } = this.#options;
    const now = clock.monotonic();
    place.ends = now - life.startedAt >= WELL_MS ? 1 : place.ends + 1;
    place.endedAt.push(now);
    while (place.endedAt.length > LOOP_ENDS) place.endedAt.shift();
    const bound = Math.min(BACK_MAX_MS, BACK_MS * 2 ** Math.min(place.ends - 1, 20));
    // Half of it at random: workers that end together must not be started together.
    const waitMs = bound / 2 + (chance() * bound) / 2;
    const isLoop = place.endedAt.length === LOOP_ENDS && now - (place.endedAt[0] ?? now) <= LOOP_MS;
    const { noted } = this.#options;
    const again = `it is started again in ${waitMs < 1_000 ? `${Math.round(waitMs)} ms` : `${Math.ceil(waitMs / 1000)} s`}`;
    if (isLoop) {
      const text = `it ended ${LOOP_ENDS} times within ${LOOP_MS / 1000} s, last by ${why}; ${again}, and at most every ${BACK_MAX_MS / 1000} s`;
      this.#become(place, "crashing", text);
      noted?.(place.worker, "worker.crash-loop", text);
      if (!place.isInLoop) {
        place.isInLoop = true;
        this.#tell("worker.crash-loop", `worker ${place.worker}: ${text}; ${this.#siblingsText(place)}`);
      }
    } else {
      this.#become(place, "waiting", `it ended (${why}); ${again}`);
      noted?.(place.worker, "worker.ended", place.because);
      this.#tell("worker.ended", `worker ${place.worker}: ${place.because}`);
    }
    this.#startAfter(place, waitMs);
  }

  #startAfter(place: Place, waitMs: number): void {
    place.cancelStart();
    place.cancelStart = this.#options.schedule(waitMs, () => {
      if (place.state === "crashing" && this.#isTrialUnderWay(place)) {
        this.#startAfter(place, LOOK_MS);
        return;
      }
      place.restarts += 1;
      if (place.state !== "crashing") this.#become(place, "starting", "it is being started again");
      place.current = this.#begin(place);
    });
  }

  /** Another one that crashes has been started and has not shown yet that it lives. */
  #isTrialUnderWay(place: Place): boolean {
    const now = this.#options.clock.monotonic();
    return this.#places.some(
      ({ endedAt, current }) =>
        current !== null &&
        current.worker !== place.worker &&
        endedAt.length === LOOP_ENDS &&
        now - current.startedAt < TRIAL_MS,
    );
  }

  #siblingsText(place: Place): string {
    const others = this.#places.filter((other) => other !== place);
    const well = others.filter(({ state }) => state === "serving").length;
    return well === others.length ? "its siblings serve" : `${well} of its ${others.length} siblings serve`;
  }

  /** A process that throws again and again is past the point where going on is better than a new one. */
  #fault(place: Place, life: Life, now: number): void {
    const { faultsAt } = life;
    faultsAt.push(now);
    while (faultsAt.length > FAULTS_MAX || now - (faultsAt[0] ?? now) > LOOP_MS) faultsAt.shift();
    if (faultsAt.length < FAULTS_MAX || place.current !== life || life.state !== "serving") return;
    faultsAt.length = 0;
    this.#rolling = this.#rolling.then(() =>
      place.current === life
        ? this.#replace(place, `${FAULTS_MAX} faults within ${LOOP_MS / 1000} s`)
        : Promise.resolve(null),
    );
  }

  // ------------------------------------------------------------------ siblings accept for it

  #cover(place: Place): void {
    const siblings = this.#places.flatMap(({ current }) =>
      current !== null && current.worker !== place.worker && current.state === "serving" ? [current] : [],
    );
    if (siblings.length === 0) return;
    place.isCovered = true;
    lend(this.#options.sockets(place.worker), place, siblings, false);
  }

  /** Others serve than before: what is accepted for those that are gone is shared among them anew. */
  #coverAgain(because: Place): void {
    const now = this.#options.clock.monotonic();
    for (const place of this.#places) {
      if (place === because || this.#isEnding || !this.#hasStarted) continue;
      const { current } = place;
      const isQuiet = current?.state === "serving" && now - current.heardAt >= QUIET_MS;
      if (current?.state === "serving" && !isQuiet) continue;
      if (place.isCovered) this.#uncover(place);
      this.#cover(place);
    }
  }

  /** Of a listener that is going to be gone, and that the new worker does not know: those of before accept until then. */
  #lendLeaving(place: Place, before: ReadonlySet<Life>): void {
    const siblings = this.#places.flatMap(({ current }) =>
      current !== null && before.has(current) && current.worker !== place.worker && current.state === "serving"
        ? [current]
        : [],
    );
    if (siblings.length > 0) lend(this.#options.leaving?.(place.worker) ?? [], place, siblings, true);
  }

  #uncover(place: Place): void {
    place.isCovered = false;
    this.broadcast({ kind: "uncover", worker: place.worker });
  }

  // ------------------------------------------------------------------ looking

  #lookLater(): void {
    this.#cancelLook = this.#options.schedule(LOOK_MS, () => {
      this.#look();
      if (!this.#isEnding) this.#lookLater();
    });
  }

  #look(): void {
    const now = this.#options.clock.monotonic();
    // This process stood still: what it has not heard may be waiting to be read.
    if (now - this.#lookedAt > 2 * LOOK_MS) for (const life of this.#lives) life.heardAt = now;
    this.#lookedAt = now;
    for (const life of this.#lives) this.#lookAt(life, now);
    if (this.#isAllQuiet && this.#places.some(({ current }) => current !== null && now - current.heardAt < QUIET_MS))
      this.#isAllQuiet = false;
    if (this.#places.some(({ current }) => current?.state === "serving")) this.#servedAt = now;
    else if (this.#hasStarted && !this.#isHopeless && now - this.#servedAt >= HOPELESS_MS) {
      if (this.#places.every(({ state }) => state === "crashing")) {
        this.#isHopeless = true;
        this.#options.onHopeless(
          `no worker has served for ${HOPELESS_MS / 1000} s, and each ends soon after its start (${this.#places[0]?.because ?? ""})`,
        );
      }
    }
  }

  #lookAt(life: Life, now: number): void {
    const place = this.#places[life.worker - 1];
    if (place === undefined) return;
    const quietMs = now - life.heardAt;
    if (life.state === "starting") {
      if (now - life.startedAt >= READY_MS) {
        life.endedFor = `it was not ready within ${READY_MS / 1000} s`;
        life.kill("SIGKILL");
      }
      return;
    }
    if (place.current === life && place.ends > 0 && now - life.startedAt >= WELL_MS) {
      place.ends = 0;
      place.endedAt.length = 0;
      this.#options.noted?.(life.worker, "worker.running", `it has run for ${WELL_MS / 1000} s`);
      if (place.isInLoop) this.#tell("worker.running", `worker ${life.worker}: it has run for ${WELL_MS / 1000} s`);
      place.isInLoop = false;
    }
    if (now - life.abortedAt >= KILL_AFTER_MS) life.kill("SIGKILL");
    else if (quietMs >= HUNG_MS && life.abortedAt === Number.POSITIVE_INFINITY) this.#hung(life, quietMs, now);
    else if (quietMs >= QUIET_MS && place.current === life && !place.isCovered) this.#cover(place);
  }

  /**
   * Processes that get no time are as silent as one in an endless loop, and ending them makes work for a machine that
   * has too much of it. Where no sibling is heard either, it is not believed of all of them at once.
   */
  #hung(life: Life, quietMs: number, now: number): void {
    const siblings = this.#places.flatMap(({ current }) =>
      current !== null && current !== life && current.state === "serving" ? [current] : [],
    );
    const isHeard = siblings.some(({ heardAt }) => now - heardAt < QUIET_MS);
    const isOneOfMany = !isHeard && (siblings.length > 0 || now - this.#abortedAt < ALL_QUIET_MS);
    if (isOneOfMany && (quietMs < ALL_QUIET_MS || now - this.#abortedAt < ALL_QUIET_MS)) {
      if (!this.#isAllQuiet) {
        const silence = `no worker's event loop has turned for ${Math.round(quietMs / 1000)} s`;
        this.#tell("workers.silent", `${silence}: the machine is the likelier reason, and none is ended yet`);
      }
      this.#isAllQuiet = true;
      return;
    }
    life.abortedAt = now;
    this.#abortedAt = now;
    const text = `its event loop has not turned for ${Math.round(quietMs / 1000)} s; it is ended`;
    this.#tell("worker.hung", `worker ${life.worker}: ${text}`);
    life.kill("SIGABRT");
  }

  // ------------------------------------------------------------------ replacing

  async #rollAll(because: string, onBegun: () => void): Promise<Rolled> {
    let replaced = 0;
    const before = new Set(this.#lives);
    for (const place of this.#places) {
      if (this.#isEnding) return { ok: false, replaced, because: "the gateway stops" };
      // oxlint-disable-next-line no-await-in-loop -- One at a time is the promise.
      const failed = await this.#replace(place, because, () => {
        if (replaced === this.#places.length - 1) onBegun();
        else this.#lendLeaving(place, before);
      });
      if (failed !== null) return { ok: false, replaced, because: failed };
      replaced += 1;
    }
    return { ok: true, replaced };
  }

  /** Null: it has been replaced, and the old one has ended. */
  async #replace(place: Place, because: string, onBegun: () => void = () => undefined): Promise<string | null> {
    if (this.#isEnding) return "the gateway stops";
    // One that is not there, or not ready yet, is replaced all the same: it may have begun by what was before.
    place.cancelStart();
    const next = this.#begin(place);
    const notStarted = await this.#isReady(next);
    if (notStarted !== null) {
      const failed = notStartedText(notStarted);
      if (place.current === null && !this.#isEnding) this.#startAfter(place, BACK_MAX_MS);
      // One that was told to end before it served could not begin for that reason.
      if (this.#isEnding) return "the gateway stops";
      this.#tell(
        "worker.not-replaced",
        `worker ${place.worker}: its replacement could not begin (${failed}); it goes on`,
      );
      return failed;
    }
    const old = place.current;
    place.current = next;
    place.restarts += 1;
    // The old one may have ended meanwhile, and its replacement been put off or begun.
    place.cancelStart();
    if (place.isCovered) this.#uncover(place);
    this.#become(place, "serving", `it replaced another: ${because}`);
    onBegun();
    this.#coverAgain(place);
    if (old !== null) await this.#drainOut(old);
    return null;
  }

  #drainOut(life: Life): Promise<void> {
    if (life.state === "gone") return Promise.resolve();
    life.retire(ROLL_IDLE_MS);
    const cancel = this.#options.schedule(this.#options.drainMs() + LAST_WORDS_MS, () => life.kill("SIGKILL"));
    return new Promise((resolve) => {
      life.onEnd(() => {
        cancel();
        resolve();
      });
    });
  }

  // ------------------------------------------------------------------ telling

  #become(place: Place, state: WorkerLife["state"], because: string): void {
    if (place.state !== state) place.since = this.#options.clock.wall();
    place.state = state;
    place.because = because;
  }

  #tell(code: string, detail: string): void {
    this.#options.tell(code, detail);
  }
}

function lend(
  sockets: readonly SocketOfWorker[],
  { worker }: Place,
  siblings: readonly Life[],
  isLeaving: boolean,
): void {
  for (const [index, { bind, handle }] of sockets.entries()) {
    siblings[index % siblings.length]?.send({ kind: "cover", bind, worker, isLeaving }, handle);
  }
}

/** What could not be had, as the end of a sentence. */
export function notStartedText(failed: NotStarted): string {
  return [failed.what, failed.where, failed.code].filter((part) => part !== "").join(" ");
}
