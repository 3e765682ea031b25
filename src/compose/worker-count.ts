/** How many workers a configuration means on this machine. */
import { availableParallelism } from "node:os";
import { WORKERS_MAX } from "../config/schema.ts";
import type { Settings } from "../config/settings.ts";

export function workerCount({ workers }: Settings): number {
  return workers === 0 ? Math.min(availableParallelism(), WORKERS_MAX) : workers;
}
