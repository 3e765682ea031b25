/**
 * What the control plane has told, counted for `/metrics`: a scrape is answered at once and must not wait for another
 * process, which may be dead. When it begins a new life it is asked once what is open, because what ended meanwhile
 * was told to nobody.
 */
import { CONTROL_OFF } from "../contract/control-port.ts";
import type { ControlPort, ControlState, News } from "../contract/control-port.ts";
import type { Incident, Severity } from "../contract/incident.ts";
import { bySeverity, countsAsOpen } from "../control/open-incidents.ts";

export interface ControlTally {
  readonly control: ControlState;
  /** Incidents that go on or recover, by severity, and all that were opened since the start. */
  readonly incidentsOpen: Readonly<Record<Severity, number>>;
  readonly incidentsOpened: number;
  readonly forecasts: Readonly<Record<Severity, number>>;
}

/** More than this of either is a storm that the engine should have made one of; the counts stop there. */
const COUNTED_MAX = 1_000;

export function createControlTally(control: ControlPort | null): () => ControlTally {
  const incidents = new Map<string, Severity>();
  const forecasts = new Map<string, Severity>();
  let opened = 0;
  let wasRunning = false;

  function note(incident: Incident, isNews: boolean): void {
    const { id, severity } = incident;
    if (!countsAsOpen(incident)) {
      incidents.delete(id);
      return;
    }
    if (!incidents.has(id) && incidents.size >= COUNTED_MAX) return;
    if (isNews && !incidents.has(id)) opened += 1;
    incidents.set(id, severity);
  }

  function askAnew(port: ControlPort): void {
    port.ask({ ask: "incidents", state: "open", limit: COUNTED_MAX }, (answer) => {
      if ("unanswered" in answer) return;
      incidents.clear();
      for (const incident of answer) note(incident, false);
    });
    port.ask({ ask: "forecasts" }, (answer) => {
      if ("unanswered" in answer) return;
      forecasts.clear();
      for (const { id, severity } of answer.slice(0, COUNTED_MAX)) forecasts.set(id, severity);
    });
  }

  function hear(port: ControlPort, news: News): void {
    switch (news.kind) {
      case "incident":
        note(news.incident, true);
        break;
      case "forecast":
        if (news.over) forecasts.delete(news.forecast.id);
        else if (forecasts.size < COUNTED_MAX) forecasts.set(news.forecast.id, news.forecast.severity);
        break;
      case "control": {
        const isRunning = news.state.state === "running";
        if (isRunning && !wasRunning) askAnew(port);
        wasRunning = isRunning;
        break;
      }
      case "probe":
      case "pulse":
        break;
    }
  }

  if (control !== null) {
    control.subscribe((news) => hear(control, news));
    hear(control, { kind: "control", state: control.state() });
  }
  return () => ({
    control: control === null ? CONTROL_OFF : control.state(),
    incidentsOpen: bySeverity(incidents.values()),
    incidentsOpened: opened,
    forecasts: bySeverity(forecasts.values()),
  });
}
