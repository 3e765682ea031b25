/**
 * Five kinds of tests. `unit` sits beside the source and needs no time and no network; `wire` runs the
 * corpus and the fuzzers against the codec; `sim` runs the whole gateway in simulated worlds; `e2e` starts real gateways
 * and origins on loopback, one file at a time, because on a small machine two of them would measure each other.
 * `waiting` are those of them that mostly wait, for seconds of real history that a diagnosis needs, and measure nothing:
 * they wait while the simulator computes.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * Only for what hangs: how fast a machine is, and what else it has to do, must not decide. The limits of vitest itself
 * (a second for `expect.poll`, ten for a hook) are met by a machine that is merely busy.
 */
const PATIENCE = {
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
};

const WAITING = [
  "test/browser/outage.test.ts",
  "test/e2e/alertmanager.test.ts",
  "test/e2e/control-plane.test.ts",
  "test/e2e/incidents.test.ts",
  "test/e2e/package.test.ts",
  "test/e2e/probe-ladder.test.ts",
  "test/e2e/testssl.test.ts",
];
/** Gateways that tests start keep nothing in the home directory. */
const STATE = { XDG_STATE_HOME: join(tmpdir(), "goodgate-test-state") };

export default defineConfig({
  test: {
    // By default one core is left free; on two cores that is half of them.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "tools/**/*.test.ts", "bench/**/*.test.ts", "web/**/*.test.ts"],
          ...PATIENCE,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "wire",
          include: ["test/wire/**/*.test.ts", "test/fuzz/**/*.test.ts"],
          ...PATIENCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "sim",
          include: ["sim/**/*.test.ts"],
          ...PATIENCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "waiting",
          env: STATE,
          include: WAITING,
          ...PATIENCE,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "e2e",
          env: STATE,
          include: ["test/**/*.test.ts"],
          exclude: ["test/wire/**", "test/fuzz/**", ...WAITING],
          ...PATIENCE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
