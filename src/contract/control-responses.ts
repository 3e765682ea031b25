/**
 * The bodies of those answers under `/api/v1` that the control plane gives, for the dashboard and the CLI. When it does
 * not answer (dead, hung, switched off), the API says so with a problem `control-unavailable` (503) whose detail is the
 * reason: old conclusions are never handed out as new ones.
 */
import type { AlertTested } from "./alerts.ts";
import type { ControlState } from "./control-port.ts";
import type { Fact } from "./facts.ts";
import type { Forecast, Incident } from "./incident.ts";
import type { ServiceHealth } from "./series.ts";

/** `GET /incidents`, newest first. */
export interface IncidentsResponse {
  now: number;
  incidents: readonly Incident[];
}

// `GET /incidents/{id}` answers an `Incident`, `GET /series` a `SeriesAnswer`, `GET /alerts` an `AlertsView`, as they are.

/** `GET /forecasts`. */
export interface ForecastsResponse {
  now: number;
  forecasts: readonly Forecast[];
}

/** `GET /health`. */
export interface HealthResponse {
  now: number;
  control: ControlState;
  services: readonly ServiceHealth[];
}

/** `GET /probes`, newest first. `POST /probes` answers one of them. */
export interface ProbesResponse {
  now: number;
  probes: readonly Extract<Fact, { kind: "probe" }>[];
}

/** What `POST /incidents/{id}/acknowledge|annotate|take-over|merge|split|close` takes; they answer the `Incident`. */
export interface IncidentActBody {
  by: string;
  /** Of annotate and close. */
  text?: string;
  /** Of merge: the id of the other. */
  into?: string;
  /** Of split: dimension → value. */
  where?: Readonly<Record<string, string>>;
}

/** What `POST /probes` takes; it answers a `ProbeFact`. */
export interface ProbeBody {
  service: string;
  origin: string;
  by: string;
}

/** What `POST /silences` takes. */
export interface SilenceBody {
  where: Readonly<Record<string, string>>;
  by: string;
  reason: string;
  /** `30m`, `2h`: from now. */
  for: string;
}

export interface SilencedResponse {
  id: string;
  until: number;
}

/** What `POST /silences/{id}/end` takes. */
export interface SilenceEndBody {
  by: string;
}

/** What `POST /alerts/test` takes; without `sink`: all of them. */
export interface AlertsTestBody {
  by: string;
  sink?: string;
}

export interface AlertsTestedResponse {
  tested: readonly AlertTested[];
}
