/**
 * Open-loop load: requests leave at their scheduled times whether or not earlier ones were answered, as
 * clients on the internet do. A closed loop would slow down with the gateway and hide what a stall costs.
 */
import { Agent, request } from "node:http";

export interface LoadOptions {
  readonly port: number;
  readonly path: string;
  readonly ratePerSecond: number;
  readonly method?: string;
  readonly body?: string;
  /** A connection for each request; otherwise they are kept. */
  readonly newConnections?: boolean;
}

export interface LoadResult {
  readonly sent: number;
  /** Complete responses by status. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Requests without a complete response, by error code. */
  readonly byError: Readonly<Record<string, number>>;
}

export interface Load {
  /** Resolves when `count` more requests have been answered or have failed. */
  completed(count: number): Promise<void>;
  /** Requests that were begun and are neither answered nor failed. */
  readonly underWay: number;
  /** Sends no more, waits for those on the way, and reports. */
  stop(): Promise<LoadResult>;
}

/** How often the schedule is looked at; every request that is due by then leaves. */
const TICK_MS = 5;

export function startLoad(options: LoadOptions): Load {
  const agent = new Agent({ keepAlive: options.newConnections !== true, maxSockets: Infinity, maxFreeSockets: 64 });
  const startedAt = performance.now();
  const byStatus: Record<string, number> = {};
  const byError: Record<string, number> = {};
  let sent = 0;
  let done = 0;
  let waits: { target: number; resolve: () => void }[] = [];

  function finished(counts: Record<string, number>, key: string): void {
    counts[key] = (counts[key] ?? 0) + 1;
    done += 1;
    const ready = waits.filter((wait) => done >= wait.target);
    waits = waits.filter((wait) => done < wait.target);
    for (const wait of ready) wait.resolve();
  }
  function whenDone(target: number): Promise<void> {
    if (done >= target) return Promise.resolve();
    return new Promise((resolve) => waits.push({ target, resolve }));
  }
  function send(): void {
    sent += 1;
    // One request has one end: an abort raises both `close` and `error`, and counts once.
    let over = false;
    const end = (counts: Record<string, number>, key: string): void => {
      if (over) return;
      over = true;
      finished(counts, key);
    };
    const outgoing = request(
      { host: "127.0.0.1", port: options.port, path: options.path, method: options.method ?? "GET", agent },
      (response) => {
        response.resume();
        response.on("close", () => {
          if (response.complete) end(byStatus, String(response.statusCode));
          else end(byError, "incomplete");
        });
        response.on("error", () => {});
      },
    );
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      end(byError, error.code ?? error.message);
    });
    outgoing.end(options.body);
  }
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * options.ratePerSecond);
    while (sent < due) send();
  }, TICK_MS);

  return {
    completed: (count) => whenDone(done + count),
    get underWay(): number {
      return sent - done;
    },
    async stop(): Promise<LoadResult> {
      clearInterval(timer);
      await whenDone(sent);
      agent.destroy();
      return { sent, byStatus, byError };
    },
  };
}
