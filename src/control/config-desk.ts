/**
 * Gives a running gateway another configuration: checks it, says what it would change, refuses what looks like an
 * accident, numbers what is put into effect, and remembers how it went. What putting into effect is, a gateway in one
 * process and one in several workers know each for themselves.
 */
import { loadSettings } from "../config/load.ts";
import { sharpRemovals } from "../config/removal.ts";
import { maskSecrets } from "../config/secrets.ts";
import { settingChanges } from "../config/setting-changes.ts";
import type { Settings } from "../config/settings.ts";
import type {
  ConfigDesk,
  ConfigOrder,
  ConfigOutcome,
  ConfigRefusal,
  ConfigState,
  PutResult,
} from "../contract/config-desk.ts";
import { revisionInWords } from "../contract/revision.ts";
import type { Revision } from "../contract/revision.ts";
import type { Clock } from "../kernel/clock.ts";

export interface ConfigDeskParts {
  /** What the gateway was started with. */
  readonly settings: Settings;
  /** Which configuration that is, where a predecessor was given it. Absent or null: the first. */
  readonly first?: Revision | null;
  /** Null: it was started without one. */
  readonly file: string | null;
  readonly readFile: (
    path: string,
  ) => Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly code: string }>;
  readonly hashOf: (settings: Settings) => string;
  /** Null: whether this could be put into effect, and nothing else. */
  readonly put: (
    settings: Settings,
    revision: Revision | null,
    source: Pick<ConfigOrder, "text" | "file">,
  ) => Promise<PutResult>;
  readonly clock: Clock;
  /** For the event stream. */
  readonly tell: (code: string, detail: string) => void;
}

export function createConfigDesk(parts: ConfigDeskParts): ConfigDesk {
  const { clock, hashOf, put, tell, file } = parts;
  let settings = parts.settings;
  const startedAt = clock.wall();
  const hash = hashOf(settings);
  const first = parts.first ?? { number: 1, hash, at: startedAt, by: "", reason: "start", changes: [] };
  if (first.number > 1) tell("config.applied", revisionInWords(first));
  const state: ConfigState = { revision: first, lastOk: true, lastAt: startedAt, lastProblem: "" };
  let underWay: Promise<unknown> = Promise.resolve();

  async function decide(order: ConfigOrder): Promise<ConfigOutcome> {
    const loaded = loadSettings(order.text, order.file);
    if (!loaded.ok) {
      const [problem] = loaded.problems;
      const place = problem === undefined ? order.file : `${order.file}:${problem.line}:${problem.column}`;
      return {
        ...refused("invalid", `${place}: ${problem?.message ?? "it cannot be read"}`),
        problems: loaded.problems,
      };
    }
    const changes = settingChanges(settings, loaded.settings);
    const removals = order.allowRemoval ? [] : sharpRemovals(settings, loaded.settings);
    if (removals.length > 0) return refused("removes", removals.join(" "));
    const { number } = state.revision;
    const { by, reason } = order;
    const hash = hashOf(loaded.settings);
    const revision: Revision = { number: number + 1, hash, at: clock.wall(), by, reason, changes };
    const result = await put(loaded.settings, order.dryRun ? null : revision, order);
    switch (result.kind) {
      case "refused":
        return refused(result.why, result.detail);
      case "unchanged":
        return { kind: "unchanged", revision: state.revision };
      case "applied":
        if (order.dryRun) return { kind: "would apply", changes };
        settings = loaded.settings;
        state.revision = revision;
        return { kind: "applied", revision };
    }
  }

  async function carryOut(order: ConfigOrder): Promise<ConfigOutcome> {
    const outcome = await decide(order);
    if (!order.dryRun) note(outcome);
    return outcome;
  }

  function note(outcome: ConfigOutcome): void {
    state.lastAt = clock.wall();
    state.lastOk = outcome.kind !== "refused";
    state.lastProblem = outcome.kind === "refused" ? outcome.detail : "";
    if (outcome.kind === "refused")
      tell("config.refused", `a configuration was refused and nothing was changed: ${outcome.detail}`);
    else if (outcome.kind === "unchanged") tell("config.unchanged", "the configuration is the one that is in effect");
  }

  function apply(order: ConfigOrder): Promise<ConfigOutcome> {
    const outcome = underWay.then(() => carryOut(order));
    underWay = outcome.catch(() => undefined);
    return outcome;
  }

  return {
    state: () => ({ ...state }),
    shown: () => maskSecrets(settings),
    apply,
    async reload(order) {
      const read = file === null ? null : await parts.readFile(file);
      if (file !== null && read?.ok === true) return apply({ ...order, text: read.text, file });
      const why =
        read === null || read.ok ? "this gateway was started without a file" : `${file} cannot be read (${read.code})`;
      const outcome = refused("no file", why);
      if (!order.dryRun) note(outcome);
      return outcome;
    },
  };
}

function refused(why: ConfigRefusal["why"], detail: string): ConfigRefusal {
  return { kind: "refused", why, detail, problems: [] };
}
