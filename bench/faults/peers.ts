/** The gateways of the fault bench, each with its configuration of bench/configs/faults.*. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild, type Child } from "../../test/support/child.ts";
import { freePort } from "../../test/support/free-port.ts";
import { fillTemplate } from "../fill-template.ts";
import { answers } from "../answers.ts";
import type { Origins } from "./origins.ts";

export const FAULT_PEERS = ["goodgate", "haproxy", "nginx"] as const;
export type FaultPeer = (typeof FAULT_PEERS)[number];

export interface RunningGateway {
  readonly port: number;
  readonly child: Child;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function startFaultPeer(peer: FaultPeer, folder: string, origins: Origins): Promise<RunningGateway> {
  const port = await freePort();
  const values = {
    FOLDER: folder,
    PORT: String(port),
    ADMIN: String(await freePort()),
    ORIGIN_A: String(origins.a.port),
    ORIGIN_B: String(origins.b.port),
    ORIGIN_C: String(origins.c.port),
  };
  const child = await startChild(...(await commandOf(peer, folder, values)), {
    cwd: folder,
    env: { XDG_STATE_HOME: folder },
  });
  await answers(child, port);
  return { port, child };
}

async function commandOf(
  peer: FaultPeer,
  folder: string,
  values: Readonly<Record<string, string>>,
): Promise<[string, string[]]> {
  switch (peer) {
    case "goodgate": {
      const config = await fillTemplate("faults.goodgate.yaml", folder, values);
      return [process.execPath, [join(ROOT, "bin/goodgate.js"), "run", "-c", config]];
    }
    case "haproxy":
      return ["haproxy", ["-db", "-f", await fillTemplate("faults.haproxy.cfg", folder, values)]];
    case "nginx":
      return ["nginx", ["-p", folder, "-c", await fillTemplate("faults.nginx.conf", folder, values)]];
  }
}
