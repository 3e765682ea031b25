import { causesWithin, happened, isServed, storiesOf } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

const DOWN_AT_MS = 5_000;
const UP_AT_MS = 25_000;
/** Checks look every two seconds; whoever was ejected is tried again at once. */
const BACK_WITHIN_MS = 5_000;

export const allFail: Scenario = {
  name: "all-fail",
  what: "Every origin is gone for twenty seconds: each request hears so at once, with a reason, and all goes on when they are back.",
  pools: { a: ["a1", "a2", "a3"] },
  play(world) {
    const chance = world.chance.fork("crashes");
    const began = world.clock.monotonic();
    for (const origin of world.origins) {
      world.at(DOWN_AT_MS + chance.between(0, 500), () => origin.crash(chance.happens(0.5) ? "fin" : "rst"));
      world.at(UP_AT_MS + chance.between(0, 500), () => origin.start());
    }
    world.addClients(5, { requests: 50, thinkMs: [100, 4_000] });
    return () => {
      const after = storiesOf(world, ({ sentAt }) => sentAt > began + UP_AT_MS + 500 + BACK_WITHIN_MS);
      const during = storiesOf(
        world,
        ({ sentAt }) => sentAt > began + DOWN_AT_MS + 600 && sentAt < began + UP_AT_MS - 1_000,
      );
      return [
        ...after
          .filter((story) => !isServed(story))
          .map(({ id, state, status }) => `#${id} ended ${state} ${status} though all were back`),
        ...during
          .filter(({ sentAt, endedAt }) => endedAt - sentAt > 3_000)
          .map(({ id }) => `#${id} waited for what could not come`),
        ...during
          .filter(({ state }) => state !== "answered")
          .map(({ id, state }) => `#${id} ended ${state} instead of an answer that says why`),
        ...causesWithin(world, [
          "origin.refused",
          "origin.keepalive_race",
          "origin.reset_before_response",
          "origin.truncated",
          "origin.truncated_unframed",
          "net.mid_reset",
          "origin.all_unhealthy",
        ]),
        ...happened("a request while all were gone", during.length, 20),
      ];
    };
  },
};
