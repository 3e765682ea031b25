/**
 * Ports for servers that must be told their port before they start. They come from below the system's
 * ephemeral range: a port from inside it could be taken as the source of any outgoing connection between
 * the moment it was found free and the moment the server binds it. For the same reason each of the test files
 * that run at once has a part of the range to itself, also for ports on which nobody is ever to listen.
 */
import { createServer } from "node:net";

const LOWEST = 10_240;
const HIGHEST = 32_000;
const TRIES = 200;

/** As many files at once have ports of their own; vitest numbers them from 1. Outside of it there is one part. */
const PARTS = 16;
const lane = process.env["VITEST_POOL_ID"];
const part = Math.floor((HIGHEST - LOWEST) / PARTS);
const [lowest, count] =
  lane === undefined ? [LOWEST, HIGHEST - LOWEST] : [LOWEST + (Number(lane) % PARTS) * part, part];

/** Ports handed out by this process, so that two servers of one test never get the same. */
const handedOut = new Set<number>();

/** A port on `host` that was free a moment ago and that this process has not handed out before. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const port = lowest + Math.floor(Math.random() * count);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await isFree(host, port)) return port;
  }
  throw new Error(`no free port on ${host} between ${lowest} and ${lowest + count} in ${TRIES} tries`);
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
