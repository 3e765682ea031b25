/**
 * The dashboard as a browser meets it: the real admin surface and server over made-up facts, and a control plane in the
 * test's hand.
 */
import { createAdmin } from "../../src/admin/admin.ts";
import type { AlertsView, NotAnswered } from "../../src/contract/control-port.ts";
import type { DrainOrder, RestoreOrder } from "../../src/contract/view.ts";
import type { Incident } from "../../src/contract/incident.ts";
import type { ServiceHealth } from "../../src/contract/series.ts";
import { startAdminServer } from "../../src/net/admin-server.ts";
import type { AdminServer } from "../../src/net/admin-server.ts";
import { systemClock, systemSchedule } from "../../src/net/clock.ts";
import { readDashboard } from "../../src/store/dashboard-files.ts";
import { fakeControl } from "./fake-control.ts";
import type { FakeControl, Replies } from "./fake-control.ts";
import { NO_ACTIONS } from "./no-actions.ts";
import {
  CLOSED_INCIDENT,
  RUNNING,
  SAMPLE_ALERTS,
  SAMPLE_FORECASTS,
  SAMPLE_HEALTH,
  SAMPLE_INCIDENT,
  SAMPLE_PROBE,
  sampleHealth,
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
  /** What people did: the path or the incident, and the order. */
  readonly acts: (readonly [path: string, body: unknown])[];
  /** What the control plane says each second of how services are. */
  services: readonly ServiceHealth[];
  /** Who is told, and who is not. */
  alerts: AlertsView;
  /** False: the control plane does not answer, and says nothing. */
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
    control: options.hasControl === false ? null : control,
    dashboard: await readDashboard(options.dashboard ?? BUILT),
    // A moment that is the same in every run, and goes on.
    clock: { monotonic: systemClock.monotonic, wall: () => SAMPLE_NOW + Math.round(systemClock.monotonic() - started) },
    schedule: systemSchedule,
  });
  const incidents = new Map([SAMPLE_INCIDENT, CLOSED_INCIDENT].map((one) => [one.id, one]));
  const server = await startAdminServer({
    bind: { host: "127.0.0.1", port: options.port ?? 0 },
    handle,
    schedule: systemSchedule,
    onFault: (fault) => faults.push(fault),
  });
  const world: DashboardWorld = {
    url: `http://127.0.0.1:${server.port}`,
    view,
    control,
    server: {
      ...server,
      close(ms) {
        clearInterval(beat);
        return server.close(ms);
      },
    },
    acts,
    faults,
    incidents,
    // A view of its own has services of its own, and they are well until a test says otherwise.
    services:
      options.view === undefined ? SAMPLE_HEALTH : view.statusNow.services.map(({ name }) => sampleHealth(name)),
    alerts: SAMPLE_ALERTS,
    isControlUp: true,
  };
  // Without it a page calls what was concluded stale after four seconds, which a busy machine takes to open it.
  const beat = setInterval(() => {
    const { services, isControlUp } = world;
    if (isControlUp) control.emit({ kind: "pulse", at: SAMPLE_NOW, services });
  }, 1_000);
  control.replies = repliesOf(world);
  return world;
}

function repliesOf(world: DashboardWorld): Replies {
  const orDead = <T>(answer: T): T | NotAnswered =>
    world.isControlUp ? answer : { unanswered: "hung", because: world.control.stateNow.because };
  return {
    incidents: ({ state }) =>
      orDead(
        [...world.incidents.values()]
          .filter((one) => state === undefined || (one.state === "closed") === (state === "closed"))
          .toSorted((one, other) => other.firstFailureAt - one.firstFailureAt),
      ),
    incident: ({ id }) => orDead(world.incidents.get(id) ?? null),
    act: ({ fact }) => {
      world.acts.push([fact.incident, { by: fact.by, ...fact.act }]);
      return orDead({ refused: "" });
    },
    forecasts: () => orDead(SAMPLE_FORECASTS),
    alerts: () => orDead(world.alerts),
    health: () => orDead(SAMPLE_HEALTH),
    series: ({ question }) => orDead(sampleSeries(question.from, question.to, question.resolution)),
    probes: () => orDead([SAMPLE_PROBE]),
    probe: ({ ask: _ask, ...order }) => {
      world.acts.push(["probe", order]);
      return orDead(SAMPLE_PROBE);
    },
  };
}
