/**
 * What every policy promises, whatever it decides: the same input gives the same output; the state is plain
 * data and survives JSON at any moment; time that stands still or jumps far ahead does no harm; memory is
 * bounded under any sequence of events; and no sequence wedges it: good news bring it back for good.
 *
 * A policy takes part with one `Subject` below. Those without a state of their own take part with the data
 * that they judge.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RETRY_INPUT } from "../../test/support/retry-input.ts";
import { countAsked, createAnswerYield, isWorthAsking, yieldInWords } from "./answer-worth-retrying.ts";
import type { AnswerYield } from "./answer-worth-retrying.ts";
import { createAdaptiveLimit } from "./limit-state.ts";
import { hasRoom, isCongested, leaveSlot, takeSlot } from "./adaptive-limit.ts";
import { LIMIT_FLOOR } from "./limit-gauge.ts";
import { NO_OUTLOOK } from "./limit-foresight.ts";
import type { AdaptiveLimit } from "./limit-state.ts";
import type { Leaving } from "./adaptive-limit.ts";
import { arrive, createAdmissionQueue, isStressed, nextWaiter, retryAfterFor, takeExpired } from "./admission-queue.ts";
import type { AdmissionQueue, ClassRank, QueueEntry } from "./admission-queue.ts";
import { createPressure, observePressure, passesPressure } from "./own-pressure.ts";
import type { Pressure } from "./own-pressure.ts";
import { assess, probationTurn } from "./availability.ts";
import type { AvailabilityOptions, Member } from "./availability.ts";
import { backoffMs } from "./backoff.ts";
import {
  beginTrial,
  breakerFailed,
  breakerSucceeded,
  breakerUnproven,
  createRouteBreakers,
  hearBreaker,
  isCalm,
  isOpen,
  isTrialDue,
} from "./breaker.ts";
import type { HeardBreaker, RouteBreakers } from "./breaker.ts";
import { chooseTwo } from "./choose-two.ts";
import { doubtedOf, isDoubtful } from "./doubt.ts";
import { parseGrpcTimeout, parseRequestTimeout } from "./deadline.ts";
import { beginProbation, isProbationDue, settleEjection } from "./ejection-phase.ts";
import { createEjection } from "./ejection-state.ts";
import { hearEjection } from "./ejection-heard.ts";
import { observeLatency } from "./ejection-slowness.ts";
import { observeOutcome } from "./ejection.ts";
import type { EjectionMember } from "./ejection-state.ts";
import type { HeardPhase } from "./ejection-heard.ts";
import type { TrafficOutcome } from "./ejection.ts";
import { answeredWell, createFloodState, floodInWords, floodVerdict, heldBack } from "./flood.ts";
import type { FloodState } from "./flood.ts";
import { doubtIdentity, NO_IDENTITY, stepIdentity, unproven } from "./origin-identity.ts";
import type { IdentityState } from "./origin-identity.ts";
import { judgeFreshness, mayAnswerForOrigin } from "./freshness.ts";
import type { Freshness } from "./freshness.ts";
import { stepHealth, UNCHECKED } from "./health.ts";
import { decideHedge } from "./hedge.ts";
import type { HedgeInput } from "./hedge.ts";
import type { HealthOptions, HealthState } from "./health.ts";
import {
  createKeepAlive,
  keepAliveBecause,
  learnFromHint,
  learnFromIdleClose,
  learnFromRace,
  maxIdleMs,
  mayReuse,
} from "./keep-alive.ts";
import type { KeepAliveState } from "./keep-alive.ts";
import { concludeKey, judgeKnownKey } from "./idempotency.ts";
import type { KnownKey } from "./idempotency.ts";
import { addLatency, bucketOf, countAbove, createLatencyWindow } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import { judgeOutlier } from "./outlier.ts";
import { beginWithLearned, learnedLimit } from "./learned-limit.ts";
import { lookForPins } from "./pinning.ts";
import type { PinMember } from "./pinning.ts";
import { createPeakEwma, LATENCY_FLOOR_MS, load, recordFailure, recordLatency } from "./peak-ewma.ts";
import type { PeakEwma } from "./peak-ewma.ts";
import {
  admitFingerprint,
  createPoison,
  hearQuarantine,
  markBroken,
  markPinned,
  markRefused,
  markSuccess,
  markUnproven,
  sweepPoison,
} from "./poison.ts";
import type { PoisonState } from "./poison.ts";
import { createPoolPreference, preferPool } from "./pool-preference.ts";
import type { PoolPreferenceState } from "./pool-preference.ts";
import { asksSilent, createSilence, observeSilence, silenceInWords } from "./pool-silence.ts";
import type { SilenceState } from "./pool-silence.ts";
import { createRateTable, fullMsAt, placeOf, remainingAt, takeOne, waitMsAt } from "./rate-limit.ts";
import type { RateTable } from "./rate-limit.ts";
import { addSample, createQuantileWindow, quantileAt, samplesAt } from "./quantile-window.ts";
import type { QuantileWindow } from "./quantile-window.ts";
import { addToLevel, createRatePool, freeOf, isEmptyPool, loseOut, settleOut, takeOut, waitMsOf } from "./rate-pool.ts";
import type { RatePool } from "./rate-pool.ts";
import { judgeResolution, STEADY } from "./resolution-change.ts";
import type { Addressed, ResolutionChangeState } from "./resolution-change.ts";
import { countResume, createResume, decideResume } from "./resume.ts";
import type { ResumeInput, ResumeState } from "./resume.ts";
import { judgeContinuation, promisedBody } from "./resumable.ts";
import type { ResponseFacts } from "./resumable.ts";
import { budgetInWords, countExchange, createRetryBudget, retriesLeft, takeRetry } from "./retry-budget.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { decideRetry } from "./retry.ts";
import type { RetryInput } from "./retry.ts";
import { addToCount, countAt, createSlidingCount } from "./sliding-count.ts";
import type { SlidingCount } from "./sliding-count.ts";

interface Subject<S, E> {
  readonly init: () => S;
  readonly event: fc.Arbitrary<E>;
  /** Feeds one event; returns the next state (the same object when it is changed in place) and all that is said. */
  readonly feed: (state: S, event: E, now: number) => { readonly state: S; readonly said: unknown };
  /** Characters of JSON that the state may take, whatever happened. */
  readonly sizeMax: number;
  /** Feeds good news from `now` on and says whether all is well in the end. */
  readonly recovers: (state: S, now: number) => boolean;
}

