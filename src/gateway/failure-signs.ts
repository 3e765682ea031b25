/**
 * Judge: what is written down beside a cause when an attempt fails, so that a verdict can tell it from its
 * look-alikes later (contract/verdict.ts). All of it is known at that moment and gone the next: how old the learned
 * idle time is, when the address last answered anybody, whether this process itself was late.
 *
 * Made only when something failed. An exchange that goes well costs nothing for it.
 */
import type { FailureSigns, GatewayMark, OwnState, RequestShape } from "../contract/record.ts";
import { FIELD } from "../http1/field-ids.ts";
import { learnedIdleMs } from "../policies/keep-alive.ts";
import type { ClientRequest } from "./client-request.ts";
import type { Core } from "./core.ts";
import type { AttemptFacts, Ending } from "./judge.ts";
import type { OriginAddress } from "./origin-address.ts";
import { readHeadAgain } from "./read-head-again.ts";

export function signsOfEnding(
  core: Core,
  address: OriginAddress,
  { head }: Pick<ClientRequest, "head">,
  ending: Ending,
  facts: AttemptFacts,
  now: number,
): FailureSigns {
  return {
    ...signsOf(core, address, head, now),
    end: ending.kind === "fin" ? "FIN" : ending.kind,
    detail: detailOf(ending),
    limitMs: ending.kind === "timeout" ? Math.round(facts.limitMs) : 0,
    framing: facts.framing,
    requestSent: facts.requestSent,
    stallMs: facts.stallMs,
  };
}

/** `requestSent`: an origin may refuse an upload before it has all of it. */
export function signsOfAnswer(
  core: Core,
  address: OriginAddress,
  { head }: Pick<ClientRequest, "head">,
  requestSent: boolean,
  marks: readonly GatewayMark[],
  now: number,
): FailureSigns {
  return { ...signsOf(core, address, head, now), requestSent, marks: [...marks] };
}

export function ownState({ wheel, pressure }: Core, now: number): OwnState {
  // After a pause sockets are heard before timers are: what fails then fails before the wheel has noticed.
  const unnoticedMs = wheel.unnoticedStallMs(now);
  return {
    lastStallMs: Math.round(unnoticedMs > 0 ? unnoticedMs : wheel.stallMs),
    stallAgoMs: unnoticedMs > 0 ? 0 : wheel.stallEndedAt === 0 ? -1 : Math.round(now - wheel.stallEndedAt),
    loopLateMs: Math.round(pressure.lateMs),
    descriptorsLeft: pressure.descriptorsLeft,
  };
}

function signsOf(core: Core, address: OriginAddress, head: Buffer | null, now: number): FailureSigns {
  const ago = (at: number): number => (at === -1 ? -1 : Math.round(now - at));
  return {
    end: "answer",
    detail: "",
    limitMs: 0,
    framing: "none",
    requestSent: false,
    stallMs: 0,
    keepAliveMs: Math.round(learnedIdleMs(address.keepAlive, now)),
    answeredAgoMs: ago(address.answeredAt),
    connectedAgoMs: ago(address.connectedAt),
    inFlight: address.inFlight,
    leftAnswer: address.leftAnswer,
    marks: [],
    asked: head === null ? null : shapeOf(head),
    own: ownState(core, now),
  };
}

/** Honest ones are a few dozen characters long. */
const VALUE_MAX = 256;

function shapeOf(copy: Buffer): RequestShape {
  const shape = { headBytes: copy.length, accept: "", acceptEncoding: "", range: "" };
  readHeadAgain(copy, (head) => {
    shape.accept = within(head.valueOf(FIELD.ACCEPT));
    shape.acceptEncoding = within(head.valueOf(FIELD.ACCEPT_ENCODING));
    shape.range = within(head.valueOf(FIELD.RANGE));
  });
  return shape;
}

function within(value: string | null): string {
  return value === null || value.length > VALUE_MAX ? "" : value;
}

function detailOf(ending: Ending): string {
  switch (ending.kind) {
    case "error":
      return ending.error.code;
    case "timeout":
      return ending.what;
    case "refusal":
      return ending.id;
    case "fin":
    case "unusable":
    case "upgrade":
      return "";
  }
}
