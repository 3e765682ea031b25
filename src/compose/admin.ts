/** The admin server: the API over a gateway's view, and the dashboard. */
import { fileURLToPath } from "node:url";
import { createAdmin } from "../admin/admin.ts";
import type { SamplePools } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { startAdminServer } from "../net/admin-server.ts";
import type { AdminServer } from "../net/admin-server.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import type { ControlProcess } from "../net/control-process.ts";
import type { Heritage } from "../net/heritage.ts";
import { readDashboard } from "../store/dashboard-files.ts";
import { describe } from "./error-text.ts";
import type { Events } from "./events.ts";

/** Where the build puts it: beside the sources in a checkout, beside the program in the published package. */
const DASHBOARD = fileURLToPath(new URL("../../dist/web", import.meta.url));

export interface AdminParts {
  readonly control: ControlProcess | null;
  readonly samples: SamplePools | undefined;
  readonly heritage: Heritage;
}

export async function startAdmin(
  settings: Settings,
  gateway: Gateway,
  { control, samples, heritage }: AdminParts,
  tell: Events["tell"],
): Promise<AdminServer | null> {
  if (settings.admin === null) return null;
  const dashboard = await readDashboard(DASHBOARD);
  const { bind, token, socketFile } = settings.admin;
  return startAdminServer({
    bind,
    socketFile,
    given: heritage.take(bind, "admin"),
    handle: createAdmin(gateway.view, {
      actions: gateway.actions,
      keys: gateway.keys,
      control,
      ...(samples === undefined ? {} : { samples: samples.desk }),
      dashboard,
      token,
      clock: systemClock,
      schedule: systemSchedule,
    }),
    onFault: (error) => tell("admin.fault", describe(error)),
    schedule: systemSchedule,
  });
}
