import { causesWithin, happened, isServed, storiesOf } from "../expectations.ts";
import type { Scenario } from "../scenario.ts";

export const doubtfulOrigin: Scenario = {
  name: "doubtful-origin",
  what: "Bytes follow behind responses, and connections are closed without a word: no response ever becomes another's.",
  pools: { a: ["a1", "a2"] },
  play(world) {
    let extra = 0;
    for (const origin of world.origins) {
      origin.doubtMs = 100;
      origin.script = (asked, chance) => {
        if (asked.answerFraming === "close") return {};
        if (chance.happens(0.2)) {
          extra += 1;
          return { extraBytes: chance.integer(1, 300), closes: chance.happens(0.3) };
        }
        return { closes: chance.happens(0.1), status: chance.happens(0.05) ? 503 : 200 };
      };
    }
    world.addClients(5, { requests: 50, thinkMs: [5, 400] });
    return () => [
      // What comes late, when the connection is in use again, stands where the next response should.
      ...storiesOf(
        world,
        (story) =>
          !isServed(story) && story.status !== 503 && story.proxyStatus !== "goodgate; error=http_protocol_error",
      ).map(({ id, state, status }) => `#${id} ended ${state} ${status}`),
      ...causesWithin(world, ["origin.app_5xx", "origin.malformed"]),
      ...happened("a response with more behind it", extra, 10),
    ];
  },
};
