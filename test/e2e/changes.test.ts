/** Another configuration for a gateway that serves, with real processes and sockets: by the API, the command line and a signal. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { changesUnderLoad } from "../support/changes-under-load.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

let gateway: GatewayProcess | undefined;
const origins: RawOrigin[] = [];

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  for (const origin of origins.splice(0)) await origin.close();
});

async function saying(text: string): Promise<RawOrigin> {
  const origin = await rawOrigin(async (connection) => {
    for (;;) {
      await connection.head();
      await connection.send(response(200, text));
    }
  });
  origins.push(origin);
  return origin;
}

describe("a gateway that is given one configuration after the other", () => {
  it.each([
    ["in one process", 40, 1],
    ["in two workers", 12, 2],
  ])("loses nothing %s: no request, no download, no tunnel", async (_, changes, workers) => {
    const report = await changesUnderLoad({ changes, ratePerSecond: 200, requestsBetween: 8, workers });
    expect(report.refused).toEqual([]);
    expect(report.faults).toBe("");
    expect(report.revision).toBe(changes + 1);
    for (const { sent, byStatus, byError } of [report.kept, report.fresh]) {
      expect(byError).toEqual({});
      expect(byStatus).toEqual({ 200: sent });
    }
    expect(report.download.received).toBe(report.download.sent);
    expect(report.echoed.received).toBe(report.echoed.sent);
  });
});

describe("the file that a gateway was started with", () => {
  it("is read again at SIGHUP, and a file with a mistake changes nothing", async () => {
    const [one, two] = [await saying("one"), await saying("two")];
    gateway = await startGateway(inFrontOf([one.url], { health: false }));
    const path = join(gateway.folder, "goodgate.yaml");
    const text = await readFile(path, "utf8");
    const answer = async (): Promise<string> => (await fetch(gateway?.url ?? "")).text();
    expect(await answer()).toBe("one");

    await writeFile(path, text.replace(one.url, `${one.url}", "${two.url}`));
    gateway.child.signal("SIGHUP");
    const running = gateway;
    await until("the second origin", async () => ((await running.origins()).length === 2 ? true : null));
    await until("an answer of it", async () => ((await answer()) === "two" ? true : null));

    await writeFile(path, "services: {}\n");
    gateway.child.signal("SIGHUP");
    const state = await until("the refusal", async () => {
      const { configuration } = await running.status();
      return configuration?.lastOk === false ? configuration : null;
    });
    expect(state).toMatchObject({ revision: { number: 2, by: "SIGHUP" } });
    expect(state.lastProblem).toContain("goodgate.yaml:1:");
    expect(["one", "two"]).toContain(await answer());
    expect(gateway.child.running).toBe(true);
  });
});