const roll = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** How far time moves before an event: usually a little, sometimes not at all, sometimes by weeks. */
const pace = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(11_000, 700_000, 2_000_000_000) },
);

function conforms<S, E>(name: string, subject: Subject<S, E>): void {
  const { init, feed, event, sizeMax, recovers } = subject;
  const course = fc.array(fc.tuple(pace, event), { maxLength: 80 });
  const play = (
    state: S,
    events: readonly (readonly [number, E])[],
    from: number,
  ): { state: S; said: unknown[]; now: number } => {
    let current = state;
    let now = from;
    const said: unknown[] = [];
    for (const [after, each] of events) {
      now += after;
      const step = feed(current, each, now);
      current = step.state;
      // Said things may be shared or changed later, so they are written down at once.
      said.push(JSON.stringify(step.said));
    }
    return { state: current, said, now };
  };

  describe(`${name} conforms`, () => {
    test("the same input gives the same output", () => {
      fc.assert(
        fc.property(course, (events) => {
          expect(play(init(), events, 0)).toEqual(play(init(), events, 0));
        }),
      );
    });

    test("the state survives JSON at any moment", () => {
      fc.assert(
        fc.property(course, course, (before, after) => {
          const first = play(init(), before, 0);
          // JSON is the subject here: a clone would keep what JSON loses.
          const kept = JSON.parse(JSON.stringify(first.state)) as S;
          expect(kept).toEqual(first.state);
          expect(play(kept, after, first.now)).toEqual(play(first.state, after, first.now));
        }),
      );
    });

    test("time that stands still does no harm", () => {
      fc.assert(
        fc.property(fc.array(event, { maxLength: 80 }), (events) => {
          const still = events.map((each) => [0, each] as const);
          const { state, said } = play(init(), still, 5_000);
          expect(JSON.stringify([state, said])).not.toMatch(/NaN|Infinity/);
          expect(recovers(state, 5_000)).toBe(true);
        }),
      );
    });

    test("memory is bounded under any sequence", () => {
      const long = fc.array(fc.tuple(pace, event), { minLength: 300, maxLength: 600, size: "max" });
      fc.assert(
        fc.property(long, (events) => {
          const { state } = play(init(), events, 0);
          expect(JSON.stringify(state).length).toBeLessThanOrEqual(sizeMax);
        }),
        { numRuns: 10 },
      );
    });

    test("no sequence wedges it for good", () => {
      fc.assert(
        fc.property(course, (events) => {
          const { state, now } = play(init(), events, 0);
          expect(recovers(state, now)).toBe(true);
        }),
      );
    });
  });
}

const health: HealthOptions = { path: "/healthz", grpc: null, intervalMs: 2_000, timeoutMs: 1_000, down: 3, up: 2 };
const options: AvailabilityOptions = {
  ejection: {
    consecutiveFailures: 5,
    successRatioMin: 0.8,
    requestsMin: 20,
    windowMs: 10_000,
    returnAfterMs: 1_000,
    returnAfterMaxMs: 60_000,
    rampMs: 10_000,
    ejectedRatioMax: 0.5,
    slow: { factor: 4, extraMs: 100, shareMin: 0.2, peersMin: 20 },
  },
  health,
};
const outcome = fc.constantFrom<TrafficOutcome>("success", "failure", "failure", "refused", "ignore");
const HEDGE_INPUT: HedgeInput = {
  othersLeft: 1,
  budgetLeft: 10,
  budgetAllowed: 10,
  stressed: false,
  attempts: 1,
  attemptsMax: 3,
  deadlineLeftMs: Infinity,
  usualMs: 20,
};
const WHILE = { stepMs: 500, steps: 300 };

conforms<SlidingCount, number>("sliding count", {
  init: () => createSlidingCount(10_000),
  event: fc.nat({ max: 1_000 }),
  feed: (state, amount, now) => {
    addToCount(state, amount, now);
    return { state, said: countAt(state, now) };
  },
  sizeMax: 200,
  recovers: (state, now) => countAt(state, now + 10_000) === 0,
});

conforms<PeakEwma, { ms: number; failed: boolean; inFlight: number }>("peak EWMA", {
  init: createPeakEwma,
  event: fc.record({
    ms: fc.double({ min: 0, max: 1e9, noNaN: true }),
    failed: fc.boolean(),
    inFlight: fc.nat({ max: 1_000 }),
  }),
  feed: (state, { ms, failed, inFlight }, now) => {
    if (failed) recordFailure(state, ms, now);
    else recordLatency(state, ms, now);
    return { state, said: load(state, inFlight, now) };
  },
  sizeMax: 200,
  recovers: (state, now) => {
    const later = now + 200_000;
    recordLatency(state, 1, later);
    return load(state, 0, later) === LATENCY_FLOOR_MS;
  },
});

interface Place {
  weight: number;
  share: number;
  inFlight: number;
  latency: PeakEwma;
}

conforms<Place[], { who: number; share: number; ms: number; roll1: number; roll2: number }>("choose two", {
  init: () => [100, 100, 300].map((weight) => ({ weight, share: 1, inFlight: 0, latency: createPeakEwma() })),
  event: fc.record({
    who: fc.nat({ max: 2 }),
    share: fc.constantFrom(0, 0.1, 1),
    ms: fc.nat({ max: 20_000 }),
    roll1: roll,
    roll2: roll,
  }),
  feed: (state, { who, share, ms, roll1, roll2 }, now) => {
    const place = state[who]!;
    place.share = share;
    recordLatency(place.latency, ms, now);
    const chosen = chooseTwo(state, state.length, roll1, roll2, now);
    if (chosen >= 0) state[chosen]!.inFlight += 1;
    return { state, said: chosen };
  },
  sizeMax: 1_000,
  recovers: (state, now) => {
    for (const place of state) {
      Object.assign(place, { share: 1, inFlight: 0 });
      recordLatency(place.latency, 1, now + 200_000);
    }
    const chosen = new Set<number>();
    for (let time = 0; time < 100; time += 1) {
      chosen.add(chooseTwo(state, state.length, time / 100, ((time * 7) % 100) / 100, now + 200_000));
    }
    return chosen.size === state.length;
  },
});

