/**
 * What `doctor` concludes about a gateway that runs: whether the process that draws conclusions keeps up, and whether
 * all that serve do. Neither stops the traffic, so none of it is bad but a worker that cannot live.
 */
import type { StatusResponse } from "../contract/api-responses.ts";
import type { ControlState } from "../contract/control-port.ts";
import { countText, durationText, sizeText } from "../contract/quantities.ts";
import type { WorkerView } from "../contract/view.ts";
import type { Finding } from "./machine-findings.ts";
import { ok } from "./machine-findings.ts";

/** As far as the gateway says it, which may be of another version. */
export type Told = Partial<Pick<StatusResponse, "now" | "control" | "workers">>;

/** Three are under way at most when all is well. */
const BEHIND_S = 4;
/** Its heap is bounded (net/control-fork.ts), and its program and buffers take some more. */
const MEMORY_BYTES = 300 * 1024 * 1024;
/** Once may be chance. */
const RESTARTS = 3;

export function runningFindings({ now = 0, control, workers = [] }: Told): Finding[] {
  return [
    ...(control === undefined ? [] : [controlFinding(control, now)]),
    ...(workers.length === 0 ? [] : [workersFinding(workers)]),
  ];
}

function controlFinding(
  { factsWaiting = 0, residentBytes = 0, ...state }: Partial<ControlState>,
  now: number,
): Finding {
  const id = "control process";
  const { state: word = "running", because = "", heardAt = null, factsLost = 0, restarts = 0 } = state;
  if (word === "off") return ok(id, "switched off: no incidents, no history.");
  const heard = heardAt === null ? "" : `, last heard ${durationText(Math.max(0, now - heardAt) * 1000)} ago`;
  const lost = factsLost === 0 ? [] : [`${countText(factsLost, "fact")} lost since the start`];
  if (word === "starting") return ok(id, `starting${heard}: ${because}.`);
  if (word !== "running") {
    const says = `${[`${word}${heard}`, ...lost].join(", ")}: ${because}. Serving goes on; incidents and figures are stale.`;
    const todo = "It is started again by itself. If that goes on, its faults are in the gateway's standard error.";
    return { id, level: "warn", says, todo };
  }
  const memory = residentBytes === 0 ? [] : [`${sizeText(residentBytes)} resident`];
  const again = restarts === 0 ? [] : [`started again ${countText(restarts, "time")}`];
  const behind = factsWaiting < BEHIND_S ? [] : [`${factsWaiting} s behind`];
  const says = `${["runs", ...behind, ...memory, ...again, ...lost].join(", ")}.`;
  if (behind.length > 0 || factsLost > 0) {
    const todo =
      "It gets too little CPU beside the gateway (it has a lower priority); what is lost is missing from figures and incidents.";
    return { id, level: "warn", says, todo };
  }
  if (residentBytes > MEMORY_BYTES) {
    const todo = "Beyond its bound it ends and goes on from what it wrote down; fewer services and origins need less.";
    return { id, level: "warn", says, todo };
  }
  if (restarts < RESTARTS) return ok(id, says);
  return { id, level: "warn", says, todo: "Why it ended is in the gateway's log: control.dead." };
}

function workersFinding(workers: readonly WorkerView[]): Finding {
  const id = "workers";
  const serving = workers.filter(({ state }) => state === "serving");
  const resident = workers.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
  const restarts = workers.reduce((sum, one) => sum + one.restarts, 0);
  const again = restarts === 0 ? "" : `, started again ${countText(restarts, "time")} in all`;
  const says = `${serving.length} of ${workers.length} serve, ${sizeText(resident)} resident${again}`;
  const others = workers
    .filter(({ state }) => state !== "serving")
    .map(({ worker, state, because }) => `worker ${worker} ${state}${because === "" ? "" : ` (${because})`}`);
  if (others.length === 0) return ok(id, `${says}.`);
  const isCrashing = workers.some(({ state }) => state === "crashing");
  return {
    id,
    level: isCrashing ? "bad" : "warn",
    says: `${says}; ${others.join(", ")}.`,
    todo: isCrashing
      ? "What ends it is in the gateway's standard error; the others carry its share."
      : "See whether it serves in a moment:  goodgate status",
  };
}
