/** The admin server: the API over a gateway's view, and the dashboard. */
import type { AcmeDesk } from "../contract/acme.ts";
import { fileURLToPath } from "node:url";
import { createAdmin } from "../admin/admin.ts";
import type { AdminOptions } from "../admin/admin.ts";
import type { SamplePools } from "../cli/ports.ts";
import type { AdminSettings, Settings } from "../config/settings.ts";
import type { ConfigDesk, PutResult } from "../contract/config-desk.ts";
import type { KeyDesk } from "../contract/keys.ts";
import type { HandedOn } from "../contract/succession.ts";
import type { Revision } from "../contract/revision.ts";
import type { GatewayView, NodeActions } from "../contract/view.ts";
import { startAdminServer } from "../net/admin-server.ts";
import type { AdminServer } from "../net/admin-server.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import type { ControlProcess } from "../net/control-process.ts";
import type { Heritage } from "../net/heritage.ts";
import { readDashboard } from "../store/dashboard-files.ts";
import { LAST_WORDS_MS } from "./data-plane.ts";
import { describe, listenFailure } from "./error-text.ts";
import type { Events } from "./events.ts";

/** Where the build puts it: beside the sources in a checkout, beside the program in the published package. */
const DASHBOARD = fileURLToPath(new URL("../../dist/web", import.meta.url));

/** The admin server as it is configured now: it may move, and another token may hold. */
export interface AdminSite {
  /** Null: none is configured. */
  server(): AdminServer | null;
  /** Opens what is opened elsewhere. Rejects when that cannot be. What it resolves to puts it into effect, or gives it up. */
  prepare(settings: Settings): Promise<{ use(): void; giveUp(): Promise<void> }>;
  close(withinMs: number): Promise<void>;
}

export interface AdminParts {
  /** One process, or several that are shown as one. */
  readonly gateway: { readonly view: GatewayView; readonly actions: NodeActions; readonly keys: KeyDesk | null };
  readonly control: ControlProcess | null;
  /** Null: the configuration is nobody's to change. */
  readonly config: ConfigDesk | null;
  readonly acme: AcmeDesk;
  /** Has a successor take the place of this process. */
  readonly upgrade: () => Promise<HandedOn>;
  readonly samples: SamplePools | undefined;
  readonly heritage: Heritage;
}

/** Rejects when the address cannot be listened on. */
export async function startAdmin(
  settings: Settings,
  { gateway, control, config, acme, upgrade, samples, heritage }: AdminParts,
  tell: Events["tell"],
): Promise<AdminSite> {
  const options: AdminOptions = {
    actions: gateway.actions,
    keys: gateway.keys,
    control,
    ...(config === null ? {} : { config }),
    acme,
    upgrade,
    ...(samples === undefined ? {} : { samples: samples.desk }),
    dashboard: await readDashboard(DASHBOARD),
    token: null,
    clock: systemClock,
    schedule: systemSchedule,
  };
  const handle = createAdmin(gateway.view, options);
  let at: Settings["admin"] = null;
  let server: AdminServer | null = null;

  const open = ({ bind, socketFile }: AdminSettings): Promise<AdminServer> =>
    startAdminServer({
      bind,
      socketFile,
      given: heritage.take(bind, "admin"),
      handle,
      onFault: (error) => tell("admin.fault", describe(error)),
      schedule: systemSchedule,
    });
  const site: AdminSite = {
    server: () => server,
    async prepare({ admin }) {
      const stays = placeOf(admin) === placeOf(at);
      const isOtherFile = stays && JSON.stringify(admin?.socketFile) !== JSON.stringify(at?.socketFile);
      const undo = isOtherFile && admin !== null ? await server?.changeFile(admin.socketFile) : undefined;
      const opened = stays || admin === null ? null : await open(admin);
      return {
        use() {
          options.token = admin?.token ?? null;
          at = admin;
          if (stays) return;
          const before = server;
          server = opened;
          // Whoever asked for this has to be answered first.
          void before?.close(LAST_WORDS_MS);
        },
        async giveUp() {
          await undo?.();
          await opened?.close(0);
        },
      };
    },
    close: (withinMs) => server?.close(withinMs) ?? Promise.resolve(),
  };
  (await site.prepare(settings)).use();
  return site;
}

function placeOf(admin: Settings["admin"]): string {
  return admin === null ? "" : JSON.stringify(admin.bind);
}

/** What is opened for the admin server comes first, and is given up when the rest is refused. */
export async function putWithAdmin(
  site: AdminSite | null,
  next: Settings,
  revision: Revision | null,
  put: () => Promise<PutResult>,
): Promise<PutResult> {
  if (site === null || revision === null) return put();
  let prepared: Awaited<ReturnType<AdminSite["prepare"]>>;
  try {
    prepared = await site.prepare(next);
  } catch (error) {
    const { where, code } = listenFailure(error, next.admin?.bind ?? null);
    return { kind: "refused", why: "unusable", detail: `${where} of admin.bind cannot be listened on (${code})` };
  }
  const result = await put();
  if (result.kind === "refused") await prepared.giveUp();
  else prepared.use();
  return result;
}
