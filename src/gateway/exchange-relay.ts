/**
 * Relay: an answer goes to the client as it comes, from an origin, from what is stored, or held back until now. Which of
 * them it is has been decided before (pipeline.ts), and what becomes of one that breaks is decided there; here is how it
 * leaves: its head put right, its body at the pace of whoever is slower, its end only where it is one.
 */
import type { Outcome } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import type { Attempt } from "./attempt.ts";
import { visitForResponse } from "./cache/begin-visit.ts";
import type { Entry } from "./cache/entry.ts";
import type { Guest } from "./cache/guest.ts";
import type { ClientRequest } from "./client-request.ts";
import { ExchangeEnd } from "./exchange-end.ts";
import { clientFraming, isEventStream, responseLines, writeInterimHead } from "./forward-response.ts";
import { grpcStatusInHead, judgeGrpc } from "./judge-grpc.ts";
import { judgeResponse } from "./judge-response.ts";
import type { AnswerJudgement } from "./judge-response.ts";
import type { Judgement } from "./judge.ts";
import { toUs } from "./origin-connection.ts";
import type { OriginConnection } from "./origin-connection.ts";
import { PassedOver } from "./passed-over.ts";
import type { PassingOver } from "./passed-over.ts";
import { readResponseHeadAgain } from "./read-head-again.ts";
import { mayBeResumed, Resumption } from "./resumption.ts";
import type { ResumeHost } from "./resumption.ts";
import { hasHsts, hstsLine } from "./secure-terms.ts";
import { Serving } from "./serving.ts";
import type { ServingHost } from "./serving.ts";
import type { StoredAnswer } from "./stored-answer.ts";
import { Tunnel, agreedProtocol } from "./tunnel.ts";
import type { WithheldAnswer } from "./withheld-answer.ts";

export abstract class ExchangeRelay extends ExchangeEnd implements ResumeHost, Guest, PassingOver, ServingHost {
  /** Goes on to an origin. */
  abstract forward(now: number): void;
  /** Another exchange fetches `entry` anew. */
  abstract refresh(entry: Entry, now: number): void;

  // ------------------------------------------------------------------ an answer of an origin

  onInterim(attempt: Attempt, head: MessageHead): void {
    const { request } = this;
    if (attempt !== this.attempt) return;
    if (request.minorVersion === 0 || this.response.begun) return;
    if (head.status === 100) {
      if (!request.expectContinue) return;
      // The client sends its body now, and it is the origin's turn again when that is done. It may have sent it all
      // before, and a later attempt has it from the start: then it is the origin's turn already.
      request.expectContinue = false;
      attempt.awaitOrigin(this.core.clock.monotonic());
      this.client.waitForBody();
    }
    writeInterimHead(this.core.gather.to(this.client.socket), head, null);
  }

  onResponseHead(attempt: Attempt, connection: OriginConnection, head: MessageHead, now: number): boolean {
    const { record } = this;
    this.service?.poison?.answered(attempt, this.request, record, now);
    const tries = this.tries;
    tries?.tookMs(now - attempt.beganMs, now);
    const judged = this.#judgeHead(head);
    if (judged !== null) {
      attempt.judged(judged, now);
      if (tries?.holdBack(attempt, head, judged, now) === true) return true;
    }
    tries?.chosen(attempt, judged === null ? head.status : judged.status, now);
    record.originStatus = head.status;
    const cacheLines = this.cacheLines(attempt, head, now);
    if (cacheLines === null) {
      attempt.handOver(new PassedOver(this, this.visit, connection, now));
      return true;
    }
    if (judged !== null) this.note(judged.cause, judged.evidence);
    if (!this.request.complete && !this.request.streams) {
      // The origin answers before it has the whole request; the rest cannot be told from a next request.
      this.clientKeepAlive = false;
      this.decide("relay", "relay.early-reply", "the origin answered before the request was complete");
    }
    const lines = responseLines(head, judged?.cause ?? null, this.core) + cacheLines;
    const keyed = this.keyed;
    if (keyed !== null && keyed.phase === "sending") {
      connection.wait("gap", this.timeouts.gapMs, now);
      keyed.receiveHead(connection, head, lines);
      return true;
    }
    this.#relay(connection, head, lines, now);
    const { resume, class: routeClass } = this.settled;
    const service = this.service;
    if (resume !== null && service !== null && mayBeResumed(this.request, head, connection)) {
      const place = {
        service,
        routeIndex: this.routeIndex,
        isCritical: routeClass === "critical",
        settings: resume,
        tried: tries?.tried ?? [],
      };
      this.resumption = new Resumption(this.core, this, place, attempt, head, now);
    }
    return true;
  }

