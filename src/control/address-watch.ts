/**
 * What is watched of one address of an origin, and what it says: whether it is out of use, gone, silent, or spared for now.
 */
import type { OriginRow } from "../contract/facts.ts";
import { createRatioWatch } from "./change-point.ts";
import type { RatioWatch } from "./change-point.ts";
import { createNormal } from "./normal.ts";
import type { Normal } from "./normal.ts";

export interface AddressWatch {
  readonly row: Pick<OriginRow, "service" | "pool" | "provider" | "origin" | "address" | "family">;
  readonly attempts: RatioWatch;
  readonly normal: Normal;
  outSince: number;
  outSeconds: number;
  lastOutAt: number;
  /** Seconds that the data plane kept it out for what requests met there; faded. */
  ejected: number;
  /** Seconds in a row in which requests waited at it and none was answered. */
  dumbSeconds: number;
  /** Attempts of the last seconds, faded, and seconds in which it got next to nothing of its usual part; faded slower. */
  recentAttempts: number;
  shunned: number;
  isShunned: boolean;
  /** It gets less than half of its part: not learned, or being avoided would soon be usual. */
  isShort: boolean;
  seenAt: number;
  state: OriginRow["state"];
  /** Nothing of its pool was tried lately: then whether it works again is not to be seen, and asks for nobody. */
  isPoolIdle: boolean;
  /** When it was first told of; 0: in an earlier life. */
  readonly bornAt: number;
  /** When it last failed, and when last it was not even there to answer. */
  failedAt: number;
  unreachedAt: number;
  /** Attempts in a row that were refused. */
  refusedInRow: number;
  /** When it was asked last; epoch ms. */
  triedAt: number;
  /** Its last check failed; seconds in which all went well since one did. */
  checkFails: boolean;
  checkWellS: number;
}

export function createAddressWatch(of: AddressWatch["row"], seenAt: number): AddressWatch {
  const { service, pool, provider, origin, address, family } = of;
  return {
    row: { service, pool, provider, origin, address, family },
    attempts: createRatioWatch(),
    normal: createNormal(),
    outSince: 0,
    outSeconds: 0,
    lastOutAt: 0,
    ejected: 0,
    dumbSeconds: 0,
    recentAttempts: 0,
    shunned: 0,
    isShunned: false,
    isShort: false,
    seenAt,
    state: "up",
    isPoolIdle: false,
    bornAt: seenAt,
    failedAt: 0,
    unreachedAt: 0,
    refusedInRow: 0,
    triedAt: 0,
    checkFails: false,
    checkWellS: 0,
  };
}

/** Out of use, and not because nobody asks for its pool any more: that one waits for a request to prove itself. */
export function isKeptOut({ outSeconds, state, isPoolIdle }: Readonly<AddressWatch>): boolean {
  return outSeconds > 0 && (state !== "probation" || !isPoolIdle);
}

/**
 * Its check took it out and a request failed there at that time: where little is asked, one is all that there will be. What was
 * answered, if with an error, says little about an origin that is down, unless nothing else came of it: one that is restarted well
 * has its stray errors too.
 */
export function isDownForRequests({ state, outSince, failedAt, unreachedAt, attempts }: AddressWatch): boolean {
  if (state !== "down") return false;
  const from = Math.max(1, outSince - FAILED_WITH_MS);
  return unreachedAt >= from || (failedAt >= from && attempts.recentBad >= attempts.recentTotal * MOSTLY);
}

export function firstSignOf({ attempts, outSeconds, outSince, failedAt }: AddressWatch): number {
  if (outSeconds === 0) return attempts.since === 0 ? failedAt : attempts.since;
  // What failed once long before it was taken out was something else.
  const isOfIt = attempts.since > 0 && attempts.roseAt >= outSince - FAILED_WITH_MS;
  return isOfIt ? Math.min(outSince, attempts.since) : outSince;
}

/** Requests wait and none is answered, for far longer than answers take: nothing has failed yet, and it is not well. */
export function isDumb({ dumbSeconds, normal }: AddressWatch): boolean {
  return normal.slowUs > 0 && dumbSeconds >= DUMB_S && dumbSeconds * 1_000_000 >= normal.slowUs * DUMB_FACTOR;
}

/** It is out or on its way back or not asked, and has not failed of late: what was seen of it last says little about now. */
export function isSpared({ state, triedAt, failedAt, seenAt }: Readonly<AddressWatch>): boolean {
  return failedAt < seenAt - QUIET_MS && (state !== "up" || triedAt < seenAt - QUIET_MS);
}

const DUMB_S = 5;
const DUMB_FACTOR = 5;
const MOSTLY = 0.5;
const QUIET_MS = 5_000;
const FAILED_WITH_MS = 10_000;
