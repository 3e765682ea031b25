import fc from "fast-check";
import { expect, test } from "vitest";
import type { Priority } from "./priority.ts";
import { OUT_OF_ORDER, SendOrder } from "./send-order.ts";

interface Stream {
  readonly id: number;
  closed: boolean;
  sendWindow: number;
  priority: Priority | null;
  /** Frames that it has to send. */
  left: number;
}

const stream = (id: number, left: number, urgency = -1, incremental = false): Stream => {
  return { id, closed: false, sendWindow: 1, priority: urgency === -1 ? null : { urgency, incremental }, left };
};

/** The ids of the frames, in the order in which they leave. */
function send(streams: readonly Stream[], frames = Infinity): number[] {
  const order = new SendOrder<Stream>();
  for (const one of streams) order.add(one);
  const sent: number[] = [];
  while (sent.length < frames) {
    const one = order.take();
    if (one === null) break;
    sent.push(one.id);
    one.left -= 1;
    if (one.left > 0) order.add(one);
  }
  return sent;
}

test("streams of a client that says nothing take turns", () => {
  expect(send([stream(1, 3), stream(3, 2), stream(5, 1)])).toEqual([1, 3, 5, 1, 3, 1]);
});

test("the more urgent goes first, whatever it waited", () => {
  expect(send([stream(1, 2, 5), stream(3, 2), stream(5, 2, 0)])).toEqual([5, 5, 3, 3, 1, 1]);
});

test("of those that are of use only whole the oldest goes to its end, and those of use in pieces take turns", () => {
  expect(send([stream(5, 2, 3), stream(1, 2, 3), stream(3, 2, 3)])).toEqual([1, 1, 3, 3, 5, 5]);
  expect(send([stream(1, 2, 3, true), stream(3, 2, 3, true)])).toEqual([1, 3, 1, 3]);
});

test("whole ones share with those of use in pieces", () => {
  expect(send([stream(1, 2, 3), stream(3, 2, 3, true), stream(5, 2, 3)])).toEqual([1, 3, 1, 5, 3, 5]);
});

test("who has no window is passed over, and who is no more is forgotten", () => {
  const [deaf, gone, other] = [stream(1, 1, 0), stream(3, 1, 0), stream(5, 1, 7)];
  deaf.sendWindow = 0;
  gone.closed = true;
  expect(send([deaf, gone, other])).toEqual([5]);
});

test("one frame in so many goes to whoever has waited longest, so that nobody gets nothing", () => {
  const sent = send([stream(1, 1000, 7), stream(3, 1000, 0)], 4 * OUT_OF_ORDER);
  expect(sent.filter((id) => id === 1)).toHaveLength(4);
});

test("each frame is sent once", () => {
  const some = fc.array(
    fc.record({
      left: fc.integer({ min: 1, max: 5 }),
      urgency: fc.integer({ min: -1, max: 7 }),
      incremental: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(some, (wanted) => {
      const streams = wanted.map(({ left, urgency, incremental }, at) =>
        stream(2 * at + 1, left, urgency, incremental),
      );
      const sent = send(streams);
      for (const [at, { left }] of wanted.entries()) {
        expect(sent.filter((id) => id === 2 * at + 1)).toHaveLength(left);
      }
    }),
  );
});
