/** A process that starts another one and is killed; the other one is in an endless loop, or is not. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../test/support/until.ts";
import { isRunning } from "../../test/support/worker-processes.ts";

const GUARD = fileURLToPath(new URL("./orphan-guard.ts", import.meta.url));
const left: number[] = [];
afterEach(() => {
  for (const pid of left.splice(0)) if (isRunning(pid)) process.kill(pid, "SIGKILL");
});

/** Resolves with the number of the child of a process that has been killed. */
async function orphan(then: string): Promise<{ readonly pid: number; printed(): string }> {
  const child = `
    import(${JSON.stringify(GUARD)}).then(({ guardOrphan }) => {
      guardOrphan({ lookMs: 100, hungMs: 4_000 });
      setTimeout(() => { console.log(process.pid); ${then} }, 300);
    });
  `;
  const parent = spawn(
    process.execPath,
    [
      "-e",
      `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: ["ignore", "inherit", "inherit"] })`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let printed = "";
  parent.stdout.on("data", (text) => (printed += String(text)));
  const pid = await until("the child", () => (printed.endsWith("\n") ? Number(printed) : null));
  left.push(pid);
  parent.kill("SIGKILL");
  await until("its parent's end", () => (parent.signalCode === null ? null : true));
  return { pid, printed: () => printed };
}

describe("a process whose parent is gone", () => {
  it("is ended when it is in an endless loop", async () => {
    const { pid } = await orphan("for (;;);");
    await until("its end", () => (isRunning(pid) ? null : true));
  });

  it("goes on when it turns, and ends by itself", async () => {
    // By then it would long have been ended.
    const { pid, printed } = await orphan('setTimeout(() => { console.log("finished"); process.exit(); }, 6_000);');
    await until("its end", () => (isRunning(pid) ? null : true));
    expect(printed()).toContain("finished");
  });
});
