/**
 * A port that answers no SYN: a listening process that is stopped, with its queue of new connections full.
 * To a client this is the same as a firewall that drops, and it needs no network beyond loopback.
 */
import { connect, type Socket } from "node:net";
import { startChild } from "./child.ts";
import { until } from "./until.ts";

export interface DeafListener {
  readonly url: string;
  /** Takes what has connected, once, and is deaf again: as many of those who go on knocking get through. */
  acceptOnce(): Promise<void>;
  stop(): Promise<void>;
}

/** It stops itself with the second: stopped from outside it would have taken some more, as many as the machine is fast. */
const PROGRAM = `
  let n = 0;
  const server = require("node:net").createServer(() => {
    n += 1;
    console.log("accepted " + n);
    if (n === 2) process.kill(process.pid, "SIGSTOP");
  });
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log("port " + server.address().port));
`;
/** With a backlog of 1 the kernel queues two; everything after that goes unanswered. */
const FILLERS = 4;

export async function deafListener(): Promise<DeafListener> {
  const child = await startChild(process.execPath, ["-e", PROGRAM]);
  const port = Number((await child.printed(/port (\d+)/))[1]);
  child.signal("SIGSTOP");
  const fillers: Socket[] = [];
  let connected = 0;
  for (let i = 0; i < FILLERS; i += 1) {
    const filler = connect(port, "127.0.0.1", () => {
      connected += 1;
    });
    filler.on("error", () => {});
    fillers.push(filler);
  }
  await until("the queue to be full", () => (connected >= 2 ? true : null));
  return {
    url: `http://127.0.0.1:${port}`,
    async acceptOnce(): Promise<void> {
      // Those that were never heard give way, so that what gets through is somebody else's.
      for (const filler of fillers) if (filler.connecting) filler.destroy();
      child.signal("SIGCONT");
      await child.printed(/accepted 2/);
    },
    async stop(): Promise<void> {
      for (const filler of fillers) filler.destroy();
      await child.stop();
    },
  };
}
