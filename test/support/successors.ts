/** A gateway that hands its place on to another process: which those were, and an end of all of them. */
import type { GatewayProcess } from "./gateway-process.ts";
import { isRunning } from "./worker-processes.ts";

/** In the order in which they began to serve. */
export function successors({ child }: GatewayProcess): number[] {
  return [...child.stderr().matchAll(/upgrade\.done: process (\d+) serves/g)].map(([, pid]) => Number(pid));
}

/** The successors write to the same pipes, and the end of the first is known by the end of these. */
export async function stopWithSuccessors(gateway: GatewayProcess): Promise<void> {
  for (const pid of successors(gateway)) if (isRunning(pid)) process.kill(pid, "SIGTERM");
  await gateway.stop();
}
