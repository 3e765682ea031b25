/**
 * Several processes that run stretches of seeds at the same time. A run is deterministic and uses one core, so as many
 * of them as there are cores cost no more time than one.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { runStretch } from "./stretch.ts";
import type { Stretch, StretchResult } from "./stretch.ts";

/**
 * Runs all of them, `jobs` at a time, in their order; tells of each result as it comes. Ends early when `onResult`
 * returns false.
 */
export async function runStretches(
  stretches: readonly Stretch[],
  jobs: number,
  onResult: (stretch: Stretch, result: StretchResult) => boolean,
): Promise<void> {
  const left = stretches.toReversed();
  const stopped = Promise.withResolvers<void>();
  let goOn = true;
  const work = async (run: (stretch: Stretch) => Promise<StretchResult>): Promise<void> => {
    for (let next = left.pop(); goOn && next !== undefined; next = left.pop()) {
      // oxlint-disable-next-line no-await-in-loop -- One at a time in each process.
      const result = await run(next);
      if (!goOn) return;
      goOn = onResult(next, result);
      if (!goOn) stopped.resolve();
    }
  };
  if (jobs <= 1) {
    await work(runStretch);
    return;
  }
  const others = Array.from({ length: Math.min(jobs, stretches.length) }, () => fork(import.meta.filename));
  try {
    await Promise.race([stopped.promise, Promise.all(others.map((other) => work((stretch) => ask(other, stretch))))]);
  } finally {
    for (const other of others) other.kill();
  }
}

function ask(other: ChildProcess, stretch: Stretch): Promise<StretchResult> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a process ended with ${code ?? "a signal"}`));
    other.once("exit", onExit);
    other.once("message", (result) => {
      other.off("exit", onExit);
      // What the other process sends is what `runStretch` returned there.
      resolve(result as StretchResult);
    });
    other.send(stretch);
  });
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  process.on("message", (stretch) => void answer(stretch as Stretch));
}

async function answer(stretch: Stretch): Promise<void> {
  process.send?.(await runStretch(stretch));
}
