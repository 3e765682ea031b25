/**
 * What is known of one exchange, and what the parts that work for it ask of it. The steps are in pipeline.ts, how
 * an answer leaves in exchange-relay.ts, the ends in exchange-end.ts; all write here. Everything has its place from the start, so that all exchanges have one hidden
 * class, and what most exchanges never need is null until it is made.
 */
import type { RouteSettings, TimeoutSettings } from "../config/settings.ts";
import type { Decision, ExchangeRecord, Outcome, Step } from "../contract/record.ts";
import { CAUSES } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import type { ClientSide } from "./absent-client.ts";
import type { Attempt } from "./attempt.ts";
import type { Entry } from "./cache/entry.ts";
import type { RouteCache } from "./cache/response-cache.ts";
import type { Slot } from "./cache/store.ts";
import type { Visit } from "./cache/visit.ts";
import { NO_HOST } from "./client-host.ts";
import type { ClientHost } from "./client-host.ts";
import type { Leaving } from "./client-leaving.ts";
import { ClientRequest } from "./client-request.ts";
import { ClientResponse } from "./client-response.ts";
import type { Core } from "./core.ts";
import { ownState } from "./failure-signs.ts";
import type { KeyedExchange } from "./keyed-exchange.ts";
import { newExchangeRecord } from "./new-record.ts";
import type { OriginConnection } from "./origin-connection.ts";
import type { Resumption } from "./resumption.ts";
import type { RoomWait } from "./room-wait.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import type { Serving } from "./serving.ts";
import type { RouteCounters } from "./telemetry.ts";
import type { Tries } from "./tries.ts";
import type { Tunnel } from "./tunnel.ts";
import type { Wait } from "./wait.ts";

const REDUCED = "Goodgate-Mode: reduced\r\n";

export abstract class ExchangeState {
  readonly part = null;
  readonly record: ExchangeRecord;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly startedMs: number;
  host: ClientHost = NO_HOST;
  /** Silence is no sign of a fault in this response, so it has no limit of its own. */
  endless = false;
  /** Somebody else wants the response: it goes on to its end when the client leaves. */
  outlivesClient = false;
  /** Others are given the same response as it comes: it neither ends with the client nor waits for it. */
  hasFollowers = false;
  protected readonly core: Core;
  /** Or who stands for it once it has left. */
  client: ClientSide;
  service: ServiceRuntime | null = null;
  route: RouteSettings | null = null;
  routeIndex = 0;
  counters: RouteCounters | null = null;
  /** Null: it has not had to wait for room at an origin. */
  protected roomWait: RoomWait | null = null;
  protected idempotent = false;
  accept: string | null = null;
  protected clientKeepAlive = false;
  /** Whom the client is counted as; 0: nobody has asked. */
  clientKey = 0;
  /** Complete lines that any answer gets, such as RateLimit. */
  replyLines = "";
  /** Epoch ms since when the client waits to be let in; 0: it does not, or nobody has to. */
  waitsSince = 0;
  protected saidReduced = false;
  /** 0: what the cause says. */
  retryAfterSeconds = 0;
  /** Null: no origin has been picked yet. */
  protected tries: Tries | null = null;
  /** The request carries an Idempotency-Key that is honoured. */
  protected keyed: KeyedExchange | null = null;
  /** The response on its way could be continued by another origin. */
  protected resumption: Resumption | null = null;
  /** The route's cache; null: it has none. */
  protected cache: RouteCache | null = null;
  protected visit: Visit | null = null;
  slot: Slot | null = null;
  /** No client asked for it: it fetches anew what is stored. */
  protected refreshes: Entry | null = null;
  /** An answer at hand that is being given. */
  protected serving: Serving | null = null;
  protected gapMs = 0;
  /** Nothing is picked before more of the body is known. */
  protected awaitsBody = false;
  /** Takes it away from where it waits for what other workers have of its rate limits. */
  protected leaveRates: (() => void) | null = null;
  /** Until the deadline. */
  protected deadlineWait: Wait | null = null;
  /** It has ended, with its record. */
  over = false;
  protected faulted = false;
  /** How the client left an exchange that goes on without it. */
  protected left: Leaving | null = null;

  constructor(core: Core, client: ClientSide, startedMs: number, now: number) {
    this.core = core;
    this.client = client;
    this.request = new ClientRequest(client.socket);
    this.startedMs = startedMs;
    // A head may have taken seconds to come: the exchange began with its first byte.
    const startedAt = Math.round(core.clock.wall() - (now - startedMs));
    this.record = newExchangeRecord("", startedAt, client.listener.name);
    this.record.peerAddress = client.peer.address;
    this.record.peerPort = client.socket.remotePort;
    this.record.proxiedBy = client.peer.proxiedBy;
    this.record.clientAddress = client.peer.address;
    this.record.connectionUses = client.uses;
    this.record.tls = client.tls;
    this.response = new ClientResponse(core.gather, client.socket, this.record);
    core.exchangesActive += 1;
  }

  get timeouts(): TimeoutSettings {
    return this.keyed === null ? this.settled.timeouts : this.keyed.timeouts;
  }

  get lateMs(): number {
    return this.tries === null ? 0 : this.tries.lateMs;
  }

  get hostHeader(): "preserve" | "origin" {
    return this.settled.hostHeader;
  }

  /** After a 101. */
  get tunnel(): Tunnel | null {
    return this.tries === null || this.tries.current === null ? null : this.tries.current.tunnel;
  }

  get uncertain(): boolean {
    return this.keyed !== null && this.keyed.uncertain;
  }

  /** The one that the exchange counts on. */
  protected get attempt(): Attempt | null {
    return this.tries === null ? null : this.tries.current;
  }

  protected get settled(): RouteSettings {
    if (this.route === null) throw new Error("an attempt before there was a route");
    return this.route;
  }

  /** Of an exchange that an origin answered completely. */
  protected get outcome(): Outcome {
    const { cause, attempts } = this.record;
    const rescued = attempts.length > 1 && attempts.some((attempt) => attempt.cause !== null);
    return cause !== null ? "failed" : rescued ? "rescued" : "served";
  }

  decide(step: Step, code: DecisionCode, reason: string): void {
    const decision: Decision = { step, code, reason };
    this.record.decisions.push(decision);
  }

  protected note(cause: CauseId, evidence: string): void {
    this.record.cause = cause;
    this.record.party = CAUSES[cause].party;
    this.record.evidence = evidence;
    this.record.own = ownState(this.core, this.core.clock.monotonic());
  }

  protected tellExtraBytes({ extraBytes }: OriginConnection): void {
    if (extraBytes === 0) return;
    const reason = `${extraBytes} bytes followed the end of the response; the connection was closed`;
    this.decide("relay", "relay.extra-bytes", reason);
  }

  modeLine(now: number): string {
    const strain = this.service?.strainAt(this.routeIndex, now) ?? "";
    const because = strain === "" && this.request.reducedInFront ? "a gateway in front says so" : strain;
    if (because === "") return "";
    if (!this.saidReduced) this.decide("attempt", "attempt.reduced-mode", because);
    this.saidReduced = true;
    return REDUCED;
  }
}
