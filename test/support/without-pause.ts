/**
 * Clients that connect without pause: each connects, asks once, hears the answer to its end and connects again at once,
 * so that at every moment one of them is on its way through the queue of a listening socket. What becomes of each
 * connection is counted by what its client can prove: `refused` ones were never accepted by anybody; `lost` ones were
 * made, by the kernel at least, and got no whole answer.
 */
import { connect } from "node:net";

export interface Comings {
  readonly answered: number;
  readonly refused: number;
  /** Why, and how often. */
  readonly lost: Readonly<Record<string, number>>;
}

export interface WithoutPause {
  /** Resolves when `count` more have been answered. */
  answered(count: number): Promise<void>;
  /** Those on their way come to their end. */
  stop(): Promise<Comings>;
}

const ASK = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

export function connectWithoutPause(port: number, clients: number): WithoutPause {
  let answered = 0;
  let refused = 0;
  const lost: Record<string, number> = {};
  const state = { isOver: false };
  let waits: { readonly until: number; readonly resolve: () => void }[] = [];

  async function one(): Promise<void> {
    while (!state.isOver) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other, without a pause.
      const came = await comeOnce(port);
      if (came === "answered") answered += 1;
      else if (came === "refused") refused += 1;
      else lost[came] = (lost[came] ?? 0) + 1;
      for (const { until, resolve } of waits) if (answered >= until) resolve();
      waits = waits.filter(({ until }) => answered < until);
    }
  }
  const all = Promise.all(Array.from({ length: clients }, one));
  return {
    answered: (count) => new Promise((resolve) => void waits.push({ until: answered + count, resolve })),
    async stop() {
      state.isOver = true;
      await all;
      return { answered, refused, lost };
    },
  };
}

/** `answered`, `refused`, or what became of the connection. */
function comeOnce(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    let error = "";
    let isMade = false;
    const socket = connect({ port, host: "127.0.0.1" }, () => (isMade = true));
    socket.setEncoding("latin1").on("data", (piece: string) => (text += piece));
    socket.on("error", (failed: NodeJS.ErrnoException) => (error = failed.code ?? failed.message));
    socket.on("close", () => {
      if (!isMade && error === "ECONNREFUSED") resolve("refused");
      else if (error !== "") resolve(`${error} after ${text.length} bytes`);
      else if (text.startsWith("HTTP/1.1 200 ") && text.endsWith("here")) resolve("answered");
      else resolve(text === "" ? "closed without a word" : (text.split("\r\n")[0] ?? ""));
    });
    socket.write(ASK);
  });
}
