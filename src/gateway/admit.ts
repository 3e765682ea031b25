/**
 * Admit: whether a request may go on, before it costs an origin anything. What its head alone decides comes first;
 * then the gateway's own limits; then the bounds on what one client or one route may ask for, which need to count.
 */
import type { RouteSettings } from "../config/settings.ts";
import type { ExchangeRecord, Step } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { passesPressure } from "../policies/own-pressure.ts";
import type { ClientSide } from "./absent-client.ts";
import { rankOf } from "./admission.ts";
import type { Core } from "./core.ts";
import { enter } from "./entry.ts";
import type { EntryNote } from "./entry.ts";
import { refusalOf } from "./head-refusal.ts";
import { isPrefetch, joinedValue } from "./request-target.ts";
import type { ServiceRuntime } from "./service-runtime.ts";
import type { RouteCounters } from "./telemetry.ts";

/** The exchange that asks to be let in, and what is found out about it. */
export interface Applicant {
  readonly record: ExchangeRecord;
  readonly client: ClientSide;
  readonly service: ServiceRuntime | null;
  readonly route: RouteSettings | null;
  readonly routeIndex: number;
  readonly counters: RouteCounters | null;
  /** Whom the client is counted as; 0: nobody has asked. */
  clientKey: number;
  /** Complete lines that any answer gets, such as RateLimit. */
  replyLines: string;
  /** Epoch ms since when the client waits to be let in; 0: it does not, or nobody has to. */
  waitsSince: number;
  /** For whoever is refused; 0: what the cause says. */
  retryAfterSeconds: number;
  decide(step: Step, code: DecisionCode, reason: string): void;
  fail(cause: CauseId, evidence: string, step: Step, status: number): void;
  /** It is decided in a moment, when other workers have been heard: `wait` starts that and returns what cancels it. */
  awaitRates(head: MessageHead, wait: NonNullable<EntryNote["wait"]>): void;
}

/** Just below 1, which chance never gives. */
const LAST_ROLL = 1 - Number.EPSILON;
/** Over how many seconds those are spread that the gateway itself had to turn away. */
const PRESSURE_RETRY_SPREAD_S = 5;

/** False: it was refused, or waits to be asked again (`admitAgain`). */
export function admit(core: Core, applicant: Applicant, head: MessageHead, now: number): boolean {
  const { limits, identity, connectionsPerClientMax } = core;
  const refusal = refusalOf(head, {
    surplus: applicant.client.surplus,
    connectionsMax: limits.connectionsMax,
    connectionsPerClientMax,
    pseudonym: identity.pseudonym,
  });
  if (refusal !== null) {
    applicant.fail(refusal.cause, refusal.evidence, "admit", refusal.status);
    return false;
  }
  // Whoever was asked to wait can only have come back while there is or was no room lately.
  if (now - Math.max(core.shedAt, applicant.service?.shedAt ?? -Infinity) < core.waiting.expiresMs) {
    applicant.waitsSince = core.waiting.since(joinedValue(head, "cookie"), applicant.record.clientAddress);
  }
  if (core.pressure.level > 0 && isTooMuch(core, applicant, head)) return false;
  const rules = applicant.service?.routeAt(applicant.routeIndex)?.limits ?? null;
  return (core.flood === null && rules === null) || enters(core, applicant, head, false, now);
}

/** Other workers have said what they have of its rate limits. */
export function admitAgain(core: Core, applicant: Applicant, head: MessageHead, now: number): boolean {
  return enters(core, applicant, head, true, now);
}

/** The gateway nears a limit of its own, and this class is turned away for that. */
function isTooMuch({ pressure, chance }: Core, applicant: Applicant, head: MessageHead): boolean {
  const { route } = applicant;
  if (route === null) return false;
  // Who has waited already is the last of his class to be turned away.
  const roll = applicant.waitsSince === 0 ? chance() : LAST_ROLL;
  if (passesPressure(pressure, rankOf(route, isPrefetch(head)), roll)) return false;
  // Later the longer the way back: who is turned away by the process itself does well to find another.
  applicant.retryAfterSeconds = 1 + Math.floor(chance() * PRESSURE_RETRY_SPREAD_S);
  applicant.fail("gw.shed", pressure.because, "admit", 0);
  return true;
}

/** The bounds on what one client or one route may ask for. */
function enters(core: Core, applicant: Applicant, head: MessageHead, isAgain: boolean, now: number): boolean {
  const { service, counters, routeIndex } = applicant;
  const { peer } = applicant.client;
  const address = applicant.record.clientAddress;
  const direct = address === peer.address;
  const key = direct ? peer.key : core.clientKey(address);
  applicant.clientKey = key;
  const rules = service?.routeAt(routeIndex)?.limits ?? null;
  const note = enter(core, rules, head, key, address, direct ? peer.isProtected : null, service, isAgain, now);
  if (note === null) return true;
  applicant.replyLines = note.lines;
  if (note.code !== null) applicant.decide("admit", note.code, note.reason);
  if (note.wait !== null) {
    applicant.awaitRates(head, note.wait);
    return false;
  }
  if (note.refused === null) {
    if (note.code === "admit.rate-limit-shadow" && counters !== null) counters.rateLimitShadowed += 1;
    return true;
  }
  applicant.retryAfterSeconds = note.refused.retryAfterSeconds;
  applicant.fail(note.refused.cause, note.refused.evidence, "admit", 0);
  return false;
}
