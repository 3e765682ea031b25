/**
 * How an exchange ends: answered, cut, left by its client, or by a defect of ours; and the record, which is left
 * whatever happened, exactly once.
 */
import type { Outcome, Step } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import { absentClient } from "./absent-client.ts";
import type { Attempt } from "./attempt.ts";
import type { HandshakeFailure } from "./client-handshake.ts";
import { leavingOf } from "./client-leaving.ts";
import { ExchangeState } from "./exchange-state.ts";
import { writeFailure } from "./failure-reply.ts";
import type { Ending } from "./judge.ts";
import { toUs } from "./origin-connection.ts";
import type { RequestDeadline } from "./request-deadline.ts";

export abstract class ExchangeEnd extends ExchangeState {
  /** The exchange ends with the gateway's own answer, or with a cut when an answer has begun. */
  abstract fail(cause: CauseId, evidence: string, step: Step, status: number): void;

  /** Goes on outside of any socket's turn, with what it had to wait for. */
  later(step: (now: number) => void): void {
    if (this.over) return;
    try {
      step(this.core.clock.monotonic());
      this.core.gather.flush();
    } catch (error) {
      this.onFault(error);
    }
  }

  /**
   * Something in these steps threw. That is a defect of ours, whatever the origin did: this exchange pays for it,
   * its connections are not used again, and nothing else notices.
   */
  onFault(error: unknown): void {
    const { gather, onFault } = this.core;
    gather.discard();
    onFault(error);
    const client = this.client;
    if (this.faulted || this.over) {
      client.socket.destroy();
      return;
    }
    this.faulted = true;
    this.clientKeepAlive = false;
    try {
      this.fail(
        "gw.internal",
        `a defect of the gateway: ${error instanceof Error ? error.message : String(error)}`,
        "attempt",
        0,
      );
      gather.flush();
    } catch (again) {
      onFault(again);
      gather.discard();
      client.socket.destroy();
    }
  }

  /** Returns whether the client's connection stays. */
  protected writeFailure(cause: CauseId, status: number, now: number): boolean {
    const whole = this.request.complete && this.record.reason === "";
    const keepAlive = this.clientKeepAlive && whole && !this.client.listener.draining;
    writeFailure(this.core, this, cause, status, keepAlive, now);
    return keepAlive;
  }

  /** The client is told by other means than an answer: an end of its stream, or of its connection. */
  refuseUnanswered(cause: CauseId, evidence: string): void {
    this.note(cause, evidence);
    this.finish("refused", "receive", this.core.clock.monotonic());
  }

  /** There was no TLS, and so no request. */
  refuseHandshake({ cause, evidence, isAnswered }: HandshakeFailure): void {
    const now = this.core.clock.monotonic();
    this.note(cause, evidence);
    if (isAnswered) this.writeFailure(cause, 0, now);
    this.finish(cause === "client.tls_left" ? "aborted" : "refused", "receive", now);
  }

  answerAndGoOn(cause: CauseId, evidence: string, step: Step, now: number): void {
    const attempt = this.attempt;
    if (this.over || this.left !== null || this.response.begun || attempt === null || !this.request.complete) return;
    attempt.overdue(now);
    this.note(cause, evidence);
    const keepAlive = this.writeFailure(cause, 0, now);
    const client = this.client;
    this.left = { outcome: "failed", cause, evidence, step };
    this.goOnAlone(now);
    client.exchangeDone(keepAlive, true, now);
  }

  /** Nobody waits any more. Once a response has begun its client is the judge of that. */
  protected expire(deadline: RequestDeadline): void {
    // With a key its answer is wanted all the same, by the next try.
    if (this.over || this.response.begun || this.left !== null || this.keyed?.answerAtHand === true) return;
    const { cause, evidence } = deadline.judge(this.record);
    const attempt = this.attempt;
    if (attempt !== null && this.keyed?.waitsOn === true) {
      this.keyed.uncertain = true;
      this.answerAndGoOn(cause, evidence, "attempt", this.core.clock.monotonic());
      return;
    }
    if (attempt !== null && !attempt.ended) {
      attempt.attempt.cause = cause;
      attempt.attempt.evidence = evidence;
    }
    this.fail(cause, evidence, this.record.attempts.length === 0 ? "pick" : "attempt", 0);
  }

