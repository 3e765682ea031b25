/** `goodgate demo` as a process of its own: a gateway in front of two sample providers, with a little traffic. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OutageKind, SampleBroken } from "../../src/contract/samples.ts";
import { startChild } from "./child.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/goodgate.js", import.meta.url));

export interface Demo {
  readonly admin: string;
  /** `goodgate demo outage`, for so many seconds; epoch ms of its end. */
  outage(kind: OutageKind, seconds: number): Promise<{ until: number }>;
}

export async function startDemo(finished: (end: () => Promise<void>) => void): Promise<Demo> {
  // Each with a memory of its own.
  const folder = await mkdtemp(join(tmpdir(), "goodgate-demo-"));
  const [port, adminPort] = [await freePort(), await freePort()];
  const admin = `http://127.0.0.1:${adminPort}`;
  const child = await startChild(
    process.execPath,
    [PROGRAM, "demo", "--bind", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${adminPort}`],
    { cwd: folder, env: { STATE_DIRECTORY: join(folder, "state") } },
  );
  finished(async () => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await until("the samples' own traffic to have been served for a while", async () => {
    try {
      const answer = await fetch(`${admin}/api/v1/status`);
      const status = (await answer.json()) as { exchangesTotal: number; control: { state: string } };
      return status.exchangesTotal >= 240 && status.control.state === "running" ? true : null;
    } catch {
      return null;
    }
  });
  return {
    admin,
    async outage(kind, seconds) {
      const command = ["demo", "outage", "--kind", kind, "--for", `${seconds}s`, "--admin", admin, "--json"];
      const told = await startChild(process.execPath, [PROGRAM, ...command]);
      await told.ending;
      return { until: (JSON.parse(told.stdout()) as SampleBroken).until };
    },
  };
}
