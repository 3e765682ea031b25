/** States as a tone and a sign; the word stands beside them always, because colour alone does not reach everybody. */
import type { ControlState } from "../../src/contract/control-port.ts";
import type { Severity } from "../../src/contract/incident.ts";
import type { Outcome } from "../../src/contract/record.ts";
import type { ServiceHealth } from "../../src/contract/series.ts";
import type { OriginAddressView, ServiceStatusView, WorkerView } from "../../src/contract/view.ts";

export type Tone = "good" | "warn" | "bad" | "quiet" | "info";
export type Sign = readonly [tone: Tone, sign: string];

export const SERVICE_SIGNS: Readonly<Record<ServiceStatusView["state"], Sign>> = {
  healthy: ["good", "✓"],
  degraded: ["warn", "!"],
  "failing open": ["bad", "!"],
  down: ["bad", "✕"],
};

export const HEALTH_SIGNS: Readonly<Record<ServiceHealth["state"], Sign>> = {
  well: ["good", "✓"],
  disturbed: ["warn", "!"],
  failing: ["bad", "✕"],
  silent: ["warn", "…"],
  "no data": ["quiet", "?"],
};

export const ADDRESS_SIGNS: Readonly<Record<OriginAddressView["state"], Sign>> = {
  up: ["good", "✓"],
  ramping: ["info", "↗"],
  probation: ["warn", "?"],
  ejected: ["bad", "✕"],
  down: ["bad", "✕"],
  drained: ["quiet", "⏸"],
};

export const OUTCOME_SIGNS: Readonly<Record<Outcome, Sign>> = {
  served: ["good", "✓"],
  rescued: ["warn", "↻"],
  failed: ["bad", "✕"],
  refused: ["quiet", "–"],
  aborted: ["quiet", "–"],
};

export const WORKER_SIGNS: Readonly<Record<WorkerView["state"], Sign>> = {
  serving: ["good", "✓"],
  starting: ["info", "↗"],
  draining: ["quiet", "⏸"],
  waiting: ["warn", "…"],
  crashing: ["bad", "✕"],
};

export const CONTROL_SIGNS: Readonly<Record<ControlState["state"], Sign>> = {
  running: ["good", "✓"],
  starting: ["info", "↗"],
  hung: ["warn", "…"],
  dead: ["bad", "✕"],
  off: ["quiet", "–"],
};

export const SEVERITY_SIGNS: Readonly<Record<Severity, Sign>> = {
  critical: ["bad", "✕"],
  warning: ["warn", "!"],
  notice: ["info", "i"],
};
