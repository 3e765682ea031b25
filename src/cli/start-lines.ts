/** What a gateway says when it has started: what runs where, a few things to try, how to stop. Short, because it is read once. */
import { isUnix } from "../kernel/ip-text.ts";
import type { Bind, Settings } from "../config/settings.ts";
import { durationText } from "../contract/quantities.ts";
import { devAuthority } from "./certificate-command.ts";
import { labelled, pageWidth, plain } from "./page.ts";
import { ADMIN_DEFAULT } from "./gateway-client.ts";
import type { CliPorts, RunningGateway, SamplePools } from "./ports.ts";

/** Where the settings came from: it decides what is worth trying first, and what to change when a port is taken. */
export type StartedFrom =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "proxy" }
  | { readonly kind: "samples"; readonly samples: SamplePools };

export function startLines(settings: Settings, gateway: RunningGateway, from: StartedFrom, ports: CliPorts): string[] {
  const { paint } = ports.terminal;
  const first = gateway.listeners[0];
  // In the order of the configuration, which alone knows what they speak.
  const scheme = (index: number): string => (settings.listeners[index]?.tls === null ? "http" : "https");
  const trust = scheme(0) === "http" ? "" : from.kind === "proxy" ? ` --cacert ${devAuthority(ports.env)}` : " -k";
  const here = first === undefined ? "" : curlTo(first, scheme(0), trust);
  const rows = gateway.listeners.map((bind, index) => ({
    label: "listening",
    text: `${urlOf(bind, scheme(index))}${reachText(bind)}`,
  }));
  for (const service of settings.services) {
    const hosts = service.hosts.includes("*") ? "every host" : service.hosts.join(", ");
    for (const pool of service.pools) {
      const origins = pool.origins.map((origin) => origin.url).join(" ");
      rows.push({ label: `service ${service.name}`, text: plain(`${hosts} → pool ${pool.name}: ${origins}`) });
    }
  }
  if (gateway.admin !== null)
    rows.push({ label: "admin", text: `${urlOf(gateway.admin)}  (dashboard, /metrics, /api/v1)` });
  if (settings.accessLog !== null) rows.push({ label: "access log", text: plain(settings.accessLog.path) });
  const source =
    from.kind === "file"
      ? ` with ${plain(from.file)}`
      : from.kind === "samples"
        ? " in front of bundled sample origins"
        : "";
  return [
    paint("bold", `Goodgate ${ports.version} serves${source}.`),
    "",
    ...labelled(rows, Math.max(pageWidth(ports.terminal), 100), (label) => paint("cyan", label)),
    "",
    paint("bold", "Try"),
    ...aligned(tries(from, here, commandName(ports.env), asking(gateway.admin))),
    "",
    paint("dim", from.kind === "samples" ? stopSamples(commandName(ports.env)) : stopText(settings)),
    "",
  ];
}

export function successorLine(from: StartedFrom, { version }: CliPorts): string {
  const source = from.kind === "file" ? ` with ${plain(from.file)}` : "";
  return `Goodgate ${version} serves${source}, in the place of the process before.`;
}

type Try = readonly [command: string, says: string];

/** `asks`: what finds the admin API; null: there is none, and nobody to ask. */
function tries(from: StartedFrom, here: string, command: string, asks: string | null): Try[] {
  if (asks === null) return [[`${here}/`, ""]];
  const last = `${command} explain --last${asks}`;
  const explain: Try = [last, "the story of the latest exchange that failed or was rescued"];
  if (from.kind !== "samples") return [[`${here}/`, ""], [`${command} status${asks}`, ""], explain];
  return [
    [`${here}/`, "an origin answers; ask again and another one does"],
    [`${here}/crash`, "origins drop the connection: see what a client gets"],
    [
      `${command} demo outage${asks}`,
      "one of the two providers fails for half a minute: watch it on the admin address",
    ],
    explain,
  ];
}

/** `trust`: whom curl is to believe. No certificate is for the bare address that a file's listener is shown by. */
function curlTo(bind: Bind, scheme: string, trust: string): string {
  return isUnix(bind.host)
    ? `curl -i${trust} --unix-socket ${bind.host.slice("unix:".length)} ${scheme}://localhost`
    : `curl -i${trust} ${urlOf(bind, scheme)}`;
}

function asking(admin: Bind | null): string | null {
  if (admin === null) return null;
  const url = urlOf(admin);
  return url === ADMIN_DEFAULT ? "" : ` --admin ${url}`;
}

function aligned(rows: readonly Try[]): string[] {
  const width = Math.max(...rows.map(([command]) => command.length));
  return rows.map(([command, says]) => `  ${command.padEnd(width)}  ${says}`.trimEnd());
}

function stopSamples(command: string): string {
  return `Your own origins:  ${command} proxy --to http://127.0.0.1:3000    Stop: Ctrl-C`;
}

function stopText(settings: Settings): string {
  return `Stop: Ctrl-C (what is under way gets up to ${durationText(settings.drainMs * 1000)} to finish)`;
}

/** How the reader gets to the same program again: in a fresh checkout there is no `goodgate` on the path, but there is npm. */
function commandName(env: CliPorts["env"]): string {
  return env["npm_lifecycle_event"] === "start" ? "npm start --" : "goodgate";
}

/** Whoever starts a gateway should not learn from others that they can reach it. */
function reachText(bind: Bind): string {
  if (bind.host === "0.0.0.0") return "  (and every other IPv4 address of this machine)";
  return bind.host === "::" ? "  (and every other address of this machine)" : "";
}

/** An address to open from this machine: a listener on all addresses is shown by the loopback one. */
export function urlOf(bind: Bind, scheme = "http"): string {
  if (isUnix(bind.host)) return bind.host;
  const host =
    bind.host === "0.0.0.0"
      ? "127.0.0.1"
      : bind.host === "::"
        ? "[::1]"
        : bind.host.includes(":")
          ? `[${bind.host}]`
          : bind.host;
  return `${scheme}://${host}:${bind.port}`;
}
