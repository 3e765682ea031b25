/** What a gateway says when it has started: what runs where, three things to try, how to stop. Short, because it is read once. */
import type { Bind, Settings } from "../config/settings.ts";
import { countText } from "../contract/quantities.ts";
import { labelled, pageWidth, plain } from "./page.ts";
import type { CliPorts, RunningGateway } from "./ports.ts";

/** Where the settings came from: it decides what is worth trying first, and what to change when a port is taken. */
export type StartedFrom = { readonly kind: "file"; readonly file: string } | { readonly kind: "proxy" } | { readonly kind: "samples" };

export function startLines(settings: Settings, gateway: RunningGateway, from: StartedFrom, ports: CliPorts): string[] {
  const { paint } = ports.terminal;
  const first = gateway.listeners[0];
  const here = first === undefined ? "" : urlOf(first);
  const rows = gateway.listeners.map((bind) => ({ label: "listening", text: urlOf(bind) }));
  for (const service of settings.services) {
    const hosts = service.hosts.includes("*") ? "every host" : service.hosts.join(", ");
    for (const pool of service.pools) {
      const origins = pool.origins.map((origin) => origin.url).join(" ");
      rows.push({ label: `service ${service.name}`, text: plain(`${hosts} → pool ${pool.name}: ${origins}`) });
    }
  }
  if (gateway.admin !== null) rows.push({ label: "admin", text: `${urlOf(gateway.admin)}  (status page, /metrics, /api/v1)` });
  if (settings.accessLog !== null) rows.push({ label: "access log", text: plain(settings.accessLog.path) });
  const source = from.kind === "file" ? ` with ${plain(from.file)}` : from.kind === "samples" ? " in front of bundled sample origins" : "";
  return [
    paint("bold", `Goodgate ${ports.version} serves${source}.`),
    "",
    ...labelled(rows, Math.max(pageWidth(ports.terminal), 100), (label) => paint("cyan", label)),
    "",
    paint("bold", "Try"),
    ...tries(from, here).map((line) => `  ${line}`),
    "",
    from.kind === "samples"
      ? paint("dim", "Your own origins:  goodgate proxy --to http://127.0.0.1:3000    Stop: Ctrl-C")
      : paint("dim", `Stop: Ctrl-C (requests under way get up to ${countText(Math.round(settings.drainMs / 1000), "second")} to finish)`),
    "",
  ];
}

function tries(from: StartedFrom, here: string): string[] {
  if (from.kind === "samples") {
    return [
      `curl -i ${here}/            an origin answers; ask again and another one does`,
      `curl -i ${here}/crash       an origin drops the connection: see what the client gets`,
      `goodgate explain --last${" ".repeat(Math.max(1, here.length - 5))}and why: the story of that exchange`,
    ];
  }
  return [`curl -i ${here}/`, "goodgate status", "goodgate explain --last    the latest exchange that failed or was rescued"];
}

/** An address to open from this machine: a listener on all addresses is shown by the loopback one. */
function urlOf(bind: Bind): string {
  const host = bind.host === "0.0.0.0" ? "127.0.0.1" : bind.host === "::" ? "[::1]" : bind.host.includes(":") ? `[${bind.host}]` : bind.host;
  return `http://${host}:${bind.port}`;
}
