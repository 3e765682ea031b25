import { describe, expect, it } from "vitest";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import type { Forecast } from "../contract/incident.ts";

const LATER: Forecast = {
  id: "descriptors/a",
  kind: "descriptors",
  severity: "warning",
  title: "The 1,024 descriptors of this process will be used up",
  where: { node: "a" },
  when: WALL + 7_200_000,
  confidence: 0.8,
  evidence: [
    {
      text: "900 of 1,024 are open, 62 more each hour",
      cites: [
        { kind: "figure", figure: "failures", where: {}, from: 0, to: 1, value: 900, usual: 0, unit: "exchanges" },
      ],
    },
  ],
  advice: "Raise the limit.",
  since: WALL - 60_000,
};
const NOW: Forecast = { ...LATER, id: "standby", title: "Pool gcp is unproven", when: null, severity: "notice" };

function world(forecasts: readonly Forecast[]) {
  return cliWorld({
    admin: { "/api/v1/forecasts": { kind: "answer", status: 200, json: { now: WALL, forecasts } } },
  });
}

describe("goodgate forecast", () => {
  it("tells what will happen, when, how sure that is, on what evidence and what to do", async () => {
    const { run, out } = world([LATER]);
    expect(await run("forecast")).toBe(0);
    for (const words of [LATER.title, "warning, in 2 h", "80 % sure", "900 of 1,024 are open", "Raise the limit."]) {
      expect(out()).toContain(words);
    }
  });

  it("begins with what is so already", async () => {
    const { run, out } = world([LATER, NOW]);
    await run("forecast");
    expect(out().indexOf(NOW.title)).toBeLessThan(out().indexOf(LATER.title));
    expect(out()).toContain("notice, now");
  });

  it("says so when nothing is foreseen", async () => {
    const { run, out } = world([]);
    expect(await run("forecast")).toBe(0);
    expect(out()).toBe("Nothing is foreseen that needs anybody.\n");
  });

  it("ends with the code for bad news when something critical is foreseen", async () => {
    expect(await world([{ ...LATER, severity: "critical" }]).run("forecast")).toBe(1);
  });

  it("answers programs with what the gateway says", async () => {
    const { run, out } = world([LATER]);
    await run("forecast", "--json");
    expect(JSON.parse(out())).toMatchObject({ forecasts: [{ id: LATER.id }] });
  });
});
