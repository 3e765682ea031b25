/**
 * An exchange whose request carries an Idempotency-Key. What it does in which order is what keeps the promise:
 *
 *   collect   the body, as much of it as tells one request from another at once;
 *   ask       the ledger, and let it record "started" before a byte of the request can leave;
 *   send      once; a client that leaves, or was told that it takes too long, does not end that;
 *   receive   the answer and withhold it;
 *   store     it, and only then give it to the client and to those who waited for the same key.
 *
 * A request that is to get what is stored is read to its end first, and compared: two large bodies may begin alike.
 *
 * Whatever ends this in between leaves "started" behind, which from then on means that nobody knows. What follows
 * from an end is policies/idempotency.ts's to decide.
 */
import type { IdempotencyKeySettings, RouteSettings, TimeoutSettings } from "../config/settings.ts";
import type { MessageHead } from "../http1/head.ts";
import type { CauseId } from "../kernel/causes.ts";
import { DECISIONS } from "../kernel/decisions.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import type { Begun, LedgerAnswer, LedgerEntry, LedgerFailure } from "../kernel/ledger.ts";
import { WheelTimer } from "../kernel/timer-wheel.ts";
import type { TimerOwner } from "../kernel/timer-wheel.ts";
import { concludeKey, judgeKnownKey } from "../policies/idempotency.ts";
import type { KeyOutcome } from "../policies/idempotency.ts";
import { sizeInWords } from "../policies/words.ts";
import type { Core } from "./core.ts";
import { isEventStream } from "./forward-response.ts";
import { FINGERPRINT_BYTES, Fingerprint, keyId } from "./idempotency-scope.ts";
import type { Flight, KeyBook, KeyWaiter } from "./key-book.ts";
import { codeOf, endOf, tooLarge, unstored } from "./key-words.ts";
import type { KeyedHost } from "./keyed-host.ts";
import type { OriginConnection } from "./origin-connection.ts";
import { answerOf } from "./stored-answer.ts";
import type { StoredAnswer } from "./stored-answer.ts";
import { WithheldAnswer } from "./withheld-answer.ts";

/** Longer than any disk should take. A promise that takes longer to write down than to keep is not made. */
const LEDGER_MS = 5_000;
/** An answer that is not complete by then is a stream, and its client wants to see it come. */
const HOLD_MS = 2_000;

type Phase =
  | "collecting"
  | "asking"
  | "waiting"
  /** Its answer is at hand, and it is read to its end to know whether it is the same request. */
  | "comparing"
  | "sending"
  | "receiving"
  /** The answer is whole and being stored. */
  | "storing"
  /** The answer is not kept; that there was one is being stored. */
  | "storing the fact"
  /** Nothing more depends on the key. */
  | "over";

export class KeyedExchange implements TimerOwner, KeyWaiter {
  phase: Phase = "collecting";
  /** It may have been carried out, and nobody knows: for the words of the reply. */
  uncertain = false;
  readonly timeouts: TimeoutSettings;
  readonly settings: IdempotencyKeySettings;
  readonly #core: Core;
  readonly #book: KeyBook;
  readonly #host: KeyedHost;
  readonly #key: string;
  readonly #id: string;
  readonly #print: Fingerprint;
  readonly #firstByteMs: number;
  readonly #timer: WheelTimer = new WheelTimer(this);
  readonly #target: string;
  #fingerprint = "";
  /** This exchange works on the key. */
  #flight: Flight | null = null;
  /** Another one does. */
  #awaited: Flight | null = null;
  /** Ends the wait for another worker that does. */
  #leaveElsewhere: (() => void) | null = null;
  /** The ledger has yet to answer, and then the flight may have to end. */
  #asked = false;
  /** Why the key's fate was uncertain before this exchange; otherwise empty. */
  #before = "";
  /** The ledger knows of it, so it has to hear how it ended. */
  #recorded = false;
  #waitUntil = 0;
  /** What it gets when all of it is the same. */
  #stored: LedgerAnswer | null = null;
  #answer: WithheldAnswer | null = null;
  #connection: OriginConnection | null = null;
  #isSent = false;
  #onTimeout: () => void = nothing;
  /** The origin's answer is complete. */
  #ended = false;

