/** `--watch`: a command shows the same again and again, in place, until the person asks to stop. */
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import type { CliPorts } from "./ports.ts";

const WATCH_MS = 2000;
/** Home, then clear to the end of the screen: redraws in place and leaves what scrolled away alone. */
const REDRAW = "\u001b[H\u001b[J";

export interface WatchOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

/**
 * Shows once, or with `watch` until Ctrl-C. `redraw` is to be printed first: empty where nothing is drawn in place. A
 * watcher outlives a gateway that restarts, so an answer that failed is shown and asked for again.
 */
export async function watched(
  ports: CliPorts,
  options: WatchOptions,
  show: (redraw: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  const isWatching = options.watch === true;
  const redraw = isWatching && ports.terminal.isTerminal && options.json !== true ? REDRAW : "";
  // A wait of no length: from it on Ctrl-C is heard, also while the gateway is being asked.
  if (isWatching) await ports.pause(0);
  for (;;) {
    const code = await show(redraw);
    if (!isWatching) return code;
    if (!(await ports.pause(WATCH_MS))) return EXIT.ok;
  }
}
