/**
 * `goodgate status`: the gateway in one sentence, then services and origins with the reason for their
 * state. The same words as the dashboard, because both only lay out what the view says.
 */
import { hostPort } from "../kernel/ip-text.ts";
import type { OriginsResponse, StatusResponse } from "../contract/api-responses.ts";
import type { IncidentsResponse } from "../contract/control-responses.ts";
import type { Incident } from "../contract/incident.ts";
import { countText, durationText, sizeText } from "../contract/quantities.ts";
import type { OriginAddressView, OriginView, ProcessView, ServiceStatusView } from "../contract/view.ts";
import { heldInWords, roomInWords } from "../contract/room-words.ts";
import { revisionLine } from "./config-command.ts";
import { complain, sayJson } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import type { Asked } from "./gateway-client.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import type { TableCell } from "./page.ts";
import { pageWidth, plain, table, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";
import { watched } from "./watch.ts";

export interface StatusOptions {
  readonly watch?: boolean;
  readonly admin?: string;
  readonly json?: boolean;
}

export async function statusCommand(ports: CliPorts, options: StatusOptions): Promise<ExitCode> {
  const json = options.json === true;
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  return watched(ports, options, async (redraw) => show(ports, await ask(ports, base.value), json, redraw));
}

interface Answer {
  readonly status: StatusResponse;
  readonly origins: readonly OriginView[];
  /** Those that go on; null: the control process does not say. */
  readonly incidents: readonly Incident[] | null;
}

async function ask(ports: CliPorts, base: string): Promise<Asked<Answer>> {
  const status = await askGateway<StatusResponse>(ports, base, "/status", (answer) =>
    Array.isArray(answer["services"]),
  );
  if (!status.ok) return status;
  const origins = await askGateway<OriginsResponse>(ports, base, "/origins", (answer) =>
    Array.isArray(answer["origins"]),
  );
  if (!origins.ok) return origins;
  const incidents = await askGateway<IncidentsResponse>(ports, base, "/incidents?state=open", (answer) =>
    Array.isArray(answer["incidents"]),
  );
  return {
    ok: true,
    value: {
      status: status.value,
      origins: origins.value.origins,
      incidents: incidents.ok ? incidents.value.incidents : null,
    },
  };
}

function show(ports: CliPorts, asked: Asked<Answer>, json: boolean, redraw: string): ExitCode {
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else ports.stdout(`${redraw}${statusLines(asked.value, ports.terminal).join("\n")}\n`);
  const troubled = asked.value.status.services.some(
    (service) => service.state === "down" || service.state === "failing open",
  );
  return troubled ? EXIT.no : EXIT.ok;
}

function statusLines({ status, origins, incidents }: Answer, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const uptime = durationText(status.process.uptimeSeconds * 1e6);
  const lines = [
    ...wrap(plain(status.sentence), width).map((line) => paint("bold", line)),
    paint(
      "dim",
      `Goodgate ${plain(status.version)}, up ${uptime} · ${countText(status.connections, "client connection")}, ` +
        `${countText(status.exchangesActive, "exchange")} under way, ${status.exchangesTotal} in all`,
    ),
    paint("dim", processText(status.process)),
    ...workerLines(status, terminal, width),
    ...controlLines(status, terminal, width),
    ...incidentLines(incidents ?? [], status.now, terminal, width),
    ...configLines(status, terminal, width),
    paint(
      "dim",
      `listening on ${status.listeners.map((listener) => hostPort(listener.address, listener.port)).join(", ")}`,
    ),
  ];
  for (const service of status.services) {
    const own = origins.filter((origin) => origin.service === service.name);
    lines.push("", ...serviceLines(service, own, status.now, terminal, width));
  }
  return lines;
}

/** That it runs by the file it was started with needs no words. */
function configLines({ configuration }: StatusResponse, { paint }: Terminal, width: number): string[] {
  if (configuration === null) return [];
  const { revision, lastOk, lastProblem } = configuration;
  const lines = revision.number === 1 ? [] : [paint("dim", plain(revisionLine(revision)))];
  if (lastOk) return lines;
  const refused = `the last change of the configuration was refused: ${lastProblem}`;
  return [...lines, ...wrap(plain(refused), width).map((line) => paint("yellow", line))];
}

/** One that runs needs no words. */
function controlLines({ control, now }: StatusResponse, { paint }: Terminal, width: number): string[] {
  const { state, because, heardAt, factsLost } = control;
  const lost = factsLost === 0 ? "" : `; ${countText(factsLost, "fact")} lost so far`;
  if (state === "running" && factsLost === 0) return [];
  if (state === "running") return [paint("dim", `control process runs${lost}`)];
  if (state === "off") return [paint("dim", "control process switched off: no incidents, no history")];
  const heard = heardAt === null ? "" : `, last heard ${durationText((now - heardAt) * 1000)} ago`;
  const text = `control process ${state}${heard}: ${because}${lost}. Serving goes on; incidents and figures are stale.`;
  return wrap(plain(text), width).map((line) => (state === "starting" ? paint("dim", line) : paint("yellow", line)));
}

/** One line for each process that serves, where there are several. */
function workerLines({ workers, now }: StatusResponse, { paint }: Terminal, width: number): string[] {
  return workers.flatMap((one) => {
    const since = durationText(Math.max(0, now - one.since) * 1000);
    const process =
      one.pid === 0
        ? ""
        : ` · process ${one.pid}, ${countText(one.connections, "connection")}, ${sizeText(one.residentBytes)} resident, loop delay ${durationText(one.loopDelayP99Ms * 1000)} at p99`;
    const again = one.restarts === 0 ? "" : ` · started again ${countText(one.restarts, "time")}`;
    const why = one.because === "" || one.state === "serving" ? "" : `: ${one.because}`;
    const text = `worker ${one.worker} ${one.state} for ${since}${why}${process} · ${countText(one.exchanges, "exchange")}${again}`;
    return wrap(plain(text), width).map((line) =>
      one.state === "serving" ? paint("dim", line) : paint(one.state === "crashing" ? "red" : "yellow", line),
    );
  });
}

function incidentLines(incidents: readonly Incident[], now: number, { paint }: Terminal, width: number): string[] {
  return incidents.flatMap(({ id, title, severity, firstFailureAt }) => {
    const since = durationText(Math.max(0, now - firstFailureAt) * 1000);
    const text = `${severity}: ${title}, for ${since}; goodgate incidents ${id}`;
    return wrap(plain(text), width).map((line) => paint(severity === "critical" ? "red" : "yellow", line));
  });
}

/** What a system does not tell is -1 and is left out. */
function processText(process: ProcessView): string {
  const parts = [`${sizeText(process.residentBytes)} resident`];
  if (process.descriptorsOpen >= 0) {
    const most = process.descriptorsMax >= 0 ? ` of ${process.descriptorsMax}` : "";
    parts.push(`${process.descriptorsOpen}${most} descriptors`);
  }
  parts.push(`loop delay p99 ${durationText(process.loopDelayP99Ms * 1000)}`);
  return parts.join(" · ");
}

/** "2/2" alone would read as well where origins that are out are used because too many are. */
function usedAllTheSame(
  { name, available, origins: count, share }: ServiceStatusView["pools"][number],
  origins: readonly OriginView[],
): string {
  const well = origins.filter(
    ({ pool, addresses }) => pool === name && addresses.some(({ state }) => state === "up" || state === "ramping"),
  ).length;
  return share > 0 && available > well ? `, used although ${count - well} of ${count} are out` : "";
}

function serviceLines(
  service: ServiceStatusView,
  origins: readonly OriginView[],
  now: number,
  terminal: Terminal,
  width: number,
): string[] {
  const { paint } = terminal;
  const pools = service.pools.map(
    (pool) =>
      `${pool.name} ${pool.available}/${pool.origins}${pool.name === service.pool ? " (first)" : ""}${sharePart(pool.share)}${service.state === "failing open" ? usedAllTheSame(pool, origins) : ""}`,
  );
  const lines = [
    `${paint("bold", `service ${plain(service.name)}`)}  ${paint(SERVICE_STYLES[service.state], service.state)}  ` +
      `hosts ${plain(service.hosts.join(", "))}  pools ${plain(pools.join(" → "))}`,
  ];
  if (service.because !== "") lines.push(...wrap(plain(service.because), width - 2).map((line) => `  ${line}`));
  const room = roomInWords(service);
  if (room !== "") lines.push(`  ${room}`);
  const rows: TableCell[][] = [];
  const remarks: string[] = [];
  for (const origin of origins) {
    if (origin.resolution !== "") remarks.push(`${origin.origin}: ${origin.resolution}`);
    if (origin.addresses.length === 0)
      rows.push([cell(origin.pool), cell(origin.origin), { text: "no address", paint: (text) => paint("red", text) }]);
    for (const address of origin.addresses) {
      rows.push(originRow(origin, address, now, terminal));
      if (address.state !== "up" && address.because !== "")
        remarks.push(`${address.address} is ${address.state}: ${address.because}`);
      if (address.breakers !== "") remarks.push(`${address.address}: ${address.breakers}`);
      if (address.disagreement !== "") remarks.push(`${address.address}: ${address.disagreement}`);
    }
  }
  const head = ["pool", "origin", "state", "for", "held", "in flight", "conns", "latency", "attempts", "failed"];
  if (rows.length > 0) lines.push(...table(head, rows, (text) => paint("dim", text)));
  lines.push(
    ...remarks.flatMap((remark) =>
      wrap(plain(remark), width - 4).map((line, index) => (index === 0 ? `  - ${line}` : `    ${line}`)),
    ),
  );
  return lines;
}

function sharePart(share: number): string {
  return share > 0 && share < 1 ? ` ${share < 0.01 ? (share * 100).toFixed(1) : Math.round(share * 100)} %` : "";
}

function originRow(origin: OriginView, address: OriginAddressView, now: number, terminal: Terminal): TableCell[] {
  const share = address.share < 1 && address.state === "ramping" ? ` ${Math.round(address.share * 100)} %` : "";
  const name = origin.origin.endsWith(`//${address.address}`) ? origin.origin : `${origin.origin} (${address.address})`;
  return [
    cell(origin.pool),
    cell(name),
    { text: `${address.state}${share}`, paint: (text) => terminal.paint(ADDRESS_STYLES[address.state], text) },
    cell(durationText(Math.max(0, now - address.since) * 1000)),
    cell(heldInWords(address)),
    cell(String(address.inFlight)),
    cell(`${address.connectionsOpen} (${address.connectionsIdle} idle)`),
    cell(address.attempts === 0 ? "–" : durationText(address.latencyMs * 1000)),
    cell(String(address.attempts)),
    cell(String(address.failures)),
  ];
}

function cell(text: string): TableCell {
  return { text: plain(text) };
}

const SERVICE_STYLES: Readonly<Record<ServiceStatusView["state"], PaintStyle>> = {
  healthy: "green",
  degraded: "yellow",
  "failing open": "red",
  down: "red",
};

const ADDRESS_STYLES: Readonly<Record<OriginAddressView["state"], PaintStyle>> = {
  up: "green",
  down: "red",
  ejected: "red",
  probation: "yellow",
  ramping: "yellow",
  drained: "yellow",
};
