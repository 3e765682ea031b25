/**
 * `goodgate config apply FILE`, `goodgate config show` and `goodgate reload`: another configuration for a gateway that
 * runs. The file is checked here first, because this is where its reader sits; the gateway checks it again.
 */
import { TextBody } from "../contract/admin-http.ts";
import type { AppliedResponse, ConfigResponse, UpgradedResponse } from "../contract/api-responses.ts";
import type { Revision } from "../contract/revision.ts";
import { countText } from "../contract/quantities.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { Complaint } from "./context.ts";
import { CONFIG_FILE, loadFile } from "./config-file.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { pageWidth, plain, wrap } from "./page.ts";
import type { CliPorts, Terminal } from "./ports.ts";

export interface ConfigOptions {
  readonly reason?: string;
  readonly by?: string;
  readonly dryRun?: boolean;
  readonly allowRemoval?: boolean;
  readonly admin?: string;
  readonly json?: boolean;
}

/** Names are resolved and listeners opened before anything changes. */
const ANSWER_MS = 30_000;
const SHOWN_MAX = 40;

export async function configCommand(
  ports: CliPorts,
  [action, file]: readonly string[],
  options: ConfigOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  if (action === "show" && file === undefined) return show(ports, options, json);
  if (action !== "apply")
    return complain(ports, usage(`say what to do: apply a file, or show what is in effect.`), json);
  const name = file ?? CONFIG_FILE;
  const loaded = await loadFile(ports, name, json);
  if (!loaded.ok) return loaded.exit;
  const read = await ports.readFile(name);
  if (!read.ok) return complain(ports, usage(`${plain(name)} cannot be read (${read.code}).`), json);
  const query = queryOf(ports, options);
  query.set("file", name);
  return put(ports, `/config?${query.toString()}`, new TextBody("application/yaml", read.text), options);
}

export function reloadCommand(ports: CliPorts, options: ConfigOptions): Promise<ExitCode> {
  return put(ports, `/config/reload?${queryOf(ports, options).toString()}`, undefined, options);
}

/** Reading the configuration, resolving names, opening a cache; the gateway gives its successor a minute. */
const UPGRADE_MS = 70_000;

/** `goodgate upgrade`: the same command line once more, with what is on the disk now. */
export async function upgradeCommand(ports: CliPorts, options: ConfigOptions): Promise<ExitCode> {
  const json = options.json === true;
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const isAnswer = (answer: Record<string, unknown>): boolean => typeof answer["pid"] === "number";
  const asked = await askGateway<UpgradedResponse>(
    ports,
    base.value,
    "/upgrade",
    isAnswer,
    "POST",
    undefined,
    UPGRADE_MS,
  );
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const text = `Process ${asked.value.pid} serves; the one before finishes what is under way.`;
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, [ports.terminal.paint("green", text)]);
  return EXIT.ok;
}

async function put(
  ports: CliPorts,
  path: string,
  body: TextBody | undefined,
  options: ConfigOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const isAnswer = (answer: Record<string, unknown>): boolean => typeof answer["outcome"] === "string";
  const asked = await askGateway<AppliedResponse>(ports, base.value, path, isAnswer, "POST", body, ANSWER_MS);
  if (!asked.ok) return complain(ports, withAdvice(asked.complaint), json);
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, outcomeLines(asked.value, ports.terminal));
  return EXIT.ok;
}

async function show(ports: CliPorts, options: ConfigOptions, json: boolean): Promise<ExitCode> {
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const isAnswer = (answer: Record<string, unknown>): boolean => typeof answer["settings"] === "object";
  const asked = await askGateway<ConfigResponse>(ports, base.value, "/config", isAnswer);
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const { settings, revision, lastOk, lastProblem } = asked.value;
  if (json) {
    sayJson(ports, asked.value);
    return EXIT.ok;
  }
  // The words are beside the settings, which a program may want to read.
  const refused = lastOk ? [] : [`The last change was refused: ${lastProblem}`];
  ports.stderr(`${[revisionLine(revision), ...refused].map(plain).join("\n")}\n`);
  sayJson(ports, settings);
  return EXIT.ok;
}

/** Of `goodgate status` as well. */
export function revisionLine({ number, hash, at, by, reason }: Revision): string {
  const who = by === "" ? "" : ` by ${by}`;
  const why = reason === "" ? "" : `: ${reason}`;
  return `configuration ${number} (${hash}) since ${new Date(at).toISOString()}${who}${why}`;
}

function queryOf(ports: CliPorts, { reason, by, dryRun, allowRemoval }: ConfigOptions): URLSearchParams {
  const who = by ?? ports.env["USER"] ?? "";
  return new URLSearchParams({
    ...(who === "" ? {} : { by: who }),
    ...(reason === undefined || reason === "" ? {} : { reason }),
    ...(dryRun === true ? { dryRun: "true" } : {}),
    ...(allowRemoval === true ? { allowRemoval: "true" } : {}),
  });
}

function outcomeLines({ outcome, revision, changes }: AppliedResponse, terminal: Terminal): string[] {
  const { paint } = terminal;
  switch (outcome) {
    case "unchanged":
      return [paint("green", "Nothing to do: it is in effect already.")];
    case "would apply":
      return [
        changes.length === 0 ? "It would change nothing." : `It would change ${countText(changes.length, "setting")}:`,
        ...changeLines(changes, terminal),
      ];
    case "applied":
      return [
        paint("green", revision === null ? "It is in effect." : plain(`In effect: ${revisionLine(revision)}`)),
        ...changeLines(changes, terminal),
      ];
  }
}

function changeLines(changes: AppliedResponse["changes"], terminal: Terminal): string[] {
  const lines = changes.slice(0, SHOWN_MAX).flatMap(({ path, from, to }) => {
    const text = `${path}: ${from === null ? "new" : from} → ${to === null ? "gone" : to}`;
    return wrap(plain(text), pageWidth(terminal) - 2).map((line) => `  ${line}`);
  });
  const left = changes.length - SHOWN_MAX;
  return left <= 0 ? lines : [...lines, `  and ${left} more; --json shows all`];
}

function withAdvice(complaint: Complaint): Complaint {
  if (complaint.code !== "config-removes") return complaint;
  return { ...complaint, hints: [...complaint.hints, "If that is meant, say so with  --allow-removal"] };
}

function usage(message: string): Complaint {
  return {
    code: "usage",
    exit: EXIT.usage,
    message,
    hints: ["goodgate config apply goodgate.yaml", "goodgate config show"],
  };
}
