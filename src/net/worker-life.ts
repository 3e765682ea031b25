/**
 * One life of a worker: a process from its fork to its end, as the supervisor knows it. Whoever works with the worker
 * beyond its life and death has a channel to it.
 */
import type { FromWorker, ToWorker, WorkerChannel } from "../contract/worker-messages.ts";

/** A process with a channel. */
export interface WorkerProcess {
  readonly pid: number;
  /** `socket`: goes along with the message. What cannot be sent any more is dropped: its end is told too. */
  send(message: ToWorker, socket?: unknown): void;
  kill(signal: "SIGABRT" | "SIGKILL"): void;
}

export interface WorkerListener {
  onMessage(message: FromWorker): void;
  /** `why`: `exit code 1`, `SIGKILL`. Once, and the last that is heard. */
  onEnd(why: string): void;
}

export type LifeState = "starting" | "serving" | "draining" | "gone";

export class Life implements WorkerChannel {
  readonly worker: number;
  readonly life: number;
  state: LifeState = "starting";
  /** Monotonic ms. */
  readonly startedAt: number;
  heardAt: number;
  /** Why it could not begin; empty: nothing was said. */
  notStarted: Extract<FromWorker, { kind: "not started" }> | null = null;
  /** When it was asked to end by a signal, so that it leaves a trace of what it was at. Monotonic ms; never: infinite. */
  abortedAt = Number.POSITIVE_INFINITY;
  /** Why it was ended; empty: it was not, or the signal says it. */
  endedFor = "";
  /** Uncaught exceptions, monotonic ms. */
  readonly faultsAt: number[] = [];
  #process: WorkerProcess | null = null;
  readonly #hearers: ((message: FromWorker) => void)[] = [];
  readonly #retirers: (() => void)[] = [];
  readonly #enders: ((why: string) => void)[] = [];

  constructor(worker: number, life: number, now: number) {
    this.worker = worker;
    this.life = life;
    this.startedAt = now;
    this.heardAt = now;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  begin(process: WorkerProcess): void {
    this.#process = process;
  }

  send(message: ToWorker, socket?: unknown): void {
    if (this.state !== "gone") this.#process?.send(message, socket);
  }

  kill(signal: "SIGABRT" | "SIGKILL"): void {
    this.#process?.kill(signal);
  }

  onMessage(hear: (message: FromWorker) => void): void {
    this.#hearers.push(hear);
  }

  onRetire(hear: () => void): void {
    this.#retirers.push(hear);
  }

  onEnd(hear: (why: string) => void): void {
    this.#enders.push(hear);
  }

  /** Accepts no more; what is under way is finished. */
  retire(idleMs: number): void {
    if (this.state === "gone" || this.state === "draining") return;
    this.state = "draining";
    for (const hear of this.#retirers) hear();
    this.send({ kind: "drain", idleMs });
  }

  heard(message: FromWorker): void {
    for (const hear of this.#hearers) hear(message);
  }

  ended(why: string): void {
    this.state = "gone";
    const because = this.endedFor === "" ? why : this.endedFor;
    for (const hear of this.#enders) hear(because);
  }
}
