/**
 * A port that answers no SYN: a listening process that is stopped, with its queue of new connections full.
 * To a client this is the same as a firewall that drops, and it needs no network beyond loopback.
 */
import { connect, type Socket } from "node:net";
import { startChild } from "./child.ts";
import { until } from "./until.ts";

export interface DeafListener {
  readonly url: string;
  stop(): Promise<void>;
}

const PROGRAM = `const s = require("node:net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log("port " + s.address().port))`;
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
    async stop(): Promise<void> {
      for (const filler of fillers) filler.destroy();
      await child.stop();
    },
  };
}
