/**
 * The peers: how each is started, alone on core 0, in front of the same origin. Their configurations are in
 * bench/configs/, as their users write them; all have one thread, keep connections to the origin, and write
 * an access log to a file or none at all.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild, type Child } from "../test/support/child.ts";
import { freePort } from "../test/support/free-port.ts";
import { answers } from "./answers.ts";
import { fillTemplate } from "./fill-template.ts";

export const PEER_NAMES = ["goodgate", "haproxy", "nginx", "caddy", "node-http"] as const;
export type PeerName = (typeof PEER_NAMES)[number];

export interface Bed {
  /** For configurations, logs and temporary files. */
  readonly folder: string;
  readonly originPorts: readonly [number, number];
  /** Of the origins of calls (HTTP/2) and of WebSockets. */
  readonly callsPort: number;
  readonly socketsPort: number;
  readonly accessLog: boolean;
}

/** Ports that were free a moment ago. */
export async function originPorts(): Promise<Pick<Bed, "originPorts" | "callsPort" | "socketsPort">> {
  const [first, second] = [await freePort(), await freePort()];
  return { originPorts: [first, second], callsPort: await freePort(), socketsPort: await freePort() };
}

export interface RunningPeer {
  readonly name: PeerName;
  readonly port: number;
  /** Where it speaks HTTP/2 without TLS; 0: nowhere. */
  readonly http2Port: number;
  /** 0: it speaks no TLS here. */
  readonly tlsPort: number;
  /** Goodgate's admin port; 0 for the others. */
  readonly adminPort: number;
  readonly child: Child;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PEER_CORE = "0";

/** The version of an installed peer, or null. */
export function versionOf(name: PeerName): string | null {
  switch (name) {
    case "goodgate":
      return `${match(readFileSync(join(ROOT, "package.json"), "utf8"), /"version": "([^"]+)"/)} on Node ${process.versions.node}`;
    case "node-http":
      return `Node ${process.versions.node}`;
    case "haproxy":
      return match(said("haproxy", "-v"), /version (\S+)/);
    case "nginx":
      return match(said("sh", "-c", "nginx -v 2>&1"), /nginx\/(\S+)/);
    case "caddy":
      return match(said("caddy", "version"), /(\d[\w.-]*)/);
  }
}

export async function startOrigin(bed: Bed): Promise<Child> {
  const config = await fill("origin.nginx.conf", bed, {});
  const child = await startChild("taskset", ["-c", "1", "nginx", "-p", bed.folder, "-c", config]);
  await answers(child, bed.originPorts[0]);
  return child;
}

/** Starts one peer and waits until it forwards. */
export async function startPeer(name: PeerName, bed: Bed): Promise<RunningPeer> {
  const port = await freePort();
  const adminPort = name === "goodgate" ? await freePort() : 0;
  const http2Port = name === "node-http" ? 0 : name === "goodgate" ? port : await freePort();
  const tlsPort = name === "node-http" ? 0 : await freePort();
  const values = {
    PORT: String(port),
    STREAMS_PORT: String(http2Port),
    TLS_PORT: String(tlsPort),
    ADMIN: String(adminPort),
  };
  const [command, env] = await commandOf(name, bed, values, port);
  const child = await startChild("taskset", ["-c", PEER_CORE, ...command], { cwd: bed.folder, env });
  await answers(child, port);
  return { name, port, http2Port, tlsPort, adminPort, child };
}

async function commandOf(
  name: PeerName,
  bed: Bed,
  values: Record<string, string>,
  port: number,
): Promise<[string[], Record<string, string>]> {
  switch (name) {
    case "goodgate":
      return [
        [process.execPath, join(ROOT, "bin/goodgate.js"), "run", "-c", await fill("goodgate.yaml", bed, values)],
        {},
      ];
    case "haproxy": {
      const config = await fill("haproxy.cfg", bed, values);
      // The shell is replaced by HAProxy; it only opens the file that standard output goes to.
      return [["sh", "-c", `exec haproxy -db -f "$0" > "$1"`, config, join(bed.folder, "haproxy.access.log")], {}];
    }
    case "nginx":
      return [["nginx", "-p", bed.folder, "-c", await fill("nginx.conf", bed, values)], {}];
    case "caddy":
      return [
        ["caddy", "run", "--adapter", "caddyfile", "--config", await fill("Caddyfile", bed, values)],
        { GOMAXPROCS: "1", XDG_DATA_HOME: bed.folder, XDG_CONFIG_HOME: bed.folder },
      ];
    case "node-http":
      return [
        [process.execPath, join(ROOT, "bench/node-http-proxy.ts"), String(port), ...bed.originPorts.map(String)],
        {},
      ];
  }
}

/** Writes a template with its values filled in, and returns where. */
function fill(template: string, bed: Bed, values: Record<string, string>): Promise<string> {
  const log = (name: string): string => join(bed.folder, `${name}.access.log`);
  return fillTemplate(template, bed.folder, {
    FOLDER: bed.folder,
    ORIGIN_A: String(bed.originPorts[0]),
    ORIGIN_B: String(bed.originPorts[1]),
    ORIGIN_CALLS: String(bed.callsPort),
    ORIGIN_SOCKETS: String(bed.socketsPort),
    GOODGATE_LOG: bed.accessLog ? JSON.stringify(log("goodgate")) : "false",
    HAPROXY_LOG: bed.accessLog ? "log stdout format raw daemon" : "",
    HAPROXY_OPTION_LOG: bed.accessLog ? "log global\n  option httplog" : "",
    NGINX_LOG: bed.accessLog ? `${log("nginx")} combined buffer=64k flush=1s` : "off",
    CADDY_LOG: bed.accessLog ? `log {\n\t\toutput file ${log("caddy")}\n\t}` : "",
    ...values,
  });
}

function said(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

function match(text: string, pattern: RegExp): string | null {
  return pattern.exec(text)?.[1] ?? null;
}
