/** What gateways in memory and in the simulator begin with alike: settings as a test writes them, and no process. */
import { checkValue } from "../../src/config/load.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { OwnUse, ProcessView } from "../../src/contract/view.ts";

/** Throws what is wrong with them. */
export function settingsFrom(file: Readonly<Record<string, unknown>>): Settings {
  const { settings, problems } = checkValue(file);
  if (settings !== null) return settings;
  throw new Error(problems.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"));
}

export const NO_PROCESS: ProcessView = {
  cpuSeconds: 0,
  residentBytes: 0,
  heapBytes: 0,
  descriptorsOpen: 0,
  descriptorsMax: 0,
  loopDelayP50Ms: 0,
  loopDelayP99Ms: 0,
  loopDelayMaxMs: 0,
  loopUtilisation: 0,
  uptimeSeconds: 0,
};

/** Of the process itself; what a test says of its memory is put over it. */
export function useOf({ descriptorsOpen, descriptorsMax }: ProcessView): OwnUse {
  return { memoryBytes: 0, memoryMax: 0, descriptorsOpen, descriptorsMax };
}