conforms<LatencyWindow, number>("latency window", {
  init: () => createLatencyWindow(10_000),
  event: fc.double({ min: 0, max: 1e9, noNaN: true }),
  feed: (state, ms, now) => {
    addLatency(state, bucketOf(ms), now);
    return { state, said: countAbove(state, 10, now) };
  },
  sizeMax: 1_000,
  recovers: (state, now) => countAbove(state, -1, now + 10_000) === 0,
});

interface Ejecting {
  members: EjectionMember[];
  all: LatencyWindow;
}

type EjectionEvent = {
  who: number;
  what: TrafficOutcome | "try" | HeardPhase["kind"];
  ms: number;
  late: number;
  roll: number;
};

conforms<Ejecting, EjectionEvent>("ejection", {
  init: () => ({
    members: Array.from({ length: 4 }, () => ({ ejection: createEjection(options.ejection, 0), share: 1 })),
    all: createLatencyWindow(options.ejection.windowMs),
  }),
  event: fc.record({
    who: fc.nat({ max: 3 }),
    what: fc.oneof<fc.Arbitrary<EjectionEvent["what"]>[]>(
      outcome,
      outcome,
      fc.constant("try"),
      fc.constantFrom("ejected", "probation", "ramping"),
    ),
    ms: fc.constantFrom(1, 10, 3_000, 60_000),
    late: fc.nat({ max: 5_000 }),
    roll,
  }),
  feed: (state, { who, what, ms, late, roll: chance }, now) => {
    const member = state.members[who]!;
    if (what === "ejected" || what === "probation" || what === "ramping") {
      const since = now - late;
      const heard = { kind: what, since, until: since + ms, times: 2, refused: chance < 0.5, because: "told" };
      return { state, said: hearEjection(options.ejection, member, state.members, heard, now) };
    }
    if (what !== "try") {
      const began = Math.max(0, now - late);
      return {
        state,
        said: [
          observeLatency(options.ejection, member, state.members, state.all, ms, began, chance, now),
          observeOutcome(options.ejection, member, state.members, what, began, chance, now),
        ],
      };
    }
    const due = isProbationDue(member.ejection, true, now);
    if (due) beginProbation(member.ejection, now);
    return { state, said: due };
  },
  sizeMax: 6 * 2_000,
  recovers: ({ members, all }, now) => {
    for (let step = 0; step < WHILE.steps; step += 1) {
      const at = now + step * WHILE.stepMs;
      for (const member of members) {
        const phase = settleEjection(member.ejection, at);
        if (isProbationDue(member.ejection, true, at)) beginProbation(member.ejection, at);
        // An ejected origin hears nothing until its turn.
        if (phase.kind === "ejected") continue;
        observeLatency(options.ejection, member, members, all, 1, at, 0, at);
        observeOutcome(options.ejection, member, members, "success", at, 0, at);
      }
    }
    return members.every(({ ejection }) => ejection.phase.kind === "up" && ejection.heldCode === "");
  },
});

conforms<EjectionMember["ejection"]["run"][], number>("outlier", {
  init: () => [0],
  event: fc.nat({ max: 100 }),
  feed: (state, failures) => {
    const own = { failures, total: 100 };
    return { state, said: judgeOutlier(options.ejection, failures, own, { failures: 100 - failures, total: 100 }) };
  },
  sizeMax: 10,
  recovers: () => judgeOutlier(options.ejection, 0, { failures: 0, total: 100 }, { failures: 0, total: 0 }) === "sound",
});

conforms<Freshness[], { lifetimeMs: number; ageMs: number; flags: number }>("freshness", {
  init: () => [],
  event: fc.record({
    lifetimeMs: fc.nat({ max: 100_000 }),
    ageMs: fc.nat({ max: 200_000 }),
    flags: fc.nat({ max: 7 }),
  }),
  feed: (_state, { lifetimeMs, ageMs, flags }) => {
    const stored: Freshness = {
      lifetimeMs,
      noCache: (flags & 1) !== 0,
      mustRevalidate: (flags & 2) !== 0,
      sharedMaxAge: (flags & 4) !== 0,
      whileRevalidateMs: 10_000,
      ifErrorMs: 10_000,
    };
    const permissions = { whileRevalidateMs: 0, ifStatusMs: 5_000, ifDisconnectedMs: 50_000 };
    const said = [
      judgeFreshness(stored, permissions, ageMs, null),
      mayAnswerForOrigin(stored, permissions, ageMs, "error"),
      mayAnswerForOrigin(stored, permissions, ageMs, "disconnected"),
    ];
    return { state: [stored], said };
  },
  sizeMax: 200,
  recovers: () => {
    const fresh = { lifetimeMs: 1, noCache: false, mustRevalidate: true, sharedMaxAge: true };
    const none = { whileRevalidateMs: 0, ifStatusMs: 0, ifDisconnectedMs: 0 };
    return judgeFreshness({ ...fresh, whileRevalidateMs: 0, ifErrorMs: 0 }, none, 0, null) === "fresh";
  },
});

conforms<HealthState, boolean>("health", {
  init: () => UNCHECKED,
  event: fc.boolean(),
  feed: (state, ok, now) => {
    const step = stepHealth(health, Object.freeze(state), { ok, detail: "status 503" }, now);
    return { state: step.state, said: step.verdict };
  },
  sizeMax: 400,
  recovers: (state, now) => {
    const once = stepHealth(health, state, { ok: true, detail: "" }, now + 2_000).state;
    return stepHealth(health, once, { ok: true, detail: "" }, now + 4_000).state.kind === "up";
  },
});

conforms<IdentityState, { sign: boolean | null; isDown: boolean; refused: boolean }>("origin identity", {
  init: () => unproven(0),
  event: fc.record({ sign: fc.option(fc.boolean()), isDown: fc.boolean(), refused: fc.boolean() }),
  feed: (state, { sign, isDown, refused }, now) => {
    const seen = { detail: "", ...(sign === null ? {} : { identity: sign }) };
    const next = refused ? doubtIdentity(Object.freeze(state), now) : stepIdentity(state, seen, isDown, now);
    return { state: next, said: next };
  },
  sizeMax: 300,
  recovers: (state, now) => stepIdentity(state, { detail: "", identity: true }, false, now).kind === "proven",
});

interface Origin extends Member {
  health: HealthState;
}

