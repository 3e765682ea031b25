/**
 * The wait of one exchange for room at an origin. Made when there is none; the place in the queue is admission.ts's,
 * here is what it means for the exchange: how long it waited, and what it is told when no room comes.
 */
import type { RouteSettings } from "../config/settings.ts";
import type { ExchangeRecord, Step } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { durationInWords } from "../policies/words.ts";
import { rankOf } from "./admission.ts";
import type { Admission, Place, RoomWaiter } from "./admission.ts";
import type { ClientRequest } from "./client-request.ts";
import type { Core } from "./core.ts";
import { toUs } from "./origin-connection.ts";
import { isPrefetch } from "./request-target.ts";

export interface RoomWaitHost {
  readonly record: ExchangeRecord;
  readonly request: ClientRequest;
  readonly routeIndex: number;
  /** Epoch ms since when the client waits to be let in; 0: it has not been turned away. */
  readonly waitsSince: number;
  retryAfterSeconds: number;
  decide(step: Step, code: DecisionCode, reason: string): void;
  fail(cause: CauseId, evidence: string, step: Step, status: number): void;
  later(step: (now: number) => void): void;
  /** It is its turn. */
  onRoom(now: number): void;
}

export class RoomWait implements RoomWaiter {
  readonly #core: Core;
  readonly #host: RoomWaitHost;
  readonly #admission: Admission;
  #place: Place | null = null;

  constructor(core: Core, host: RoomWaitHost, admission: Admission) {
    this.#core = core;
    this.#host = host;
    this.#admission = admission;
  }

  /** It may be refused at once, or (rarely) let in at once. */
  begin(route: RouteSettings, head: MessageHead | null, now: number): void {
    const { request, routeIndex, waitsSince } = this.#host;
    const rank = rankOf(route, head !== null && isPrefetch(head));
    const deadlineAt = request.deadline === null ? Infinity : now + request.deadline.leftMs(now);
    const hasWaited = waitsSince !== 0;
    if (hasWaited) {
      this.#host.decide("admit", "admit.waited-before", "it was turned away before, and goes before newcomers");
    }
    this.#place = this.#admission.wait(this, { route: routeIndex, rank, deadlineAt, hasWaited }, now);
  }

  /** Nobody waits any more. */
  leave(): void {
    if (this.#place !== null) this.#admission.leave(this.#place);
    this.#place = null;
  }

  roomFound(waitedMs: number): void {
    this.#place = null;
    this.#host.record.queuedUs += toUs(waitedMs);
    this.#host.decide("admit", "admit.queued", `waited ${durationInWords(waitedMs)} for room at an origin`);
    this.#host.later((now) => this.#host.onRoom(now));
  }

  roomRefused(evidence: string, retryAfterSeconds: number): void {
    const { record } = this.#host;
    if (this.#place !== null) record.queuedUs += toUs(this.#core.clock.monotonic() - this.#place.sinceMs);
    this.#place = null;
    this.#host.retryAfterSeconds = retryAfterSeconds;
    // What an attempt failed of says more than that there was no room for another.
    const { cause, evidence: seen } = record.attempts.at(-1) ?? { cause: null, evidence: "" };
    if (cause !== null) this.#host.decide("admit", "admit.no-room-to-repeat", `not repeated after all: ${evidence}`);
    this.#host.later(() => {
      if (cause === null) this.#host.fail("gw.shed", evidence, "admit", 0);
      else this.#host.fail(cause, seen, "attempt", 0);
    });
  }
}
