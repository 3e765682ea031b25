/** Our alerts at a real Alertmanager (Debian: prometheus-alertmanager): taken, one for an incident, and ended. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openSinks } from "../../src/net/sinks/open-sinks.ts";
import { startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { sampleMessage } from "../support/sample-message.ts";
import { until } from "../support/until.ts";

const PROGRAM = "prometheus-alertmanager";
const isHere = spawnSync(PROGRAM, ["--version"]).status === 0;
const ended: (() => void)[] = [];
afterAll(() => {
  for (const end of ended.toReversed()) end();
});

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

describe.skipIf(!isHere)("Alertmanager (skipped where it is not installed)", () => {
  it("has one alert for an incident, whatever it turns into, and none when it is over", async () => {
    const folder = mkdtempSync(join(tmpdir(), "goodgate-alertmanager-"));
    ended.push(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "alertmanager.yml"), "route: { receiver: none }\nreceivers: [{ name: none }]\n");
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = await startChild(
      PROGRAM,
      [
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        `--web.listen-address=127.0.0.1:${port}`,
        "--cluster.listen-address=",
      ],
      { cwd: folder },
    );
    ended.push(() => child.signal("SIGKILL"));
    const alerts = async (): Promise<readonly Alert[] | null> => {
      if (!child.running) throw new Error(`Alertmanager ended: ${child.stderr()}`);
      try {
        const response = await fetch(`${url}/api/v2/alerts`);
        return response.ok ? ((await response.json()) as Alert[]) : null;
      } catch {
        return null;
      }
    };
    await until("Alertmanager", alerts);
    const [sink] = openSinks([{ kind: "alertmanager", name: "am", url: { from: "text", name: `${url}/` } }], Date.now);
    const at = Date.now();
    const message = sampleMessage({ at, startsAt: at - 10_000 });
    expect(await sink?.send(message)).toEqual({ ok: true, detail: "status 200" });
    expect(await sink?.send({ ...message, what: "update", severity: "warning", headline: "Better" })).toMatchObject({
      ok: true,
    });
    const open = await until("the update", async () => {
      const found = (await alerts()) ?? [];
      return found[0]?.annotations["summary"] === "Better" ? found : null;
    });
    expect(open).toHaveLength(1);
    expect(open[0]?.labels).toEqual({
      alertname: "GoodgateIncident",
      incident: message.incident,
      service: "shop",
    });
    expect(await sink?.send({ ...message, what: "recovered", endsAt: at })).toMatchObject({ ok: true });
    await until("its end", async () => ((await alerts())?.length === 0 ? true : null));
  });
});
