/** What keeps a run of tests from being held up by a process that one of them lost sight of. */
import { afterEach, describe, expect, it } from "vitest";
import { runChild, startChild } from "./child.ts";
import type { Child } from "./child.ts";
import { leftOver } from "./left-over.ts";
import { until } from "./until.ts";
import { isRunning } from "./worker-processes.ts";

const children: Child[] = [];
const strays: number[] = [];
afterEach(async () => {
  for (const pid of strays.splice(0)) if (isRunning(pid)) process.kill(pid, "SIGKILL");
  for (const child of children.splice(0)) await child.stop();
});

async function start(script: string, env: Readonly<Record<string, string>> = {}): Promise<Child> {
  const child = await startChild("/bin/sh", ["-c", script], { env });
  children.push(child);
  return child;
}

describe.runIf(process.platform === "linux")("a process that is left over", () => {
  it("is found by the mark of its worker when that is gone, in a session of its own and without its parent", async () => {
    const worker = await start("exec sleep 600");
    const env = { GOODGATE_TEST_WORKER: `${process.pid}.${worker.pid}`, GOODGATE_TEST_FILE: "some.test.ts" };
    const parent = await start("setsid sh -c 'echo stray $$ >&2; exec sleep 601' &", env);
    const stray = Number((await parent.printed(/stray (\d+)\n/))[1]);
    strays.push(stray);
    expect(leftOver(process.pid, "gone")).toEqual([]);
    await worker.stop();
    await until("its own name", () => (leftOver(process.pid, "gone")[0]?.command.startsWith("sleep") ? true : null));
    expect(leftOver(process.pid, "gone")).toEqual([{ pid: stray, command: "sleep 601", file: "some.test.ts" }]);
    expect(leftOver(process.pid + 1, "all")).toEqual([]);
  });

  it("does not hold up .ci/within, which ends with its command and with that one's status", async () => {
    const script = "setsid sleep 602 & echo stray $!; exit 3";
    const { code, stdout, stderr } = await runChild(".ci/within", ["10m", "sh", "-c", script]);
    const stray = Number(/stray (\d+)\n/.exec(stdout)?.[1]);
    strays.push(stray);
    expect([code, stdout]).toEqual([3, `stray ${stray}\n`]);
    expect(stderr).toMatch(new RegExp(`Ended here, because it was left over:\n *${stray} +\\d+ .*sleep 602\n`));
    expect(isRunning(stray)).toBe(false);
  });

  it("is ended with the command when the time of .ci/within is up", async () => {
    const script = "setsid sleep 603 & echo stray $!; exec sleep 604";
    const { code, stdout, stderr } = await runChild(".ci/within", ["1s", "sh", "-c", script]);
    expect(code).toBe(124);
    expect(stderr).toContain("The time was up after 1s: sh -c ");
    // A busy machine may not have got that far.
    const stray = /stray (\d+)\n/.exec(stdout)?.[1];
    if (stray !== undefined) expect(isRunning(Number(stray))).toBe(false);
  });
});
