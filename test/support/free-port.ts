/**
 * Ports for servers that must be told their port before they start. They come from below the system's
 * ephemeral range: a port from inside it could be taken as the source of any outgoing connection between
 * the moment it was found free and the moment the server binds it. For the same reason each process that asks has a part
 * of the range to itself for as long as it lives, also for ports on which nobody is ever to listen. It holds that part by
 * listening on its first port: so no two have the same, of whichever run they are, and one that dies leaves nothing behind.
 */
import { createServer } from "node:net";
import type { Server } from "node:net";

const LOWEST = 10_240;
const HIGHEST = 32_000;
/** More than there are processes of all runs that a machine can bear; each has some hundreds of ports. */
const PARTS = 64;
const PART_PORTS = Math.floor((HIGHEST - LOWEST) / PARTS);
const LOOPBACK = "127.0.0.1";

/** What is left of this process's part, in the order in which it is handed out; found when the first is asked for. */
let left: Promise<number[]> | null = null;

/** A port on `host` that was free a moment ago and that nobody else is given. */
export async function freePort(host = LOOPBACK): Promise<number> {
  left ??= takePart();
  const ports = await left;
  for (let port = ports.pop(); port !== undefined; port = ports.pop()) {
    const server = await listening(host, port);
    if (server === null) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error(`no port is left on ${host} of the ${PART_PORTS} that one process has`);
}

async function takePart(): Promise<number[]> {
  const first = Math.floor(Math.random() * PARTS);
  for (let tried = 0; tried < PARTS; tried += 1) {
    const lowest = LOWEST + ((first + tried) % PARTS) * PART_PORTS;
    const holder = await listening(LOOPBACK, lowest);
    if (holder === null) continue;
    holder.unref();
    // In a random order: who had this part before may have left somebody behind who goes on knocking.
    const order = Array.from({ length: PART_PORTS - 1 }, (_, index) => [Math.random(), lowest + 1 + index] as const);
    return order.toSorted(([one], [other]) => one - other).map(([, port]) => port);
  }
  throw new Error(`all ${PARTS} parts of the ports from ${LOWEST} to ${HIGHEST} are taken`);
}

/** Null: somebody has it. */
function listening(host: string, port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(null));
    server.listen(port, host, () => resolve(server));
  });
}
