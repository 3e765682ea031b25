/**
 * Four kinds of tests. `unit` sits beside the source and needs no time and no network; `wire` runs the
 * corpus and the fuzzers against the codec; `sim` runs the whole gateway in simulated worlds; `e2e` starts real gateways
 * and origins on loopback, one file at a time, because on a small machine two of them would measure each other.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // By default one core is left free; on two cores that is half of them.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "tools/**/*.test.ts", "bench/**/*.test.ts"],
          // For what hangs; nothing here waits, so the speed of a machine must not decide.
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "wire",
          include: ["test/wire/**/*.test.ts", "test/fuzz/**/*.test.ts"],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "sim",
          include: ["sim/**/*.test.ts"],
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "e2e",
          // Gateways that tests start keep nothing in the home directory.
          env: { XDG_STATE_HOME: join(tmpdir(), "goodgate-test-state") },
          include: ["test/**/*.test.ts"],
          exclude: ["test/wire/**", "test/fuzz/**"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
