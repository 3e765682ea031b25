/** A gateway as it is configured: in one process, or in workers under a supervisor. */
import type { StartOptions, StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import { createEvents } from "./events.ts";
import { startInOneProcess } from "./one-process.ts";
import { findTakeover } from "./takeover.ts";
import { workerCount } from "./worker-count.ts";

export async function startGateway(settings: Settings, options: StartOptions): Promise<StartResult> {
  const events = createEvents();
  const takeover = findTakeover(events.tell);
  const workers = workerCount(settings);
  if (workers === 1) return startInOneProcess(settings, { events, takeover, options });
  // One process alone needs nothing of it.
  const { startSupervised } = await import("./supervised.ts");
  return startSupervised(settings, workers, { events, takeover, options });
}
