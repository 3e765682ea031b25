/** Waits until a server that has been started answers. */
import type { Child } from "../test/support/child.ts";
import { until } from "../test/support/until.ts";

/** Resolves when a GET through `port` is answered with 200; otherwise ends the child before it rejects. */
export async function answers(child: Child, port: number): Promise<void> {
  const answered = until(`an answer on port ${port}`, async () => {
    if (!child.running) throw new Error(`it ended while starting:\n${child.stderr()}${child.stdout()}`);
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/500`);
      await answer.arrayBuffer();
      return answer.status === 200 ? true : null;
    } catch {
      return null;
    }
  });
  await answered.catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
}
