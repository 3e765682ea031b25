/**
 * Five kinds of tests. `unit` sits beside the source and needs no time and no network; `wire` runs the corpus and the
 * fuzzers against the codec; `sim` runs the whole gateway in simulated worlds; all three compute. `e2e` starts real
 * gateways and origins on loopback, which mostly wait: for processes to start, for time-outs, for seconds of real history
 * that a diagnosis needs. So all four run beside each other, in more lanes than there are cores: some compute while others
 * wait. `alone` are those that ask how fast something is or how much it takes: nothing else may run then.
 *
 * What runs beside each other shares no port (test/support/free-port.ts), no network (test/support/network-namespace.ts)
 * and no folder, also where it belongs to another run. Whether a test holds must not depend on what else the machine does.
 */
import { rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";
import { Overseer } from "./test/support/overseer.ts";

/**
 * Only for what hangs: how fast a machine is, and what else it has to do, must not decide. Each is five times what the
 * longest takes on two cores, and one that hangs still leaves the whole run below twenty-five minutes. The limits of vitest
 * itself (a second for `expect.poll`, ten for a hook) are met by a machine that is merely busy.
 */
const PATIENCE = {
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 240_000 } },
  setupFiles: ["test/support/mark-worker.ts"],
  // No second try, here or where a run decides (.ci/run): a test that holds only now and then is a defect to be understood.
};
/** Simulated worlds, incidents from their beginning to their end, testssl.sh. */
const LONG = { ...PATIENCE, testTimeout: 480_000 };

const ALONE = ["test/e2e/hostile-networks.test.ts", "test/e2e/survive.test.ts", "test/support/support.test.ts"];

/** They begin first, so that none is left over at the end, and in an order in which some compute while others wait. */
const LONGEST = [
  "test/browser/outage.test.ts",
  "sim/corpus/corpus.test.ts",
  "sim/naive-gateway.test.ts",
  "test/e2e/incidents.test.ts",
  "test/e2e/testssl.test.ts",
  "sim/marks.test.ts",
  "test/e2e/control-plane.test.ts",
  "sim/sim.test.ts",
  "test/e2e/verdicts.test.ts",
  "test/browser/dashboard.test.ts",
  "test/e2e/causes.test.ts",
  "test/e2e/cli.test.ts",
  "test/e2e/resume.test.ts",
  "test/e2e/worker-changes.test.ts",
  "test/e2e/failover.test.ts",
  "test/e2e/workers.test.ts",
  "test/e2e/causes-of-the-gateway.test.ts",
  "test/e2e/upgrade.test.ts",
];

/** What is not among the longest goes by size: as good a guess on the first run, where no durations are known. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return at === -1 ? LONGEST.length : at;
    };
    const group = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => group(one) - group(other) || rank(one) - rank(other));
  }
}

/** Gateways that tests start keep nothing in the home directory, and find nothing that another run left. */
const STATE_HOME = join(tmpdir(), `goodgate-test-state-${process.pid}`);
const STATE = { XDG_STATE_HOME: STATE_HOME };
process.once("exit", () => rmSync(STATE_HOME, { recursive: true, force: true }));

/** More would only wait for each other, on any machine. */
const LANES_MAX = 16;
const LANES = { maxWorkers: Math.min(2 * availableParallelism(), LANES_MAX), sequence: { groupOrder: 0 } };

export default defineConfig({
  test: {
    reporters: ["default", new Overseer()],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "tools/**/*.test.ts", "bench/**/*.test.ts", "web/**/*.test.ts"],
          ...PATIENCE,
          ...LANES,
        },
      },
      {
        test: {
          name: "wire",
          include: ["test/wire/**/*.test.ts", "test/fuzz/**/*.test.ts"],
          ...PATIENCE,
          ...LANES,
        },
      },
      {
        test: {
          name: "sim",
          include: ["sim/**/*.test.ts"],
          ...LONG,
          ...LANES,
        },
      },
      {
        test: {
          name: "e2e",
          env: STATE,
          include: ["test/**/*.test.ts"],
          exclude: ["test/wire/**", "test/fuzz/**", ...ALONE],
          ...LONG,
          ...LANES,
        },
      },
      {
        test: {
          name: "alone",
          env: STATE,
          include: ALONE,
          ...LONG,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