  /** A call that has nothing but an outcome has it in its head. */
  #judgeHead(head: MessageHead): AnswerJudgement | null {
    const { record, request } = this;
    if (!request.grpc || head.status !== 200) return judgeResponse(head);
    const status = grpcStatusInHead(head);
    record.grpcStatus = Math.max(status, -1);
    if (status === -2) return null;
    return judgeGrpc(status, request.deadline !== null);
  }

  /** The response goes to the client as it comes. `connection`: null when all of it has come. */
  #relay(connection: OriginConnection | null, head: MessageHead, lines: string, now: number): void {
    this.#begin(head, lines, now);
    this.request.releaseBody();
    // Server-sent events are silent for as long as nothing happens: silence is no sign of a fault there.
    this.gapMs = this.request.streams || isEventStream(head) ? 0 : this.timeouts.gapMs;
    this.endless = this.gapMs === 0;
    if (this.endless) {
      connection?.socket.probePeer();
      this.client.socket.probePeer();
    }
    connection?.wait("gap", this.gapMs, now);
    this.client.responseBegins(now);
  }

  relayWithheld(answer: WithheldAnswer, ended: boolean, now: number): void {
    if (this.left !== null) {
      this.leaveOrigin(now);
      this.finish("failed", "relay", now);
      return;
    }
    const connection = this.attempt?.connection ?? null;
    readResponseHeadAgain(answer.head, this.request.method, (head) => this.#relay(connection, head, answer.lines, now));
    for (const piece of answer.pieces) this.response.body(piece, 0, piece.length, false);
    if (ended) {
      this.#complete(null, now);
      return;
    }
    this.core.gather.flush();
    if (this.client.socket.writing) this.client.waitForWrite(now);
    else connection?.resume();
  }

  giveWithheld(answer: StoredAnswer, now: number): void {
    const outcome = this.outcome;
    if (this.left === null) this.serve(answer, outcome, now);
    else this.finish(outcome, "record", now);
  }

  /** The head of the final response goes to the client. */
  #begin(head: MessageHead, lines: string, now: number): void {
    const { record, request } = this;
    const closes = clientFraming(head, request.minorVersion) === "close";
    this.clientKeepAlive = this.clientKeepAlive && !closes && !this.client.listener.draining;
    record.status = isNoTunnel(request, head) ? 502 : head.status;
    record.replyUs = toUs(now - this.startedMs);
    const { settings } = this.client.listener;
    const hsts = settings.hsts === "" || hasHsts(head) ? "" : hstsLine(settings);
    this.response.begin(head, {
      lines: this.replyLines === "" && hsts === "" ? lines : lines + this.replyLines + hsts,
      keepAlive: this.clientKeepAlive,
      clientMinorVersion: request.minorVersion,
    });
  }

  /** What the cache adds to a response head; null: it has something better than this response. */
  protected cacheLines(attempt: Attempt, head: MessageHead, now: number): string | null {
    if (this.cache === null) return "";
    this.visit ??= visitForResponse(this.cache, this.core, this, head, now);
    return this.visit === null
      ? ""
      : this.visit.onOriginHead(head, this.startedMs + attempt.attempt.sentUs / 1000, now);
  }

  passedOver(connection: OriginConnection | null, now: number): void {
    if (connection !== null) this.tellExtraBytes(connection);
    this.visit?.answerInstead(now);
  }

  onResponseBody(_attempt: Attempt, bytes: Buffer, start: number, end: number): void {
    if (this.keyed !== null && this.keyed.receiveBody(bytes, start, end)) return;
    this.response.body(bytes, start, end, true);
  }

  onResponseEnd({ attempt }: Attempt, connection: OriginConnection, now: number): void {
    this.tellExtraBytes(connection);
    const { cause, evidence } = attempt;
    if (this.request.grpc && cause !== null) this.note(cause, evidence);
    if (this.keyed !== null && this.keyed.receiveEnd()) return;
    this.#complete(this.request.trailersWanted ? connection.trailers : null, now);
  }

  #complete(trailers: OriginConnection["trailers"], now: number): void {
    const { record, request } = this;
    this.response.end(trailers);
    const outcome = this.outcome;
    if (!request.complete) {
      this.clientKeepAlive = false;
      // The origin of a call ends it when it likes (gRPC's PROTOCOL-HTTP2): nothing came too early.
      if (record.cause === null && !request.streams)
        this.note("origin.early_reply", "a final response came before the request was complete");
    }
    this.finish(outcome, "record", now);
    this.client.exchangeDone(this.clientKeepAlive, request.complete, now);
  }

  onOriginTurnEnd(attempt: Attempt, connection: OriginConnection, now: number): void {
    this.visit?.turnEnd();
    if (attempt.connection !== connection) return;
    if (this.#isForNobody) {
      this.leaveOrigin(now);
      this.finish("served", "relay", now);
      return;
    }
    const { writing } = this.client.socket;
    this.resumption?.heard(!writing, now);
    if (!writing) return;
    if (this.hasFollowers) {
      // They do not wait for this client. What it leaves waiting is bounded by the size of what is stored.
      const behind = this.visit?.tooFarBehind(this.client.socket.waitingBytes) ?? "";
      if (behind === "") this.client.waitForWrite(now);
      else {
        const client = this.client;
        this.clientTooSlow(behind);
        client.cut(true);
      }
      return;
    }
    connection.pause();
    connection.stopWaiting();
    this.client.waitForWrite(now);
  }

  /** It went on for others when its client left, or for the store, and is of no use to them now. */
  get #isForNobody(): boolean {
    if (this.hasFollowers || this.outlivesClient) return false;
    return this.left !== null || this.visit?.isInVain === true;
  }

  /** The client has taken everything that waited. */
  clientDrained(now: number): void {
    if (this.serving !== null) {
      this.serving.goOn(now);
      return;
    }
    const connection = this.attempt?.connection ?? null;
    if (connection === null) return;
    connection.resume();
    this.resumption?.awaited(now);
    if (this.response.begun && this.tunnel === null) connection.wait("gap", this.gapMs, now);
    else this.attempt?.awaitOrigin(now);
  }

  // ------------------------------------------------------------------ an upgrade

  onUpgrade(attempt: Attempt, connection: OriginConnection, head: MessageHead, now: number): boolean {
    const { record } = this;
    record.originStatus = head.status;
    const { agreed, why } = agreedProtocol(this.request.upgrade, head);
    if (why !== "") {
      attempt.fail({ kind: "upgrade", why }, now);
      return false;
    }
    this.tries?.chosen(attempt, head.status, now);
    this.response.begun = true;
    record.tunnel = true;
    record.status = 101;
    record.replyUs = toUs(now - this.startedMs);
    attempt.tunnel = new Tunnel(this.core, this.client, connection, record);
    attempt.tunnel.open(head, agreed);
    return true;
  }

  // ------------------------------------------------------------------ an answer that is at hand

  /** Gives an answer that is at hand. `outcome` is what the exchange counts as when the client has got all of it. */
  serve(answer: StoredAnswer, outcome: Outcome, now: number): void {
    this.leaveOrigin(now);
    readResponseHeadAgain(answer.head, this.request.method, (head) => {
      if (!this.request.complete) this.clientKeepAlive = false;
      this.#begin(head, answer.lines, now);
    });
    if (answer.body === null) {
      this.onServed(outcome, now);
      return;
    }
    this.serving = new Serving(this.core, this, answer.body, outcome);
    this.serving.goOn(now);
  }

  onServed(outcome: Outcome, now: number): void {
    this.response.end(null);
    this.finish(outcome, "record", now);
    this.client.exchangeDone(this.clientKeepAlive, this.request.complete, now);
  }

  // ------------------------------------------------------------------ the rest of an answer that broke

  /** Another origin goes on with the response. */
  goOnWith(attempt: Attempt): void {
    if (this.tries !== null) this.tries.current = attempt;
  }

  onContinuing(): void {
    if (this.counters !== null) this.counters.retries += 1;
  }

  onBroken({ cause, evidence }: Judgement): void {
    this.cut(cause, evidence, "relay");
  }
}

/** Over HTTP/2 a success would say that the tunnel stands: the client is told another status (http2/stream-port.ts). */
function isNoTunnel({ isStream, upgrade }: ClientRequest, { status }: MessageHead): boolean {
  return upgrade !== "" && isStream && status >= 200 && status < 300;
}
