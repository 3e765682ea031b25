/** What a forked process says, and its end, which is told once and is the last that is heard of it. */
import type { ChildProcess } from "node:child_process";

/** `why`: the signal or the exit code, or why it could not be started. */
export function hearChild(
  child: ChildProcess,
  onMessage: (message: unknown) => void,
  onEnd: (why: string) => void,
): void {
  let isOver = false;
  const end = (why: string): void => {
    if (isOver) return;
    isOver = true;
    onEnd(why);
  };
  child.on("message", (message) => {
    if (!isOver) onMessage(message);
  });
  child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`));
  child.on("error", (error) => {
    // It could not be started at all, or a message could not be sent: then its end is told by itself.
    if (child.pid === undefined) end(error.message);
  });
}
