/**
 * Files of Unix sockets that somebody removes while they are listened on (a cleaner of /tmp, a hand that slipped): the
 * socket is as good as before, and nobody can connect to it any more. That is told, and the next reload makes the file
 * again. Not by itself: whoever removed it may be about to put another in its place, and other servers leave it as well.
 */
import type { Schedule } from "../kernel/clock.ts";

const LOOK_MS = 5_000;

/** `gone`: the paths that are gone now. Until the returned function is called. */
export function watchSocketFiles(
  schedule: Schedule,
  gone: () => Promise<readonly string[]>,
  tell: (code: string, detail: string) => void,
): () => void {
  let told: readonly string[] = [];
  let isOver = false;
  let cancel = schedule(LOOK_MS, () => void look());

  async function look(): Promise<void> {
    const paths = await gone();
    if (isOver) return;
    for (const path of paths) {
      if (told.includes(path)) continue;
      tell(
        "listener.file-gone",
        `somebody removed ${path}, at which this gateway listens: nobody can connect there. A reload (SIGHUP, goodgate reload) makes it again`,
      );
    }
    told = paths;
    cancel = schedule(LOOK_MS, () => void look());
  }
  return () => {
    isOver = true;
    cancel();
  };
}