conforms<Origin[], { who: number; what: TrafficOutcome | "check ok" | "check bad" | "turn" | "drain"; roll: number }>(
  "availability",
  {
    init: () =>
      Array.from({ length: 3 }, () => ({
        weight: 100,
        share: 1,
        health: UNCHECKED,
        identity: NO_IDENTITY,
        drain: null,
        ejection: createEjection(options.ejection, 0),
      })),
    event: fc.record({
      who: fc.nat({ max: 2 }),
      what: fc.constantFrom<TrafficOutcome | "check ok" | "check bad" | "turn" | "drain">(
        "success",
        "failure",
        "failure",
        "ignore",
        "check ok",
        "check bad",
        "check bad",
        "turn",
        "drain",
      ),
      roll,
    }),
    feed: (state, { who, what, roll: chance }, now) => {
      const member = state[who]!;
      const available = assess(options, state, now);
      if (what === "turn") return { state, said: probationTurn(options, state, available, true, now) };
      if (what === "drain") {
        member.drain = { by: "ann", reason: "new kernel", since: now, until: now + 5_000 };
      } else if (what === "check ok" || what === "check bad") {
        const result = { ok: what === "check ok", detail: "status 503" };
        member.health = stepHealth(health, member.health, result, now).state;
      } else {
        observeOutcome(options.ejection, member, state, what, now, chance, now);
      }
      const { usable, ...rest } = assess(options, state, now);
      return { state, said: [rest, usable.map((each) => state.indexOf(each))] };
    },
    sizeMax: 3 * 2_500,
    recovers: (state, now) => {
      for (let step = 0; step < WHILE.steps; step += 1) {
        const at = now + step * WHILE.stepMs;
        if (step % 4 === 0) {
          for (const member of state)
            member.health = stepHealth(health, member.health, { ok: true, detail: "" }, at).state;
        }
        const available = assess(options, state, at);
        probationTurn(options, state, available, true, at);
        for (const member of state) {
          const served = member.share > 0 || member.ejection.phase.kind === "probation";
          if (served) observeOutcome(options.ejection, member, state, "success", at, 0, at);
        }
      }
      const last = assess(options, state, now + WHILE.steps * WHILE.stepMs);
      return last.kind === "normal" && last.even && last.liveShare === 1 && last.usable.length === state.length;
    },
  },
);

const FAILOVER = { threshold: 0.7, backAfterMs: 30_000, holdMs: 300_000 };

conforms<PoolPreferenceState, [number, number, number]>("pool preference", {
  init: () => createPoolPreference(),
  event: fc.tuple(fc.constantFrom(0, 0.3, 0.6, 1), fc.constantFrom(0, 0.3, 0.6, 1), fc.constantFrom(0, 0.3, 0.6, 1)),
  feed: (state, shares, now) => {
    const pools = shares.map((liveShare, index) => ({
      name: `pool-${index}`,
      liveShare,
      weight: 100,
      standbyShare: 0,
    }));
    const step = preferPool(FAILOVER, Object.freeze(state), pools, now);
    return { state: step.state, said: step.verdict };
  },
  sizeMax: 300,
  recovers: (state, now) => {
    const pools = ["a", "b", "c"].map((name) => ({ name, liveShare: 1, weight: 100, standbyShare: 0 }));
    const once = preferPool(FAILOVER, state, pools, now).state;
    return preferPool(FAILOVER, once, pools, now + 30_000_000).state.first === 0;
  },
});

