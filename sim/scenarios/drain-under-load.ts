import { happened, isServed, storiesOf } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

const DRAIN_AT_MS = 8_000;

export const drainUnderLoad: Scenario = {
  name: "drain-under-load",
  what: "The gateway stops in the middle of traffic: what it has taken it finishes, and what it has not nobody has run.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    for (const origin of world.origins) {
      origin.script = (_, chance) => ({
        delayMs: chance.spread(1, 3_000),
        gapMs: chance.between(0, 30),
        pieceBytes: 3_000,
      });
    }
    const began = world.clock.monotonic();
    world.at(DRAIN_AT_MS, () => void world.drain());
    const clients = world.addClients(10, { requests: 200, thinkMs: [10, 800], ahead: 3 });
    // Whoever finds the door closed gives up soon.
    world.at(DRAIN_AT_MS + 4_000, () => {
      for (const client of clients) client.stop();
    });
    return () => {
      const cut = storiesOf(world, (story) => story.state !== "answered");
      return [
        ...cut.filter(({ seenBy }) => seenBy.length > 0).map(({ id, state }) => `#${id} was begun and ended ${state}`),
        ...cut
          .filter(({ sentAt, ahead }) => ahead === 0 && sentAt < began + DRAIN_AT_MS - 50)
          .map(({ id, state }) => `#${id} was sent before the drain and ended ${state}`),
        ...storiesOf(world, (story) => story.state === "answered" && !isServed(story)).map(
          ({ id, status }) => `#${id} got ${status}`,
        ),
        ...happened(
          "a request under way",
          storiesOf(world, ({ sentAt, endedAt }) => sentAt < began + DRAIN_AT_MS && endedAt > began + DRAIN_AT_MS)
            .length,
          1,
        ),
      ];
    };
  },
};
