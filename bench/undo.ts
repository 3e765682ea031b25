/**
 * What a benchmark starts, it ends: servers, load, files, in the reverse order, whether the work succeeds, fails or
 * is interrupted by Ctrl-C.
 */
export type Undo = (step: () => Promise<unknown>) => void;

const EXIT_INTERRUPTED = 130;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Runs `work`, which names the way back of each thing as soon as it has made it. */
export async function withUndo<T>(work: (undo: Undo) => Promise<T>): Promise<T> {
  const steps: (() => Promise<unknown>)[] = [];
  let interrupted = false;
  const undoAll = async (): Promise<void> => {
    for (const step of steps.splice(0).toReversed()) await step();
  };
  const interrupt = (): void => {
    // Once is enough, whichever of them comes.
    leave();
    interrupted = true;
    void undoAll().finally(() => process.exit(EXIT_INTERRUPTED));
  };
  const leave = (): void => SIGNALS.forEach((signal) => void process.off(signal, interrupt));
  SIGNALS.forEach((signal) => void process.on(signal, interrupt));
  try {
    return await work((step) => steps.push(step));
  } catch (error) {
    // Ending what the work was waiting for makes it fail; the exit is under way and says what happened.
    if (interrupted) return await new Promise<never>(() => {});
    throw error;
  } finally {
    await undoAll();
    leave();
  }
}