  /** The response is broken and a part of it has left: its end must not look like one. */
  protected cut(cause: CauseId, evidence: string, step: Step): void {
    const now = this.core.clock.monotonic();
    this.leaveOrigin(now);
    this.note(cause, evidence);
    this.finish("failed", step, now);
    // Chunks and Content-Length show the cut by themselves; without either only a reset does.
    this.client.cut(this.response.framing === "close");
  }

  onTunnelEnd(_attempt: Attempt, ending: Ending, now: number, limitMs: number): void {
    const stalled = ending.kind === "timeout" && ending.what === "write";
    if (stalled) this.note("origin.write_stall", `the origin took no byte of the tunnel for ${limitMs} ms`);
    const reset = ending.kind === "error";
    if (reset) this.decide("relay", "relay.tunnel-reset", `the origin's side ended by ${ending.error.code}`);
    this.finish(stalled ? "failed" : "served", "record", now);
    // A FIN would tell the client that all was said.
    if (reset) this.client.cut(true);
    else this.client.tunnelDone();
  }

  /** The gateway ends: a WebSocket is told, so that its client can come again elsewhere. */
  tellTunnel(): void {
    if (this.tunnel?.leave() === true)
      this.decide("relay", "relay.tunnel-told", "the gateway ends; both sides get a Close 1001 between two frames");
  }

  /** The client is gone: what is done for it stops, also at the origin. */
  clientGone(how: string): void {
    if (this.over) return;
    const now = this.core.clock.monotonic();
    if (this.tunnel !== null) {
      this.leaveOrigin(now);
      this.finish("served", "record", now);
      return;
    }
    const left = leavingOf(how, this.request, this.response.begun, this.record);
    if ((this.outlivesClient || this.hasFollowers) && this.request.complete && this.serving === null) {
      this.left = left;
      this.goOnAlone(now);
      return;
    }
    this.leaveOrigin(now);
    this.note(left.cause, left.evidence);
    this.finish("aborted", left.step, now);
  }

  /** The client has left, and the response is wanted all the same. The record tells of the client in the end. */
  protected goOnAlone(now: number): void {
    this.core.outliving.add(this);
    this.client = absentClient(this.client);
    this.response.detached = true;
    const connection = this.attempt?.connection ?? null;
    // It may have been the client that was waited for.
    if (connection !== null && this.response.begun) {
      connection.resume();
      this.resumption?.awaited(now);
      connection.wait("gap", this.gapMs, now);
    }
  }

  /** The client is there and does not take what it asked for. The caller cuts the connection. */
  clientTooSlow(evidence: string): void {
    if (this.over) return;
    const now = this.core.clock.monotonic();
    if (this.hasFollowers) {
      this.left = { outcome: "aborted", cause: "client.slow", evidence, step: "relay" };
      this.goOnAlone(now);
      return;
    }
    this.leaveOrigin(now);
    this.note("client.slow", evidence);
    this.finish("aborted", "relay", now);
  }

  /** Ends what is under way for this exchange, without blame for it. */
  protected leaveOrigin(now: number): void {
    this.leaveRates?.();
    this.leaveRates = null;
    this.roomWait?.leave();
    this.tries?.leave(now);
    this.resumption?.close(now);
    this.serving?.close();
    this.serving = null;
  }

  protected finish(outcome: Outcome, step: Step, now: number): void {
    if (this.over) return;
    this.keyed?.finish();
    this.over = true;
    this.deadlineWait?.cancel();
    if (this.request.onTrial) this.service?.poison?.unproven(this.request, this.record, now);
    this.request.releaseBody();
    this.resumption?.close(now);
    this.response.giveUp();
    this.visit?.finish();
    if (this.refreshes !== null) this.core.outliving.delete(this);
    const { record } = this;
    if (record.id === "") record.id = this.core.newId();
    record.outcome = outcome;
    record.step = step;
    const left = this.left;
    if (left !== null) {
      this.core.outliving.delete(this);
      this.note(left.cause, left.evidence);
      record.outcome = left.outcome;
      record.step = left.step;
    }
    record.doneUs = toUs(now - this.startedMs);
    this.core.exchangesActive -= 1;
    if (this.clientKey !== 0 && record.status < 400 && (outcome === "served" || outcome === "rescued")) {
      this.core.flood?.answeredWell(this.clientKey, now);
    }
    (this.counters ?? this.core.telemetry.unrouted).add(record);
    this.core.book.add(record, now);
  }
}
