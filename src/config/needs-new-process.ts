/**
 * The few settings that a process is started with and keeps: what it has opened for good, and what it is called. All
 * others take effect in a gateway that serves. This list is the whole of them, and the documentation says the same.
 */
import type { Settings } from "./settings.ts";

/** Names as in the file, with how to see whether they differ. */
const FIELDS: readonly (readonly [name: string, of: (settings: Settings) => unknown])[] = [
  ["state", (settings) => settings.state],
  ["node", (settings) => settings.node],
  ["workers", (settings) => settings.workers],
  ["control", (settings) => settings.control === null],
  ["cache.disk", (settings) => settings.cache.diskBytes],
];

/** What comes after, but with those fields as they are: as much of it as a process can be asked about that runs. */
export function withFieldsOf(before: Settings, after: Settings): Settings {
  const { state, node, workers } = before;
  const control = (before.control === null) === (after.control === null) ? after.control : before.control;
  return { ...after, state, node, workers, control, cache: { ...after.cache, diskBytes: before.cache.diskBytes } };
}

/** Those that differ; empty: a gateway that serves can be given these settings. */
export function needsNewProcess(before: Settings, after: Settings): string[] {
  return FIELDS.filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(after))).map(([name]) => name);
}
