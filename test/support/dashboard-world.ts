/**
 * The dashboard as a browser meets it: the real admin surface and server over made-up facts, and a control plane in the
 * test's hand behind the paths that ask it.
 */
import { createAdmin } from "../../src/admin/admin.ts";
import type { AdminAnswer, AdminHandler, AdminRequest } from "../../src/contract/admin-http.ts";
import type { ControlState } from "../../src/contract/control-port.ts";
import type { DrainOrder, RestoreOrder } from "../../src/contract/view.ts";
import type { Incident } from "../../src/contract/incident.ts";
import type { SeriesAnswer } from "../../src/contract/series.ts";
import { startAdminServer } from "../../src/net/admin-server.ts";
import type { AdminServer } from "../../src/net/admin-server.ts";
import { systemClock, systemSchedule } from "../../src/net/clock.ts";
import { readDashboard } from "../../src/store/dashboard-files.ts";
import { fakeControl } from "./fake-control.ts";
import type { FakeControl } from "./fake-control.ts";
import { NO_ACTIONS } from "./no-actions.ts";
import {
  CLOSED_INCIDENT,
  RUNNING,
  SAMPLE_FORECASTS,
  SAMPLE_HEALTH,
  SAMPLE_INCIDENT,
  SAMPLE_PROBE,
  sampleSeries,
} from "./sample-diagnosis.ts";
import { SAMPLE_NOW, sampleView } from "./sample-view.ts";
import type { SampleView } from "./sample-view.ts";

export interface DashboardWorld {
  readonly url: string;
  readonly view: SampleView;
  readonly control: FakeControl;
  readonly server: AdminServer;
  /** By id; a test may put others in. */
  readonly incidents: Map<string, Incident>;
  /** What people did: the path under /api/v1 and the body. */
  readonly acts: (readonly [path: string, body: unknown])[];
  /** False: the control plane does not answer. */
  isControlUp: boolean;
  readonly faults: unknown[];
}

export interface DashboardWorldOptions {
  readonly token?: string;
  readonly port?: number;
  readonly view?: SampleView;
  /** False: the gateway has no control plane at all. */
  readonly hasControl?: boolean;
  readonly dashboard?: string;
}

const BUILT = new URL("../../dist/web", import.meta.url).pathname;

export async function dashboardWorld(options: DashboardWorldOptions = {}): Promise<DashboardWorld> {
  const view = options.view ?? sampleView();
  const control = fakeControl();
  control.stateNow = RUNNING;
  const faults: unknown[] = [];
  const acts: (readonly [string, unknown])[] = [];
  const started = systemClock.monotonic();
  const note = (path: string, order: DrainOrder | RestoreOrder): { done: true; until: number } => {
    acts.push([path, order]);
    return { done: true, until: SAMPLE_NOW + 3_600_000 };
  };
  const handle = createAdmin(view, {
    token: options.token ?? null,
    actions: {
      ...NO_ACTIONS,
      drainOrigin: (order) => note("/origins/drain", order),
      restoreOrigin: (order) => note("/origins/restore", order),
    },
    keys: null,
    control,
    dashboard: await readDashboard(options.dashboard ?? BUILT),
    // A moment that is the same in every run, and goes on.
    clock: { monotonic: systemClock.monotonic, wall: () => SAMPLE_NOW + Math.round(systemClock.monotonic() - started) },
    schedule: systemSchedule,
  });
  const world = {
    view,
    control,
    acts,
    faults,
    incidents: new Map([SAMPLE_INCIDENT, CLOSED_INCIDENT].map((one) => [one.id, one])),
    isControlUp: true,
  };
  const server = await startAdminServer({
    bind: { host: "127.0.0.1", port: options.port ?? 0 },
    handle: options.hasControl === false ? handle : withControlPaths(handle, world),
    schedule: systemSchedule,
    onFault: (fault) => faults.push(fault),
  });
  return Object.assign(world, { url: `http://127.0.0.1:${server.port}`, server });
}

type World = Omit<DashboardWorld, "url" | "server">;

function withControlPaths(handle: AdminHandler, world: World): AdminHandler {
  return (request) => {
    const answered = handle(request);
    // Whatever refuses the request (a token, a foreign page) does so before this is reached.
    if (!("status" in answered) || answered.status !== 404) return answered;
    return answerOfControl(world, request) ?? answered;
  };
}

function answerOfControl(world: World, request: AdminRequest): AdminAnswer | null {
  const path = request.path.replace(/^\/api\/v1/, "");
  const query = new URLSearchParams(request.query);
  const now = SAMPLE_NOW;
  if (!/^\/(?:incidents|forecasts|health|series|probes)\b/.test(path)) return null;
  if (path === "/health" && !world.isControlUp) {
    return json({ now, control: world.control.stateNow satisfies ControlState, services: [] });
  }
  if (!world.isControlUp)
    return json({ status: 503, code: "control-unavailable", detail: "The control plane is dead." }, 503);
  if (request.method === "POST") {
    const body: unknown = JSON.parse(request.body);
    world.acts.push([path, body]);
    const incident = world.incidents.get(path.split("/")[2] ?? "");
    return json(path === "/probes" ? SAMPLE_PROBE : (incident ?? {}));
  }
  const list = [...world.incidents.values()].toSorted((one, other) => other.firstFailureAt - one.firstFailureAt);
  const state = query.get("state");
  switch (path) {
    case "/health":
      return json({ now, control: world.control.stateNow, services: SAMPLE_HEALTH });
    case "/forecasts":
      return json({ now, forecasts: SAMPLE_FORECASTS });
    case "/incidents":
      return json({
        now,
        incidents: list.filter((one) => state === null || (one.state === "closed") === (state === "closed")),
      });
    case "/series": {
      const resolution = Number(query.get("resolution")) as SeriesAnswer["resolution"];
      return json(sampleSeries(Number(query.get("from")), Number(query.get("to")), resolution));
    }
  }
  const [, , id = "", rest] = path.split("/");
  const incident = world.incidents.get(id);
  if (incident === undefined)
    return json({ status: 404, code: "unknown-incident", detail: `No incident ${id} is known.` }, 404);
  return rest === "postmortem" ? text("text/markdown", `# ${incident.title}\n`) : json(incident);
}

function json(value: unknown, status = 200): AdminAnswer {
  return text(status === 200 ? "application/json" : "application/problem+json", JSON.stringify(value), status);
}

function text(type: string, body: string, status = 200): AdminAnswer {
  const headers = { "content-type": type, "content-length": String(Buffer.byteLength(body)) };
  return { kind: "response", status, headers, body };
}