  constructor(core: Core, book: KeyBook, host: KeyedHost, head: MessageHead, key: string, route: RouteSettings) {
    this.#core = core;
    this.#book = book;
    this.#host = host;
    this.#key = key;
    this.settings = route.idempotencyKey;
    this.#id = keyId(head, host.record.service, key, this.settings);
    this.#print = new Fingerprint(head, host.record.host, this.settings);
    this.#target = host.record.target;
    const { firstByteMs } = route.timeouts;
    // An origin that honours keys is asked again instead of waited for.
    const waitsOn = !this.settings.originsHonour && firstByteMs > 0 && book.settings.lateMs > 0;
    this.#firstByteMs = waitsOn ? firstByteMs : 0;
    this.timeouts = waitsOn ? { ...route.timeouts, firstByteMs: firstByteMs + book.settings.lateMs } : route.timeouts;
  }

  /** The answer is there and being stored. */
  get answerAtHand(): boolean {
    return this.phase === "storing" || this.phase === "storing the fact";
  }

  /** It was sent, and the answer is waited for whoever has lost patience. */
  get waitsOn(): boolean {
    return this.phase === "receiving" || (this.phase === "sending" && this.#isSent && this.#firstByteMs > 0);
  }

  // ------------------------------------------------------------------ collect

  /** It goes on when the request is complete, not when an origin has it. */
  get wantsEnd(): boolean {
    return this.phase === "collecting" || this.phase === "comparing";
  }

  /** Every byte of the body, as it comes. True: enough is there to ask. */
  collect(bytes: Buffer, start: number, end: number): boolean {
    if (this.phase === "over") return false;
    this.#print.add(bytes, start, end);
    return this.#print.full;
  }

  /** The last byte has come. */
  complete(now: number): void {
    if (this.phase === "collecting") this.ask(now);
    else if (this.phase === "comparing") this.#compare(now);
  }

  // ------------------------------------------------------------------ ask

  ask(now: number): void {
    if (this.#fingerprint === "") this.#fingerprint = this.#print.digest();
    const other = this.#book.flightOf(this.#id);
    if (other !== null) {
      this.#wait(other, now);
      return;
    }
    this.#flight = this.#book.begin(this.#id, this.#fingerprint);
    this.#begin(now);
  }

  #begin(now: number): void {
    this.phase = "asking";
    this.#core.wheel.arm(this.#timer, now, LEDGER_MS);
    const { record } = this.#host;
    const wall = this.#core.clock.wall();
    this.#asked = true;
    this.#book.ledger.begin(
      {
        id: this.#id,
        key: this.#key,
        fingerprint: this.#fingerprint,
        service: record.service,
        route: record.route,
        method: record.method,
        target: this.#target,
        requestId: record.id,
        startedAt: wall,
        expiresAt: wall + this.settings.keepMs,
      },
      (begun) => this.#begun(begun),
    );
  }

  #wait(flight: Flight, now: number): void {
    const { waitMs, waitersMax } = this.#book.settings;
    const known = { fingerprint: flight.fingerprint, state: { kind: "started" } as const };
    const verdict = judgeKnownKey(known, this.#fingerprint, true, this.settings.originsHonour);
    if (verdict.kind === "other request") {
      this.#refuse("client.key_reused", `the key "${this.#key}" belongs to another request, which is under way`);
      return;
    }
    const left = this.#leftToWait(now);
    if (left <= 0 || flight.waiters.size >= waitersMax) {
      const why = left <= 0 ? `and was waited for for ${waitMs} ms` : `and ${flight.waiters.size} others wait for it`;
      this.#refuse("client.key_in_flight", `a request with the key "${this.#key}" is under way, ${why}`);
      return;
    }
    this.#awaited = flight;
    flight.waiters.add(this);
    this.#core.wheel.arm(this.#timer, now, left);
  }

