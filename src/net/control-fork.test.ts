/** Real processes, and time that the test moves. */
import { afterEach, describe, expect, it } from "vitest";
import { checkValue } from "../config/load.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import type { ManualSchedule } from "../../test/support/manual-schedule.ts";
import { sampleSecond } from "../../test/support/sample-facts.ts";
import { until } from "../../test/support/until.ts";
import { forkControl } from "./control-fork.ts";
import { startControlProcess } from "./control-process.ts";
import type { ControlProcess } from "./control-process.ts";

const started: { readonly control: ControlProcess; readonly time: ManualSchedule }[] = [];

afterEach(async () => {
  for (const { control, time } of started.splice(0)) {
    const closed = control.close(1);
    time.advance(10);
    // oxlint-disable-next-line no-await-in-loop -- There is one.
    await closed;
  }
});

function start(script: string): { control: ControlProcess; time: ManualSchedule; told: string[] } {
  const { settings } = checkValue({ services: { app: { pools: [{ origins: ["http://10.0.0.1"] }] } } });
  if (settings === null) throw new Error("not a configuration");
  const time = manualSchedule();
  const told: string[] = [];
  const control = startControlProcess({
    start: (listener) => forkControl(new URL(`../../test/support/${script}`, import.meta.url), listener),
    setup: { version: "0.0.0", node: "edge-1", stateDirectory: null, settings },
    session: "life-1",
    clock: time.clock,
    schedule: time.schedule,
    chance: () => 0,
    tell: (code) => told.push(code),
  });
  started.push({ control, time });
  return { control, time, told };
}

describe("a control process of its own", () => {
  it("that is busy with itself for ever is found by what it does not take, killed and started again", async () => {
    const { control, time, told } = start("busy-controller.ts");
    await until("it to run", () => (control.state().state === "running" ? true : null));
    const readyAt = control.state().heardAt;
    time.advance(500);
    // What the system says of it, which other systems do not.
    expect(control.state().residentBytes).toBeGreaterThan(process.platform === "linux" ? 1_000_000 : -1);
    control.tellFact(sampleSecond(0));
    await until("the first facts to be taken", () => (control.state().heardAt === readyAt ? null : true));
    const before = process.memoryUsage().rss;
    for (let second = 1; second <= 20; second += 1) {
      time.advance(1_000);
      control.tellFact(sampleSecond(second * 1_000));
    }
    expect(control.state().state).toBe("hung");
    time.advance(1_000);
    await until("it to be dead", () => (control.state().state === "dead" ? true : null));
    expect(control.state()).toMatchObject({ because: expect.stringContaining("SIGKILL") });
    expect(control.state().factsLost).toBeGreaterThan(0);
    // Three under way and ten that wait.
    expect(control.state()).toMatchObject({ factsWaiting: 13, residentBytes: 0 });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    time.advance(1_000);
    await until("it to run again", () => (control.state().state === "running" ? true : null));
    expect(told).toEqual(["control.hung", "control.dead", "control.running"]);
  });

  it("that cannot be started is tried again and again, and asked nothing", async () => {
    const { control, time } = start("there-is-no-such-file.ts");
    await until("it to be dead", () => (control.state().state === "dead" ? true : null));
    time.advance(1_000);
    await until("it to be dead again", () =>
      control.state().state === "dead" && control.state().restarts === 1 ? true : null,
    );
    const answers: unknown[] = [];
    control.ask({ ask: "health" }, (answer) => answers.push(answer));
    expect(answers).toMatchObject([{ unanswered: "dead", because: expect.stringContaining("exit code 1") }]);
  });
});
