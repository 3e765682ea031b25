/** One run of WebSocket clients against one peer, and what they count: messages that came back. */
import { fileURLToPath } from "node:url";
import { startChild, type Child } from "../test/support/child.ts";
import type { Row } from "./rows.ts";
import { LOAD_CORE } from "./wrk.ts";
import type { LoadReport } from "./wrk.ts";

const CLIENTS = fileURLToPath(new URL("socket-clients.ts", import.meta.url));
const ORIGIN = fileURLToPath(new URL("socket-origin.ts", import.meta.url));

/** Sends back what it gets. */
export async function startSocketOrigin(port: number): Promise<Child> {
  const child = await startChild("taskset", ["-c", LOAD_CORE, process.execPath, ORIGIN, String(port)]);
  await child.printed(/listening/);
  return child;
}

export async function runSockets(port: number, row: Row, seconds: number): Promise<LoadReport> {
  const child = await startChild("taskset", [
    "-c",
    LOAD_CORE,
    process.execPath,
    CLIENTS,
    `ws://127.0.0.1:${port}${row.path}`,
    String(row.connections),
    String(seconds),
  ]);
  const ending = await child.ending;
  const [, messages, errors] = /^(\d+) messages, (\d+) errors$/m.exec(child.stdout()) ?? [];
  if (ending.code !== 0 || messages === undefined) throw new Error(`the clients failed: ${child.stderr()}`);
  const exchanges = Number(messages);
  return { exchanges, perSecond: exchanges / seconds, socketErrors: Number(errors), badStatuses: 0 };
}