  /** Another worker of the node is at work on it. Those who come here with the same key wait for this exchange. */
  #waitElsewhere(fingerprint: string, now: number): void {
    const known = { fingerprint, state: { kind: "started" } as const };
    if (judgeKnownKey(known, this.#fingerprint, true, this.settings.originsHonour).kind === "other request") {
      this.#refuse("client.key_reused", `the key "${this.#key}" belongs to another request, which is under way`);
      return;
    }
    const { ledger, settings } = this.#book;
    const left = this.#leftToWait(now);
    if (left <= 0 || ledger.whenOver === undefined) {
      const why = `a request with the key "${this.#key}" is under way, and was waited for for ${settings.waitMs} ms`;
      this.#refuse("client.key_in_flight", why);
      return;
    }
    this.#leaveElsewhere = ledger.whenOver(this.#id, () => {
      this.#leaveElsewhere = null;
      this.#core.wheel.disarm(this.#timer);
      this.#host.later((at) => this.#begin(at));
    });
    this.#core.wheel.arm(this.#timer, now, left);
  }

  #leftToWait(now: number): number {
    this.phase = "waiting";
    if (this.#waitUntil === 0) {
      this.#waitUntil = now + this.#book.settings.waitMs;
      if (this.#waitUntil > now) this.#decide("key.waited", `a request with the key "${this.#key}" was under way`);
    }
    return this.#waitUntil - now;
  }

  woken(answer: LedgerAnswer | null): void {
    this.#awaited = null;
    this.#core.wheel.disarm(this.#timer);
    this.#host.later((now) => {
      if (answer === null) this.ask(now);
      else this.#giveStored(answer, now);
    });
  }

  /** Whatever the exchange has come to, the ledger may have recorded it, and others may wait. */
  #begun(begun: Begun): void {
    this.#asked = false;
    if (this.phase !== "asking") {
      this.#begunTooLate(begun);
      return;
    }
    this.#core.wheel.disarm(this.#timer);
    this.#host.later((now) => {
      switch (begun.kind) {
        case "begun":
          this.#recorded = true;
          this.#decide("key.begun", `the key "${this.#key}" was recorded as started before anything was sent`);
          this.#send(now);
          return;
        case "found":
          this.#found(begun.entry, begun.answer, now);
          return;
        case "under way":
          this.#waitElsewhere(begun.fingerprint, now);
          return;
        case "failed":
          this.#goUnprotected(begun, now);
      }
    });
  }

  #begunTooLate(begun: Begun): void {
    if (this.phase !== "over") {
      // It went on without the promise, and can keep it all the same.
      if (begun.kind === "begun") this.#recorded = true;
      return;
    }
    if (this.#flight === null) return;
    // Refused or left before anything was sent: the key has not been used.
    if (begun.kind === "begun") this.#book.ledger.forget(this.#id, nothing);
    this.#endFlight(null);
  }

  #found(entry: LedgerEntry, answer: LedgerAnswer | null, now: number): void {
    const verdict = judgeKnownKey(entry, this.#fingerprint, false, this.settings.originsHonour);
    const first = `of ${new Date(entry.startedAt).toISOString()} (${entry.requestId})`;
    switch (verdict.kind) {
      case "replay":
        if (answer === null) throw new Error(`the answer to key ${entry.id} is missing`);
        this.#endFlight(answer);
        this.#giveStored(answer, now);
        return;
      case "send":
        this.#sendAgain(verdict.because, verdict.reason);
        return;
      case "answer not kept":
        this.#refuse("gw.answer_not_kept", `the request ${first} ${endOf(entry)}: ${verdict.reason}`);
        return;
      case "other request":
        this.#refuse("client.key_reused", `the key "${this.#key}" belongs to another request, the one ${first}`);
        return;
      case "uncertain":
      case "wait":
        this.#refuse(
          "origin.uncertain",
          `the request ${first} may have been carried out${verdict.kind === "wait" ? "" : `: ${verdict.reason}`}`,
        );
    }
  }

  #sendAgain(because: string, reason: string): void {
    const { record } = this.#host;
    this.#before = because;
    this.#asked = true;
    this.#core.wheel.arm(this.#timer, this.#core.clock.monotonic(), LEDGER_MS);
    this.#book.ledger.again(this.#id, record.id, (failure) => {
      this.#asked = false;
      if (this.phase === "over" && this.#flight !== null) {
        this.#book.ledger.mark(this.#id, { kind: "uncertain", because }, nothing);
        this.#endFlight(null);
      }
      if (failure === null) this.#recorded = true;
      if (this.phase !== "asking") return;
      this.#core.wheel.disarm(this.#timer);
      this.#host.later((now) => {
        if (failure !== null) {
          this.#goUnprotected(failure, now);
          return;
        }
        this.#decide("key.again", reason);
        this.#send(now);
      });
    });
  }

  #goUnprotected(failure: LedgerFailure, now: number): void {
    this.#book.tellUnprotected(failure);
    const evidence = `the key cannot be kept (${failure.code}: ${failure.detail})`;
    if (this.settings.mode === "required") {
      this.#refuse("gw.key_unprotected", evidence);
      return;
    }
    this.#decide("key.unprotected", `passed on without the promise of its key: ${evidence}`);
    this.#send(now);
  }

  #refuse(cause: CauseId, evidence: string): void {
    this.#host.fail(cause, evidence, "look up", 0);
  }

  #giveStored(answer: LedgerAnswer, now: number): void {
    if (!this.#print.full || answer.request === "") {
      this.#replay(answer, now);
      return;
    }
    this.phase = "comparing";
    this.#stored = answer;
    if (this.#host.request.complete) this.#compare(now);
    else this.#host.readOn();
  }

  #compare(now: number): void {
    const answer = this.#stored;
    if (answer === null) return;
    this.#stored = null;
    if (this.#print.whole() === answer.request) {
      this.#replay(answer, now);
      return;
    }
    const first = sizeInWords(FINGERPRINT_BYTES);
    this.#refuse(
      "client.key_reused",
      `the key "${this.#key}" belongs to another request, whose body is the same for the first ${first} and not to its end`,
    );
  }

  #replay(answer: LedgerAnswer, now: number): void {
    const { record } = this.#host;
    this.phase = "over";
    this.#decide("key.replayed", `the stored answer (${answer.status}) to the key "${this.#key}" was given`);
    record.originStatus = 0;
    const lines = "Idempotency-Replayed: true\r\n";
    this.#host.serve(storedAnswer(answer, lines), answer.status >= 500 ? "failed" : "served", now);
  }

  // ------------------------------------------------------------------ send

  #send(now: number): void {
    this.phase = "sending";
    this.#host.outlivesClient = true;
    this.#host.forward(now);
  }

  /** The whole request is on its way. */
  sent(now: number): void {
    this.#isSent = true;
    if (this.phase === "sending" && this.#firstByteMs > 0) this.#core.wheel.arm(this.#timer, now, this.#firstByteMs);
  }

  // ------------------------------------------------------------------ receive

  /** A final head. It is withheld until it is known what becomes of the answer. */
  receiveHead(connection: OriginConnection, head: MessageHead, lines: string): void {
    const { answerBytesMax } = this.#book.settings;
    this.phase = "receiving";
    this.#connection = connection;
    this.#answer = new WithheldAnswer(head, lines, this.#book.receiving);
    this.#core.wheel.arm(this.#timer, this.#core.clock.monotonic(), HOLD_MS);
    if (isEventStream(head)) this.#passOn("it is a stream of events");
    else if (head.contentLength > answerBytesMax) this.#passOn(tooLarge(head.contentLength, answerBytesMax));
  }

  /** True: withheld. */
  receiveBody(bytes: Buffer, start: number, end: number): boolean {
    const answer = this.#answer;
    if (answer === null) return false;
    answer.add(bytes, start, end);
    if (this.phase !== "receiving") return true;
    const { answerBytesMax, receivingBytesMax } = this.#book.settings;
    if (answer.bytes > answerBytesMax) this.#passOn(tooLarge(answer.bytes, answerBytesMax));
    else if (answer.overBudget) {
      this.#passOn(`all answers under way exceed ${sizeInWords(receivingBytesMax)} (idempotency.receiving)`);
    }
    return true;
  }

  /** True: withheld. */
  receiveEnd(): boolean {
    const answer = this.#answer;
    if (answer === null) return false;
    this.#ended = true;
    this.#connection = null;
    if (this.phase === "receiving") this.#store(answer);
    return true;
  }

  // ------------------------------------------------------------------ store

  #store(answer: WithheldAnswer): void {
    const { record, request } = this.#host;
    // An origin may answer before it has the whole body; then nobody can say what the whole of it was.
    const asked = this.#print.full && request.complete ? this.#print.whole() : "";
    const whole = answer.whole(record.method, asked, this.#core.clock.wall());
    this.phase = "storing";
    this.#conclude(
      { kind: "response", status: answer.status, retryAfter: answer.retryAfter, kept: true, because: "" },
      whole,
      (final) => {
        this.phase = "over";
        this.#answer = null;
        answer.release();
        this.#host.later((now) => this.#host.giveWithheld(storedAnswer(whole, answer.lines), now));
        this.#endFlight(final ? whole : null);
      },
    );
  }

  /** The answer will not be stored: it goes on as it comes, as soon as it is stored that there was one. */
  #passOn(because: string): void {
    const answer = this.#answer;
    if (answer === null || this.phase !== "receiving") return;
    this.phase = "storing the fact";
    this.#connection?.pause();
    this.#connection?.stopWaiting();
    this.#conclude(
      { kind: "response", status: answer.status, retryAfter: answer.retryAfter, kept: false, because },
      null,
      () => {
        this.phase = "over";
        this.#answer = null;
        this.#host.outlivesClient = false;
        this.#host.later((now) => this.#host.relayWithheld(answer, this.#ended, now));
        answer.release();
        this.#endFlight(null);
      },
    );
  }

  /** Stores what the end means, and goes on when that is durable, or when it is certain that it will not be. */
  #conclude(outcome: KeyOutcome, whole: LedgerAnswer | null, next: (final: boolean) => void): void {
    const { ledger } = this.#book;
    const { state, reason } = concludeKey(outcome, this.settings.originsHonour, this.#before);
    const isAnswer = state?.kind === "answered";
    let isOver = false;
    const done = (failure: LedgerFailure | null): void => {
      if (isOver) return;
      isOver = true;
      this.#core.wheel.disarm(this.#timer);
      this.#onTimeout = nothing;
      if (failure !== null) this.#book.tellUnprotected(failure);
      if (!this.#host.over) {
        if (failure === null) this.#decide(codeOf(state), reason);
        else this.#decide("key.unstored", unstored(failure));
      }
      next(isAnswer);
    };
    if (!this.#recorded) {
      next(isAnswer);
      return;
    }
    this.#onTimeout = () =>
      done({ kind: "failed", code: "busy", detail: `the disk did not answer within ${LEDGER_MS} ms` });
    this.#core.wheel.arm(this.#timer, this.#core.clock.monotonic(), LEDGER_MS);
    if (state === null) ledger.forget(this.#id, done);
    else if (whole !== null && isAnswer) ledger.answer(this.#id, whole, done);
    else ledger.mark(this.#id, state, done);
  }

  // ------------------------------------------------------------------ ends

  /**
   * The exchange ends without an answer of an origin, or is over. `sent` is asked of the record: a head that was
   * handed to a connection may have arrived.
   */
  finish(): void {
    const { phase } = this;
    if (phase === "over" || phase === "storing" || phase === "storing the fact") return;
    this.phase = "over";
    this.#core.wheel.disarm(this.#timer);
    this.#answer?.release();
    this.#answer = null;
    this.#awaited?.waiters.delete(this);
    this.#awaited = null;
    this.#leaveElsewhere?.();
    this.#leaveElsewhere = null;
    if (phase === "sending" || phase === "receiving") this.#concludeFailure();
    if (!this.#asked) this.#endFlight(null);
  }

  #concludeFailure(): void {
    const { record } = this.#host;
    const sent = record.attempts.some((attempt) => attempt.sentUs !== -1);
    const because = sent ? `it was sent, and then: ${record.evidence}` : record.evidence;
    const outcome: KeyOutcome = { kind: "failed", sent, because };
    const { state, reason } = concludeKey(outcome, this.settings.originsHonour, this.#before);
    this.uncertain = state !== null;
    this.#decide(codeOf(state), reason);
    if (!this.#recorded) return;
    if (state === null) this.#book.ledger.forget(this.#id, nothing);
    else this.#book.ledger.mark(this.#id, state, nothing);
  }

  #endFlight(answer: LedgerAnswer | null): void {
    const flight = this.#flight;
    this.#flight = null;
    if (flight !== null) this.#book.settle(flight, answer);
  }

  #decide(code: DecisionCode, reason: string): void {
    this.#host.decide(DECISIONS[code].step, code, reason);
  }

  onFault(error: unknown): void {
    this.#host.onFault(error);
  }

  onTimer(): void {
    switch (this.phase) {
      case "asking":
        this.#host.later((now) =>
          this.#goUnprotected(
            { kind: "failed", code: "busy", detail: `the disk did not answer within ${LEDGER_MS} ms` },
            now,
          ),
        );
        return;
      case "waiting":
        this.#host.later((now) => {
          const flight = this.#awaited;
          if (flight !== null) {
            flight.waiters.delete(this);
            this.#wait(flight, now);
          } else if (this.#leaveElsewhere !== null) {
            this.#leaveElsewhere();
            this.#leaveElsewhere = null;
            this.#waitElsewhere(this.#fingerprint, now);
          }
        });
        return;
      case "sending":
        this.uncertain = true;
        this.#host.later((now) =>
          this.#host.answerAndGoOn(
            "origin.ttfb_timeout",
            `no byte of a response within ${this.#firstByteMs} ms; the answer is waited for, so that the next try with the key gets it`,
            "attempt",
            now,
          ),
        );
        return;
      case "receiving":
        this.#host.later(() => this.#passOn(`it was not complete ${HOLD_MS} ms after its head`));
        return;
      case "storing":
      case "storing the fact":
        this.#onTimeout();
        return;
      case "collecting":
      case "comparing":
      case "over":
    }
  }
}

function storedAnswer(answer: LedgerAnswer, lines: string): StoredAnswer {
  const head = asBuffer(answer.head);
  const body = asBuffer(answer.body);
  return { head, lines, body: body.length === 0 ? null : answerOf([body]) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function nothing(): void {
  // What could not be recorded is uncertain after a restart, which is right.
}
