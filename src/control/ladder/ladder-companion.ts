/**
 * The probe ladder beside the control loop: climbs where the engine wishes and where a person asks, tells the engine
 * what was found, and remembers the last climbs. A wish that is beyond the bounds is dropped: the engine wishes again.
 */
import type { Settings } from "../../config/settings.ts";
import type { Answers } from "../../contract/control-port.ts";
import type { ProbeFact, SecondFact } from "../../contract/facts.ts";
import type { Rungs } from "../../contract/rungs.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Companion, LoopHands } from "../control-loop.ts";
import { climb } from "./climb.ts";
import { ClimbBounds } from "./climb-bounds.ts";
import { FailedRequests } from "./failed-requests.ts";
import { planOf } from "./ladder-plan.ts";
import type { Lately, Plan } from "./ladder-plan.ts";

export interface LadderParts {
  /** As they are configured now. */
  readonly settings: () => Settings;
  readonly rungs: Rungs;
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
}

const PROBE = "probe";
const KEPT_MAX = 100;
const KEPT_MS = 30 * 86_400_000;
/** What was told of an origin longer ago says nothing of now. */
const WELL_FOR_MS = 15_000;

export function createLadder(hands: Pick<LoopHands, "fact" | "news" | "keep" | "kept">, parts: LadderParts): Companion {
  const { settings, rungs, clock, onFault } = parts;
  const bounds = new ClimbBounds();
  const well = new WellOrigins();
  const failed = new FailedRequests();
  const lately: Lately = {
    isWell: (url) => well.isWell(url),
    failedAt: (service, url) => failed.of(service, url),
  };
  const kept = hands.kept(PROBE).toSorted((a, b) => a.at - b.at);
  // Written by this file.
  const last = kept.map(({ body }) => body as ProbeFact);
  let slot = Number(kept[kept.length - 1]?.id ?? -1);
  let isClosed = false;

  function begin(service: string, origin: string, byPerson: boolean, done: (answer: Answers["probe"]) => void): void {
    const plan = planOf(settings(), service, origin, lately);
    if (plan === null) {
      done({ refused: `${service} has no origin ${origin}; only what is configured is probed` });
      return;
    }
    const refused = bounds.begin(origin, clock.monotonic(), byPerson);
    if (refused !== null) {
      done({ refused });
      return;
    }
    void carryOut(plan, done);
  }

  async function carryOut(plan: Plan, done: (answer: Answers["probe"]) => void): Promise<void> {
    try {
      const climbed = await climb(rungs, plan);
      if (!isClosed) tell(climbed, done);
    } catch (error) {
      onFault(error);
      done({ refused: "a fault in the control process; its log says more" });
    } finally {
      bounds.end();
    }
  }

  function tell(climbed: Omit<ProbeFact, "kind" | "at" | "id">, done: (answer: Answers["probe"]) => void): void {
    const at = clock.wall();
    // Not more than so many are kept: the oldest makes room.
    slot = (slot + 1) % KEPT_MAX;
    const fact: ProbeFact = { kind: "probe", at, id: `probe-${Math.floor(at / 1000)}-${slot}`, ...climbed };
    last.push(fact);
    if (last.length > KEPT_MAX) last.shift();
    hands.keep({ kind: PROBE, id: String(slot), at, until: at + KEPT_MS, body: fact });
    hands.fact(fact);
    hands.news({ kind: "probe", probe: fact });
    done(fact);
  }

  return {
    hear(fact, outputs, isReplay) {
      if (isReplay) return;
      if (fact.kind === "second") {
        well.hear(fact);
        failed.hear(fact);
      }
      for (const output of outputs) {
        if (output.kind === "wish") begin(output.service, output.origin, false, () => undefined);
      }
    },
    answer(question, done) {
      if (question.ask === "probes") done(last.toReversed().slice(0, question.limit ?? KEPT_MAX));
      else if (question.ask === "probe") begin(question.service, question.origin, true, done);
      else return undefined;
      return true;
    },
    close() {
      isClosed = true;
      return Promise.resolve();
    },
  };
}

/** Origins by URL that were up and of which no attempt failed lately, by the facts' time. */
class WellOrigins {
  readonly #since = new Map<string, number>();
  readonly #failedAt = new Map<string, number>();
  #now = 0;

  hear({ at, origins }: SecondFact): void {
    this.#now = Math.max(this.#now, at);
    for (const { origin, state, checkOk, byCause, attempts } of origins) {
      const isBad = Object.keys(byCause).length > 0 || checkOk === false || state === "down" || state === "ejected";
      if (isBad) this.#failedAt.set(origin, at);
      else if (attempts > 0 || checkOk === true) this.#since.set(origin, at);
    }
  }

  isWell(url: string): boolean {
    const seen = this.#since.get(url);
    const failed = this.#failedAt.get(url) ?? -Infinity;
    return seen !== undefined && this.#now - seen <= WELL_FOR_MS && this.#now - failed > WELL_FOR_MS;
  }
}
