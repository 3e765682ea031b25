/**
 * `goodgate doctor`: is this machine ready for this configuration? Each finding is ok, warn or bad and
 * says what to do. It changes nothing, and it works before the first start as well as beside a gateway
 * that runs. Exit code 1 when a finding is bad; warnings alone are fine.
 */
import { isUnix } from "../kernel/ip-text.ts";
import { settingsForOrigins } from "../config/defaults.ts";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { countText } from "../contract/quantities.ts";
import type { CertificatesResponse } from "../contract/api-responses.ts";
import { CONFIG_FILE, SAMPLE_BIND } from "./config-file.ts";
import { sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { fleetFinding, isFleet } from "./fleet-finding.ts";
import { adminBase, adminUrl, askGateway } from "./gateway-client.ts";
import type { Finding } from "./machine-findings.ts";
import { machineFindings, ok } from "./machine-findings.ts";
import { networkFindings } from "./network-findings.ts";
import { runningFindings } from "./running-findings.ts";
import type { Told } from "./running-findings.ts";
import { stateFinding } from "./state-finding.ts";
import { pageWidth, plain, shortened, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";

export interface DoctorOptions {
  readonly config?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export async function doctorCommand(ports: CliPorts, options: DoctorOptions): Promise<ExitCode> {
  const findings: Finding[] = [];
  const settings = await configuration(ports, options.config, findings);
  const running = await gatewayRuns(ports, options.admin, settings, findings);
  if (settings !== null) {
    findings.push(...machineFindings(await ports.machine.facts(), settings));
    findings.push(stateFinding(settings, await ports.machine.tryState(settings)));
    findings.push(...(await networkFindings(ports, settings, running)));
  }
  const bad = findings.filter((finding) => finding.level === "bad").length;
  if (options.json === true) sayJson(ports, { ok: bad === 0, findings });
  else sayLines(ports, findingLines(findings, ports.terminal));
  return bad === 0 ? EXIT.ok : EXIT.no;
}

/** Null when there is a file that cannot be used; then only that is worth saying. */
async function configuration(
  ports: CliPorts,
  named: string | undefined,
  findings: Finding[],
): Promise<Settings | null> {
  const id = "configuration";
  const file = named ?? CONFIG_FILE;
  const read = await ports.readFile(file);
  if (!read.ok) {
    if (named === undefined && read.code === "ENOENT") {
      findings.push(ok(id, `there is no ${CONFIG_FILE} here, so the machine is judged by the defaults.`));
      // An origin is the one thing that a configuration needs; as no one asked for this one, it is left out of the questions.
      const made = settingsForOrigins(["http://127.0.0.1:1"], { bind: SAMPLE_BIND });
      return made.ok
        ? { ...made.settings, services: made.settings.services.map((service) => ({ ...service, pools: [] })) }
        : null;
    }
    findings.push({
      id,
      level: "bad",
      says: `${file} cannot be read (${read.code}).`,
      todo: "Check the path and the rights of this user.",
    });
    return null;
  }
  const loaded = loadSettings(read.text, file);
  if (loaded.ok) {
    findings.push(ok(id, `${file} is readable and right.`));
    return loaded.settings;
  }
  const first = loaded.problems[0];
  const where = first === undefined ? "" : ` First: line ${first.line}, ${shortened(first.message)}`;
  findings.push({
    id,
    level: "bad",
    says: `${file} has ${countText(loaded.problems.length, "problem")}.${where}`,
    todo: `See them all:  goodgate check ${file}`,
  });
  return null;
}

/** A gateway that runs holds the ports; that is no finding against it. */
async function gatewayRuns(
  ports: CliPorts,
  admin: string | undefined,
  settings: Settings | null,
  findings: Finding[],
): Promise<boolean> {
  const bind = settings?.admin?.bind;
  const configured =
    bind === undefined || (bind.port === 0 && !isUnix(bind.host)) ? undefined : adminBase(bind.host, bind.port);
  const base = adminUrl(ports, admin, configured);
  if (!base.ok) {
    findings.push({ id: "gateway", level: "bad", says: base.complaint.message, todo: base.complaint.hints.join(" ") });
    return false;
  }
  const asked = await askGateway<{ sentence: string } & Told>(
    ports,
    base.value,
    "/status",
    (answer) => typeof answer["sentence"] === "string",
  );
  if (asked.ok) {
    findings.push(ok("gateway", `one runs at ${base.value}: ${asked.value.sentence}`), ...runningFindings(asked.value));
    const shared = await askGateway<CertificatesResponse>(ports, base.value, "/certificates", ({ fleet }) =>
      isFleet(fleet),
    );
    if (shared.ok && shared.value.fleet !== null) findings.push(fleetFinding(shared.value.fleet));
    return true;
  }
  if (asked.complaint.code === "token-refused") {
    findings.push(ok("gateway", `one runs at ${base.value} and asks for a token.`));
    return true;
  }
  findings.push(ok("gateway", `none answers at ${base.value}.`));
  return false;
}

function findingLines(findings: readonly Finding[], terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const lines = findings.flatMap((finding) => {
    const mark = paint(LEVEL_STYLES[finding.level], finding.level.padEnd(4));
    const said = wrap(plain(`${finding.id}: ${finding.says}`), width - 6).map((line, index) =>
      index === 0 ? `${mark}  ${line}` : `      ${line}`,
    );
    const todo = finding.todo === "" ? [] : wrap(plain(`→ ${finding.todo}`), width - 6).map((line) => `      ${line}`);
    return [...said, ...todo];
  });
  const bad = findings.filter((finding) => finding.level === "bad").length;
  const warned = findings.filter((finding) => finding.level === "warn").length;
  const verdict =
    bad > 0
      ? paint(
          "red",
          `${countText(bad, "finding")} must be mended${warned > 0 ? `, ${warned} should be looked at` : ""}.`,
        )
      : warned > 0
        ? paint("yellow", `Ready; ${countText(warned, "finding")} should be looked at.`)
        : paint("green", "Ready.");
  return [...lines, "", verdict];
}

const LEVEL_STYLES: Readonly<Record<Finding["level"], PaintStyle>> = { ok: "green", warn: "yellow", bad: "red" };