conforms<RetryInput[], Partial<RetryInput>>("retry", {
  init: () => [],
  event: fc.record(
    {
      retryClass: fc.constantFrom<RetryInput["retryClass"]>("R0", "R1", "R2", "RX"),
      method: fc.constantFrom("GET", "POST"),
      body: fc.constantFrom<RetryInput["body"]>("untouched", "kept", "too-large", "not-kept"),
      attempts: fc.integer({ min: 1, max: 4 }),
      othersLeft: fc.nat({ max: 2 }),
      keyed: fc.constantFrom<RetryInput["keyed"]>("no", "never-twice", "origins-honour"),
      connectFailed: fc.boolean(),
      overloadedForMs: fc.constantFrom(-1, 0, 1_000),
      deadlineLeftMs: fc.constantFrom(Infinity, 0, 100, 5_000),
      repeatedInFront: fc.boolean(),
      shedding: fc.boolean(),
      pass: fc.integer({ min: 1, max: 1_000 }),
      roll,
      budgetLeft: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  feed: (state, change) => ({ state, said: decideRetry(Object.freeze({ ...RETRY_INPUT, ...change })) }),
  sizeMax: 2,
  recovers: () => decideRetry(RETRY_INPUT).retry,
});

const RESUME_INPUT: ResumeInput = {
  retryClass: "R2",
  stalled: false,
  silentMs: 0,
  received: 500_000,
  bodyBytes: 1_000_000,
  othersLeft: 1,
  sameLeft: true,
  budgetLeft: true,
  budgetWords: "",
};

conforms<ResumeState, Partial<ResumeInput>>("resume", {
  init: createResume,
  event: fc.record(
    {
      stalled: fc.boolean(),
      received: fc.integer({ min: 0, max: 1_000_000 }),
      othersLeft: fc.nat({ max: 2 }),
      sameLeft: fc.boolean(),
      budgetLeft: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  feed: (state, change) => {
    const input = Object.freeze({ ...RESUME_INPUT, ...change });
    const said = decideResume({ attemptsMax: 3, timesMax: 50, gapMs: 30_000 }, state, input);
    if (said.resume) countResume(state, input.received, input.bodyBytes, said.target);
    return { state, said };
  },
  sizeMax: 100,
  // Its life is one body: what is used up there stays so, and the next body begins afresh.
  recovers: () => decideResume({ attemptsMax: 3, timesMax: 50, gapMs: 30_000 }, createResume(), RESUME_INPUT).resume,
});

const WHOLE: ResponseFacts = {
  status: 200,
  contentLength: 1000,
  contentRange: null,
  contentType: null,
  contentEncoding: null,
  etag: '"v1"',
  lastModified: null,
  date: null,
};

conforms<ResponseFacts[], Partial<ResponseFacts>>("resumable", {
  init: () => [],
  event: fc.record(
    {
      status: fc.constantFrom(200, 206, 416),
      contentLength: fc.integer({ min: -1, max: 1000 }),
      contentRange: fc.constantFrom(null, "bytes 1-999/1000", "bytes 0-9/10"),
      etag: fc.constantFrom(null, '"v1"', '"v2"', 'W/"v1"'),
    },
    { requiredKeys: [] },
  ),
  feed: (state, change) => {
    const promised = promisedBody(Object.freeze({ ...WHOLE, ...change }));
    return { state, said: [promised, promised.resumable && judgeContinuation(promised.body, 1, WHOLE)] };
  },
  sizeMax: 2,
  recovers: () => promisedBody(WHOLE).resumable,
});

conforms<
  PoisonState,
  { name: string; origin: string; what: "broke" | "pinned" | "refused" | "answered" | "arrives" | "unproven" | "told" }
>("poison", {
  init: createPoison,
  event: fc.record({
    name: fc.constantFrom("p1", "p2", "p3"),
    origin: fc.constantFrom("a:80", "b:80", "c:80"),
    what: fc.constantFrom("broke", "broke", "pinned", "refused", "answered", "arrives", "arrives", "unproven", "told"),
  }),
  feed: (state, { name, origin, what }, now) => {
    if (what === "broke") markBroken(state, name, origin, now, now);
    else if (what === "pinned") markPinned(state, name, origin, now, now);
    else if (what === "refused") markRefused(state, origin, now);
    else if (what === "answered") markSuccess(state, name, now);
    else if (what === "unproven") markUnproven(state, name, false, now);
    else if (what === "told") hearQuarantine(state, name, { until: now + 10_000, times: 1, broken: [origin] }, now);
    const said = what === "arrives" ? admitFingerprint(state, name, now) : null;
    sweepPoison(state, now);
    return { state, said };
  },
  sizeMax: 8_000,
  recovers: (state, now) => {
    for (const name of ["p1", "p2", "p3"]) markSuccess(state, name, now);
    return ["p1", "p2", "p3"].every((name) => admitFingerprint(state, name, now + 1).kind === "pass");
  },
});

conforms<PinMember<Waiting>[], { who: number; what: "waits" | "answers" | "connects" | "outruns" | "looks" }>(
  "pinning",
  {
    init: () => [quietMember(), quietMember()],
    event: fc.record({
      who: fc.nat({ max: 1 }),
      what: fc.constantFrom("waits", "answers", "connects", "outruns", "looks"),
    }),
    feed: (state, { who, what }, now) => {
      const before = state[who] ?? quietMember();
      const oldest = { turnMs: now, sentMs: now, nth: before.attemptsSoFar + 1, newer: null };
      const member = {
        waits: { ...before, waits: { oldest }, attemptsSoFar: before.attemptsSoFar + 1 },
        answers: { ...before, waits: { oldest: null }, heardAt: now, outrun: 0 },
        connects: { ...before, connectedAt: now },
        outruns: { ...before, outrun: before.outrun + 1 },
        looks: before,
      }[what];
      const members = state.with(who, member);
      return { state: members, said: lookForPins(members, usualAnswers(now), 0, now) };
    },
    sizeMax: 600,
    recovers: (state, now) => {
      const heard = state.map((member) => ({ ...member, heardAt: now + 1 }));
      return lookForPins(heard, usualAnswers(now), 0, now + 1).every(({ sign }) => sign !== "pins");
    },
  },
);

interface Waiting {
  readonly turnMs: number;
  readonly sentMs: number;
  readonly nth: number;
  readonly newer: Waiting | null;
}

function quietMember(): PinMember<Waiting> {
  const never = { heardAt: -1, connectedAt: -1, checkedAt: -1, checkFailedAt: -1 };
  return { waits: { oldest: null }, ...never, attemptsSoFar: 0, outrun: 0 };
}

function usualAnswers(now: number): LatencyWindow {
  const window = createLatencyWindow(10_000);
  for (let count = 0; count < 20; count += 1) addLatency(window, bucketOf(10), now);
  return window;
}

conforms<QuantileWindow, number>("quantile window", {
  init: () => createQuantileWindow(0.95, 10_000, 0),
  event: fc.double({ min: -1, max: 1e9, noNaN: true }),
  feed: (state, ms, now) => {
    addSample(state, ms, now);
    return { state, said: [quantileAt(state, now), samplesAt(state, now)] };
  },
  sizeMax: 1_500,
  recovers: (state, now) => {
    for (let times = 0; times < 100; times += 1) addSample(state, 1, now + 30_000);
    return quantileAt(state, now + 30_000) < 1.3;
  },
});

conforms<number[], Partial<HedgeInput>>("hedge", {
  init: () => [],
  event: fc.record({
    othersLeft: fc.nat({ max: 3 }),
    budgetLeft: fc.nat({ max: 50 }),
    budgetAllowed: fc.nat({ max: 50 }),
    stressed: fc.boolean(),
    attempts: fc.integer({ min: 1, max: 4 }),
    deadlineLeftMs: fc.constantFrom(Infinity, 10, 500),
  }),
  feed: (state, change) => ({ state, said: decideHedge(Object.freeze({ ...HEDGE_INPUT, ...change }), 60) }),
  sizeMax: 2,
  recovers: () => decideHedge(HEDGE_INPUT, 60).hedge,
});

type BreakerEvent = {
  who: number;
  route: number;
  what: TrafficOutcome | "try" | HeardBreaker["kind"];
  roll: number;
};

conforms<RouteBreakers[], BreakerEvent>("breaker", {
  init: () => Array.from({ length: 3 }, () => createRouteBreakers(options.ejection, 2, { succeeded: 0, failed: 0 }, 0)),
  event: fc.record({
    who: fc.nat({ max: 2 }),
    route: fc.nat({ max: 1 }),
    what: fc.oneof<fc.Arbitrary<BreakerEvent["what"]>[]>(
      outcome,
      outcome,
      fc.constant("try"),
      fc.constantFrom("open", "trying", "closed"),
    ),
    roll,
  }),
  feed: (state, { who, route, what, roll: chance }, now) => {
    const own = state[who]!;
    switch (what) {
      case "open":
      case "trying":
        hearBreaker(
          options.ejection,
          own,
          route,
          { kind: what, since: now, until: now + 1_000, times: 1, because: "told" },
          now,
        );
        return { state, said: null };
      case "closed":
        hearBreaker(options.ejection, own, route, { kind: what }, now);
        return { state, said: null };
      case "success":
        return { state, said: breakerSucceeded(own, route, now) };
      case "failure":
      case "refused": {
        const peers = state.filter((each) => each !== own);
        return { state, said: breakerFailed(options.ejection, own, route, peers, chance, now) };
      }
      case "ignore":
        breakerUnproven(own, route, now);
        return { state, said: null };
      case "try": {
        const due = isTrialDue(own, route, now);
        if (due) beginTrial(own, route, now);
        return { state, said: due };
      }
    }
  },
  sizeMax: 3 * 1_600,
  recovers: (state, now) => {
    for (const own of state) for (const route of [0, 1]) breakerSucceeded(own, route, now + 60_000);
    return state.every((own) => !isOpen(own, 0) && !isOpen(own, 1) && isCalm(options.ejection, own, now + 200_000));
  },
});

conforms<AnswerYield, boolean>("answer worth retrying", {
  init: createAnswerYield,
  event: fc.boolean(),
  feed: (state, better, now) => {
    countAsked(state, better, now);
    return { state, said: [isWorthAsking(state, now), yieldInWords(state, now)] };
  },
  sizeMax: 400,
  recovers: (state, now) => isWorthAsking(state, now + 10_000),
});

conforms<number[], string>("retry after", {
  init: () => [],
  event: fc.oneof(
    fc.string(),
    fc.stringMatching(/^\d{1,12}$/),
    fc.date().map((date) => date.toUTCString()),
  ),
  feed: (state, text, now) => ({ state, said: parseRetryAfter(text, now) }),
  sizeMax: 2,
  recovers: () => parseRetryAfter("1", 0) === 1_000,
});

conforms<number[], number>("backoff", {
  init: () => [1],
  event: roll,
  feed: (state, chance) => {
    const waitMs = backoffMs(RETRY_INPUT.backoff, state[0]!, chance);
    return { state: [state[0]! + 1], said: waitMs };
  },
  sizeMax: 20,
  recovers: () => backoffMs(RETRY_INPUT.backoff, 1, 0.5) === 50,
});

conforms<string[], string>("deadline", {
  init: () => [],
  event: fc.oneof(fc.string(), fc.stringMatching(/^\d{1,9}(\.\d{1,9})?[HMSmun]?$/)),
  feed: (state, text) => ({ state, said: [parseRequestTimeout(text), parseGrpcTimeout(text)] }),
  sizeMax: 2,
  recovers: () => parseRequestTimeout("1") === 1_000 && parseGrpcTimeout("1S") === 1_000,
});

conforms<RetryBudget, boolean>("retry budget", {
  init: createRetryBudget,
  event: fc.boolean(),
  feed: (state, isRetry, now) => {
    const rates = { budgetRatio: 0.1, budgetPerSecond: 1 };
    if (!isRetry) countExchange(state, now);
    return { state, said: [isRetry && takeRetry(rates, state, now), budgetInWords(rates, state, now)] };
  },
  sizeMax: 400,
  recovers: (state, now) => retriesLeft({ budgetRatio: 0.1, budgetPerSecond: 1 }, state, now + 10_000) === 10,
});

conforms<KeepAliveState, { kind: "hint" | "close" | "race"; ms: number }>("keep-alive", {
  init: createKeepAlive,
  event: fc.record({
    kind: fc.constantFrom<"hint" | "close" | "race">("hint", "close", "race"),
    ms: fc.integer({ min: -1, max: 100_000 }),
  }),
  feed: (state, { kind, ms }, now) => {
    if (kind === "hint") learnFromHint(state, ms / 1_000, now);
    else if (kind === "close") learnFromIdleClose(state, ms, now);
    else learnFromRace(state, ms, now);
    const limits = { idleMaxMs: 60_000 };
    return {
      state,
      said: [
        maxIdleMs(limits, state, now),
        mayReuse(limits, state, 400, false, now),
        keepAliveBecause(limits, state, now),
      ],
    };
  },
  sizeMax: 400,
  recovers: (state, now) => maxIdleMs({ idleMaxMs: 60_000 }, state, now + 40_000_000) === 60_000,
});

interface Name {
  readonly change: ResolutionChangeState;
  readonly inUse: readonly Addressed[];
}

conforms<Name, readonly number[] | null>("resolution change", {
  init: () => ({ change: STEADY, inUse: [{ ip: "192.0.2.1" }] }),
  event: fc.option(fc.array(fc.nat({ max: 255 }), { maxLength: 100 })),
  feed: ({ change, inUse }, numbers, now) => {
    const addresses = numbers?.map((number) => ({ ip: `192.0.2.${number}` }));
    const step = judgeResolution(
      Object.freeze(change),
      Object.freeze(inUse),
      addresses === undefined
        ? { kind: "failure", detail: "SERVFAIL", ageMs: now % 100_000_000 }
        : { kind: "addresses", addresses, ttlMs: 2_000 },
      86_400_000,
      now,
    );
    return { state: { change: step.state, inUse: step.verdict.addresses }, said: step.verdict };
  },
  sizeMax: 2_000,
  recovers: ({ change, inUse }, now) => {
    const answer = { kind: "addresses" as const, addresses: [{ ip: "192.0.2.77" }], ttlMs: 2_000 };
    const once = judgeResolution(change, inUse, answer, 86_400_000, now);
    const twice = judgeResolution(once.state, once.verdict.addresses, answer, 86_400_000, now + 300_000);
    return twice.verdict.addresses.length === 1 && twice.state.kind === "steady";
  },
});

conforms<KnownKey | null, { status: number; sent: boolean; fingerprint: string; honour: boolean }>("idempotency", {
  init: () => null,
  event: fc.record({
    status: fc.constantFrom(0, 201, 409, 429, 500, 502, 503),
    sent: fc.boolean(),
    fingerprint: fc.constantFrom("f", "g"),
    honour: fc.boolean(),
  }),
  feed: (known, { status, sent, fingerprint, honour }) => {
    const verdict = known === null ? null : judgeKnownKey(Object.freeze(known), fingerprint, false, honour);
    if (verdict !== null && verdict.kind !== "send") return { state: known, said: verdict };
    const conclusion = concludeKey(
      status === 0
        ? { kind: "failed", sent, because: "reset" }
        : { kind: "response", status, retryAfter: sent, kept: sent, because: sent ? "" : "too large" },
      honour,
      verdict?.kind === "send" ? verdict.because : "",
    );
    const { state } = conclusion;
    return { state: state === null ? null : { fingerprint, state }, said: [verdict, conclusion] };
  },
  sizeMax: 300,
  // A key that is used up stays so until it expires, which the ledger sees to; good news is that it is not forgotten.
  recovers: (known) => known === null || judgeKnownKey(known, known.fingerprint, false, false).kind !== "send",
});

const RATE = { count: 7, periodMs: 1_000, burst: 20 };

conforms<RateTable, { key: number; times: number }>("rate limit", {
  init: () => createRateTable(16),
  event: fc.record({ key: fc.integer({ min: 1, max: 60 }), times: fc.integer({ min: 1, max: 40 }) }),
  feed: (state, { key, times }, now) => {
    const said: number[] = [];
    for (let i = 0; i < times; i += 1) {
      const place = placeOf(RATE, state, key, now);
      if (remainingAt(RATE, state, place, now) > 0) takeOne(RATE, state, place, now);
      said.push(waitMsAt(RATE, state, place, now), fullMsAt(RATE, state, place, now));
    }
    return { state, said };
  },
  sizeMax: 16 * 60,
  recovers: (state, now) => {
    const later = now + 10_000;
    return [1, 30, 60].every((key) => remainingAt(RATE, state, placeOf(RATE, state, key, later), later) === RATE.burst);
  },
});

type Lending = { worker: string; what: "take" | "use" | "lose" | "before"; count: number };

conforms<RatePool, Lending>("rate pool", {
  init: () => createRatePool(0, 0),
  event: fc.record({
    worker: fc.constantFrom("1.1", "2.1", "2.2"),
    what: fc.constantFrom("take", "take", "use", "lose", "before"),
    count: fc.nat({ max: 40 }),
  }),
  feed: (state, { worker, what, count }, now) => {
    const said = [freeOf(RATE, state, now), waitMsOf(RATE, state, now), isEmptyPool(RATE, state, now)];
    if (what === "take") said.push(takeOut(RATE, state, worker, count, now));
    else if (what === "use") settleOut(RATE, state, worker, count, count, now);
    else if (what === "lose") loseOut(RATE, state, worker, now);
    else if (freeOf(RATE, state, now) >= count) addToLevel(RATE, state, count * RATE.periodMs, now);
    const isBound = state.outAll + freeOf(RATE, state, now) <= RATE.burst;
    return { state, said: [...said, isBound] };
  },
  sizeMax: 200,
  recovers: (state, now) => {
    for (const worker of ["1.1", "2.1", "2.2"]) loseOut(RATE, state, worker, now);
    return freeOf(RATE, state, now + 20_000) === RATE.burst;
  },
});

const FLOOD = { stressedTimes: 10, stressedPerSecond: 50, calmTimes: 100, calmPerSecond: 1_000 };

conforms<FloodState, { key: number; times: number; flags: number; roll: number }>("flood", {
  init: () => createFloodState(16),
  event: fc.record({
    key: fc.integer({ min: 1, max: 60 }),
    times: fc.constantFrom(1, 5, 200),
    flags: fc.nat({ max: 7 }),
    roll,
  }),
  feed: (state, { key, times, flags, roll: chance }, now) => {
    const said: unknown[] = [];
    for (let i = 0; i < times; i += 1)
      said.push(floodVerdict(FLOOD, state, key, (flags & 1) !== 0, (flags & 2) !== 0, chance, now));
    if ((flags & 4) !== 0) answeredWell(state, key, now);
    said.push(floodInWords(state, key, now), heldBack(state, now));
    return { state, said };
  },
  sizeMax: 16 * 300,
  recovers: (state, now) => {
    // A block ends, and whoever asks as others do passes.
    const later = now + 20_000;
    return [1, 30, 60].every((key) => floodVerdict(FLOOD, state, key, false, true, 0.99, later) === "pass");
  },
});

const LIMIT = { concurrency: 0, whole: [false, true, false] };
type LimitEvent = { take: boolean; route: number; leaving: Leaving; waited: number };

conforms<AdaptiveLimit, LimitEvent>("adaptive limit", {
  init: () => createAdaptiveLimit(LIMIT, 0),
  event: fc.record({
    take: fc.boolean(),
    route: fc.nat({ max: 2 }),
    leaving: fc.constantFrom<Leaving>("answered", "answered", "overloaded", "timeout", "failed", "left"),
    waited: fc.nat({ max: 20_000 }),
  }),
  feed: (state, { take, route, leaving, waited }, now) => {
    const room = hasRoom(LIMIT, state, route, now);
    if (take && room) takeSlot(state, route, now);
    else leaveSlot(LIMIT, state, route, leaving, Math.max(0, now - waited), now);
    if (state.limit < LIMIT_FLOOR) throw new Error(`a limit of ${state.limit}`);
    return { state, said: [room, state.limit, isCongested(LIMIT, state, route, now)] };
  },
  sizeMax: 3_000,
  recovers: (state, now) => {
    // What was taken is answered; then a minute in which four at a time are answered at once.
    for (let route = 0; route < 3; route += 1) {
      for (let left = state.routes[route]?.held ?? 0; left > 0; left -= 1) {
        leaveSlot(LIMIT, state, route, "answered", now, now);
      }
    }
    for (let at = now; at < now + 60_000; at += 100) {
      for (let count = 0; count < LIMIT_FLOOR; count += 1) takeSlot(state, 0, at);
      for (let count = 0; count < LIMIT_FLOOR; count += 1) leaveSlot(LIMIT, state, 0, "answered", at, at + 5);
    }
    const later = now + 60_100;
    return state.held === 0 && hasRoom(LIMIT, state, 0, later) && !isCongested(LIMIT, state, 0, later);
  },
});

const QUEUE = { calmMs: 500, stressedMs: 15, criticalMs: 1_000, waitingMax: 5 };

conforms<AdaptiveLimit, LimitEvent & { readonly ratio: number }>("learned limit, handed on again and again", {
  init: () => createAdaptiveLimit(LIMIT, 0),
  event: fc.record({
    take: fc.boolean(),
    route: fc.nat({ max: 2 }),
    leaving: fc.constantFrom<Leaving>("answered", "answered", "timeout", "left"),
    waited: fc.nat({ max: 20_000 }),
    ratio: fc.double({ min: 0.01, max: 100, noNaN: true }),
  }),
  feed: (state, { take, route, leaving, waited, ratio }, now) => {
    for (let count = 0; count < 8; count += 1) {
      takeSlot(state, route, Math.max(0, now - waited));
      leaveSlot(LIMIT, state, route, leaving, Math.max(0, now - waited), now);
    }
    if (!take) return { state, said: state.limit };
    const learned = learnedLimit(LIMIT, state, now);
    const next = createAdaptiveLimit(LIMIT, now);
    if (learned !== null) beginWithLearned(LIMIT, next, learned, ratio, now);
    if (next.limit < LIMIT_FLOOR || !Number.isFinite(next.limit)) throw new Error(`a limit of ${next.limit}`);
    return { state: next, said: [learned, next.limit] };
  },
  sizeMax: 3_000,
  recovers: (state, now) => {
    for (let at = now; at < now + 60_000; at += 100) {
      for (let count = 0; count < LIMIT_FLOOR; count += 1) takeSlot(state, 0, at);
      for (let count = 0; count < LIMIT_FLOOR; count += 1) leaveSlot(LIMIT, state, 0, "answered", at, at + 5);
    }
    const later = now + 60_100;
    return state.held === 0 && hasRoom(LIMIT, state, 0, later) && !isCongested(LIMIT, state, 0, later);
  },
});
type QueueEvent = {
  what: "come" | "call" | "tick";
  rank: ClassRank;
  route: number;
  congested: boolean;
  perSecond: number | null;
  patience: number;
};

conforms<AdmissionQueue<number>, QueueEvent>("admission queue", {
  init: () => createAdmissionQueue<number>(),
  event: fc.record({
    what: fc.constantFrom("come", "come", "call", "tick"),
    rank: fc.constantFrom<ClassRank>(0, 1, 2),
    route: fc.nat({ max: 1 }),
    congested: fc.boolean(),
    perSecond: fc.option(fc.nat({ max: 100 })),
    patience: fc.integer({ min: 0, max: 2_000 }),
  }),
  feed: (state, { what, rank, route, congested, perSecond, patience }, now) => {
    const out: QueueEntry<number>[] = [];
    let said: unknown = null;
    if (what === "come") {
      const outlook = perSecond === null ? NO_OUTLOOK : { perSecond, ahead: 4 };
      const deadlineAt = now + patience;
      said = arrive(QUEUE, state, now, { route, rank, congested, outlook, deadlineAt, hasWaited: false }, now);
    } else if (what === "call") said = nextWaiter(state, (each) => each === route, now);
    else takeExpired(state, now, out);
    if (state.waiting < 0 || state.waiting > QUEUE.waitingMax) throw new Error(`${state.waiting} wait`);
    return { state, said: [said, out, isStressed(state, now), retryAfterFor(state, 10, 0.5, now)] };
  },
  sizeMax: 6_000,
  recovers: (state, now) => {
    const later = now + 40_000;
    takeExpired(state, later, []);
    return state.waiting === 0 && !isStressed(state, later) && nextWaiter(state, () => true, later) === null;
  },
});

const PRESSURE = { memoryBytes: 0, loopDelayMs: 500, descriptorRatio: 0.95, connectionsMax: 1_000 };
const share = fc.double({ min: 0, max: 1.2, noNaN: true });

conforms<Pressure, { memory: number; descriptors: number; late: number; rank: ClassRank; roll: number }>(
  "own pressure",
  {
    init: () => createPressure(0),
    event: fc.record({
      memory: share,
      descriptors: share,
      late: fc.nat({ max: 5_000 }),
      rank: fc.constantFrom<ClassRank>(0, 1, 2),
      roll,
    }),
    feed: (state, { memory, descriptors, late, rank, roll: chance }, now) => {
      const sample = {
        memoryBytes: memory * 1e9,
        memoryMax: 1e9,
        descriptorsOpen: Math.round(descriptors * 1_000),
        descriptorsMax: 1_000,
        connections: Math.round(descriptors * 900),
        lateMs: late,
      };
      const verdict = observePressure(PRESSURE, state, sample, now);
      if (!passesPressure(state, 0, chance)) throw new Error("a critical request was turned away");
      return { state, said: [verdict, passesPressure(state, rank, chance)] };
    },
    sizeMax: 1_000,
    recovers: (state, now) => {
      const well = {
        memoryBytes: 1,
        memoryMax: 1e9,
        descriptorsOpen: 10,
        descriptorsMax: 1_000,
        connections: 0,
        lateMs: 0,
      };
      for (let at = now; at < now + 20_000; at += 250) observePressure(PRESSURE, state, well, at);
      return state.level === 0 && passesPressure(state, 2, 0);
    },
  },
);

conforms<{ silence: SilenceState; latencies: LatencyWindow }, { heardMs: number; waitMs: number; latencyMs: number }>(
  "pool silence",
  {
    init: () => ({ silence: createSilence(), latencies: createLatencyWindow(10_000) }),
    event: fc.record({
      heardMs: fc.nat({ max: 3_000 }),
      waitMs: fc.nat({ max: 3_000 }),
      latencyMs: fc.nat({ max: 200 }),
    }),
    feed: (state, { heardMs, waitMs, latencyMs }, now) => {
      for (let i = 0; i < 20; i += 1) addLatency(state.latencies, bucketOf(latencyMs), now);
      const wait = { turnMs: now - waitMs, newer: null };
      const waits = { oldest: { turnMs: now - waitMs, newer: wait } };
      const members = [heardMs, heardMs * 2].map((ms) => ({ heardAt: now - ms, waits }));
      const isSilent = observeSilence(state.silence, members, state.latencies, 0, now);
      return { state, said: [isSilent, asksSilent(state.silence, now), silenceInWords("near", state.silence)] };
    },
    sizeMax: 4_000,
    recovers: ({ silence, latencies }, now) =>
      !observeSilence(silence, [{ heardAt: now + 1, waits: { oldest: null } }], latencies, 0, now + 1),
  },
);

conforms<{ brokenAt: number }, boolean>("doubt", {
  init: () => ({ brokenAt: -1 }),
  event: fc.boolean(),
  feed: (state, failed, now) => {
    state.brokenAt = failed ? now : -1;
    return { state, said: doubtedOf([state, { brokenAt: -1 }], now)?.length ?? 0 };
  },
  sizeMax: 100,
  // Time alone is enough: nobody may be left who could bring the good news.
  recovers: (state, now) => !isDoubtful(state, now + 10_000),
});
