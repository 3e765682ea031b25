/**
 * Ports for servers that must be told their port before they start. They come from below the system's
 * ephemeral range: a port from inside it could be taken as the source of any outgoing connection between
 * the moment it was found free and the moment the server binds it.
 */
import { createServer } from "node:net";

const LOWEST = 10_240;
const HIGHEST = 32_000;
const TRIES = 200;

/** Ports handed out by this process, so that two servers of one test never get the same. */
const handedOut = new Set<number>();

/** A port on `host` that was free a moment ago and that this process has not handed out before. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFree(host, port)) return port;
  }
  throw new Error(`no free port on ${host} between ${LOWEST} and ${HIGHEST} in ${TRIES} tries`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
