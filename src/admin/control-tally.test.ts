import { describe, expect, it } from "vitest";
import { fakeControl } from "../../test/support/fake-control.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import { createControlTally } from "./control-tally.ts";

const OPEN = sampleIncident();

describe("the tally of the control plane", () => {
  it("counts what is open by severity, follows it, and forgets what has ended", () => {
    const control = fakeControl({ incidents: () => [], forecasts: () => [] });
    const tally = createControlTally(control);
    control.emit({ kind: "incident", incident: OPEN });
    control.emit({ kind: "incident", incident: { ...OPEN, id: "inc-2", severity: "notice" } });
    expect(tally()).toMatchObject({ incidentsOpen: { critical: 1, warning: 0, notice: 1 }, incidentsOpened: 2 });
    control.emit({ kind: "incident", incident: { ...OPEN, severity: "warning", state: "recovering" } });
    expect(tally().incidentsOpen).toEqual({ critical: 0, warning: 1, notice: 1 });
    control.emit({ kind: "incident", incident: { ...OPEN, state: "closed" } });
    expect(tally()).toMatchObject({ incidentsOpen: { critical: 0, warning: 0, notice: 1 }, incidentsOpened: 2 });
  });

  it("does not count what is part of another incident", () => {
    const control = fakeControl();
    const tally = createControlTally(control);
    control.emit({ kind: "incident", incident: { ...OPEN, parent: "inc-9" } });
    expect(tally().incidentsOpen.critical).toBe(0);
  });

  it("asks what is open when the control process runs, at first and again after it was away", () => {
    const control = fakeControl({ incidents: () => [OPEN], forecasts: () => [] });
    const tally = createControlTally(control);
    expect(tally()).toMatchObject({ incidentsOpen: { critical: 1 }, incidentsOpened: 0 });
    control.emit({ kind: "control", state: { ...control.stateNow, state: "dead" } });
    control.replies = { incidents: () => [], forecasts: () => [] };
    control.emit({ kind: "control", state: control.stateNow });
    expect(tally().incidentsOpen.critical).toBe(0);
  });

  it("says that there is none", () => {
    expect(createControlTally(null)().control.state).toBe("off");
  });
});
