import { usualPlan } from "../client.ts";
import { causesWithin, happened, storiesOf } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

const FIRST_BYTE_MS = 2_000;
/** Three attempts at most, a way there and back for each, and the time that a client takes to send its body. */
const ANSWERED_WITHIN_MS = 3 * FIRST_BYTE_MS + 3_000;

export const hungOrigin: Scenario = {
  name: "hung-origin",
  what: "Origins take requests and say nothing more, some after asking for the body: nobody waits longer than the limits say.",
  pools: { a: ["a1", "a2", "a3"] },
  service: { routes: [{ timeouts: { firstByte: `${FIRST_BYTE_MS}ms`, gap: `${FIRST_BYTE_MS}ms` } }] },
  play(world) {
    let hung = 0;
    for (const origin of world.origins) {
      origin.script = (_, chance) => {
        if (!chance.happens(0.3)) return {};
        hung += 1;
        // Not a byte, or a part of the head.
        return { breakAfter: chance.happens(0.7) ? 0 : 20, breakHow: "stall" };
      };
    }
    world.addClients(6, {
      requests: 40,
      thinkMs: [10, 1_500],
      plan: (chance) => {
        const plan = usualPlan(chance);
        const bodyBytes = Math.min(plan.bodyBytes, 20_000);
        return {
          ...plan,
          bodyBytes,
          answerBytes: Math.min(plan.answerBytes, 20_000),
          expectContinue: bodyBytes > 0 && chance.happens(0.5),
        };
      },
    });
    return () => [
      ...storiesOf(world, ({ sentAt, endedAt }) => endedAt - sentAt > ANSWERED_WITHIN_MS).map(
        ({ id, sentAt, endedAt }) => `#${id} was waited for ${Math.round(endedAt - sentAt)} ms`,
      ),
      ...causesWithin(world, ["origin.ttfb_timeout", "origin.stall_mid_body", "net.half_open", "origin.all_unhealthy"]),
      ...happened("an origin hung", hung, 20),
    ];
  },
};
