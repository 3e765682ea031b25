/**
 * Waiting for a fact that no event announces (another process's state, seen by asking). Asks again every few
 * milliseconds; the bound is there so that a test that can never come true ends with words. It is so long that a
 * machine with much else to do keeps it.
 */
const ASK_EVERY_MS = 15;
const GIVE_UP_MS = 240_000;

/** The first answer of `ask` that is not null. `what` says what was waited for when it never comes. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | null> | T | null,
  giveUpMs = GIVE_UP_MS,
): Promise<T> {
  const deadline = performance.now() + giveUpMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${giveUpMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}
