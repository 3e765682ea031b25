import { describe, expect, it } from "vitest";
import { fakeControl } from "../../test/support/fake-control.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { sampleView } from "../../test/support/sample-view.ts";
import { storyRecord } from "../../test/support/story-records.ts";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import type { Outcome } from "../contract/record.ts";
import type { GatewayEvent } from "../contract/view.ts";
import type { EventKind, EventWish } from "./event-stream.ts";
import {
  createEventHub,
  EXCHANGES_PER_SECOND_MAX,
  HEARTBEAT_MS,
  LINGER_MS,
  REPLAY_MAX,
  STREAMS_MAX,
} from "./event-stream.ts";

const POOL_EVENT: GatewayEvent = {
  kind: "pool",
  at: 1,
  service: "shop",
  from: "blue",
  to: "green",
  because: "blue is down\ndata: no",
};

function exchange(outcome: Outcome = "served", id = "x"): GatewayEvent {
  return { kind: "exchange", record: storyRecord({ outcome, id }) };
}

/** A record that counts how often it is put into words. */
function countingRecord() {
  let count = 0;
  const record = { ...storyRecord(), toJSON: () => (count += 1) };
  return { record, told: () => count };
}

interface ReadEvent {
  readonly name: string;
  readonly id: string | null;
  readonly data: Record<string, unknown> | null;
}

/** What an EventSource makes of a stream: blocks with an event, an id and JSON data. Refuses lines it does not know. */
function readEvents(stream: string): ReadEvent[] {
  expect(stream === "" || stream.endsWith("\n\n")).toBe(true);
  return stream
    .split("\n\n")
    .slice(0, -1)
    .map((block) => {
      const fields = new Map<string, string>();
      for (const line of block.split("\n")) {
        const [, field = "", value = ""] = /^(event|id|data|retry|): (.*)$/.exec(line) ?? [];
        expect(line).toMatch(/^(event|id|data|retry|): /);
        expect(fields.has(field)).toBe(false);
        fields.set(field, value);
      }
      const data = fields.get("data");
      return {
        name: fields.get("event") ?? "",
        id: fields.get("id") ?? null,
        data: data === undefined ? null : (JSON.parse(data) as Record<string, unknown>),
      };
    });
}

function setUp() {
  const view = sampleView();
  const manual = manualSchedule();
  const control = fakeControl();
  const hub = createEventHub(view, control, manual.clock, manual.schedule);
  /** Opens a stream into an array; `room` may be set to 0 to play a slow reader. */
  function open(wish: Partial<EventWish> = {}) {
    const reader = { chunks: [] as string[], room: Infinity, stop: (): void => {} };
    reader.stop = hub.open({ kinds: null, lastEventId: "", ...wish }, (chunk) => {
      if (reader.room <= 0) return false;
      reader.room -= 1;
      reader.chunks.push(chunk);
      return true;
    });
    return {
      ...reader,
      reader,
      events: () => readEvents(reader.chunks.join("")).filter((event) => event.data !== null),
    };
  }
  const lastIdOf = (stream: { reader: { chunks: string[] } }): string =>
    readEvents(stream.reader.chunks.join("")).findLast((event) => event.id !== null)?.id ?? "";
  return { view, control, manual, hub, open, lastIdOf };
}

describe("an event stream", () => {
  it("carries each event once, as JSON of the contract, to everybody who watches", () => {
    const { view, open } = setUp();
    const [one, other] = [open(), open()];
    view.emit(POOL_EVENT);
    view.emit(exchange("failed"));
    for (const stream of [one, other]) {
      expect(stream.events().map((event) => event.name)).toEqual(["pool", "exchange"]);
      for (const event of stream.events()) API_SCHEMAS.Event.parse(event.data);
    }
    expect(one.events()[0]?.data).toEqual(POOL_EVENT);
  });

  it("carries only the kinds asked for", () => {
    const { view, open } = setUp();
    const stream = open({ kinds: new Set<EventKind>(["pool"]) });
    view.emit(exchange());
    view.emit(POOL_EVENT);
    expect(stream.events().map((event) => event.name)).toEqual(["pool"]);
  });

  it("carries what the control plane concludes as well; pulses come without an id and are never told again", () => {
    const { control, open, lastIdOf } = setUp();
    const first = open();
    control.emit({ kind: "control", state: control.stateNow });
    const id = lastIdOf(first);
    control.emit({ kind: "pulse", at: 5, services: [] });
    expect(first.events().map(({ name, id }) => [name, id === null])).toEqual([
      ["control", false],
      ["pulse", true],
    ]);
    expect(first.events()[1]?.data).toEqual({ kind: "pulse", at: 5, services: [] });
    expect(lastIdOf(first)).toBe(id);
    first.reader.stop();
    expect(open({ lastEventId: "" }).events()).toEqual([]);
    expect(open({ lastEventId: id }).events()).toEqual([]);
  });

  it("ends when it is stopped, and the gateway is listened to only while somebody watches and a little longer", () => {
    const { view, manual, open } = setUp();
    expect(view.listeners()).toBe(0);
    const stream = open();
    expect(view.listeners()).toBe(1);
    stream.reader.stop();
    stream.reader.stop();
    view.emit(POOL_EVENT);
    expect(stream.events()).toEqual([]);
    manual.advance(LINGER_MS - 1);
    expect(view.listeners()).toBe(1);
    manual.advance(1);
    expect(view.listeners()).toBe(0);
    expect(manual.waiting()).toBe(0);
  });

  it("has a heartbeat, one for all, and none when nobody watches", () => {
    const { manual, open } = setUp();
    const stream = open();
    open().reader.stop();
    manual.advance(3 * HEARTBEAT_MS);
    expect(stream.reader.chunks.filter((chunk) => chunk.startsWith(": still here"))).toHaveLength(3);
    stream.reader.stop();
    manual.advance(LINGER_MS);
    expect(manual.waiting()).toBe(0);
  });

  it("has a bound on their number", () => {
    const { hub, open } = setUp();
    const streams = Array.from({ length: STREAMS_MAX }, () => open());
    expect(hub.hasRoom()).toBe(false);
    streams[0]?.reader.stop();
    expect(hub.hasRoom()).toBe(true);
  });
});

describe("a hole in the stream", () => {
  it("is told to a slow reader with the number of events it lost", () => {
    const { view, open } = setUp();
    const stream = open();
    stream.reader.room = 0;
    for (let index = 0; index < 5; index += 1) view.emit(POOL_EVENT);
    stream.reader.room = Infinity;
    view.emit(POOL_EVENT);
    expect(stream.events().map((event) => event.name)).toEqual(["lost", "pool"]);
    expect(stream.events()[0]?.data).toMatchObject({
      kind: "lost",
      count: 5,
      because: expect.stringContaining("slow") as string,
    });
  });

  it("is told with the heartbeat when no event follows", () => {
    const { view, manual, open } = setUp();
    const stream = open();
    stream.reader.room = 0;
    view.emit(POOL_EVENT);
    manual.advance(HEARTBEAT_MS);
    stream.reader.room = Infinity;
    manual.advance(HEARTBEAT_MS);
    expect(stream.events()).toMatchObject([{ name: "lost", data: { count: 1 } }]);
  });

  it("opens when there are too many exchanges in a second, and those that failed go first", () => {
    const { view, manual, open } = setUp();
    const stream = open();
    for (let index = 0; index < EXCHANGES_PER_SECOND_MAX; index += 1) view.emit(exchange("served"));
    expect(stream.events()).toHaveLength(EXCHANGES_PER_SECOND_MAX / 2);
    for (let index = 0; index < EXCHANGES_PER_SECOND_MAX; index += 1) view.emit(exchange("failed"));
    expect(stream.events()).toHaveLength(EXCHANGES_PER_SECOND_MAX);
    view.emit(POOL_EVENT);
    expect(stream.events().at(-1)?.name).toBe("pool");
    manual.advance(1000);
    view.emit(exchange("served"));
    expect(stream.events().slice(-2)).toMatchObject([
      { name: "lost", data: { count: EXCHANGES_PER_SECOND_MAX } },
      { name: "exchange" },
    ]);
  });

  it("is not told to who did not ask for exchanges", () => {
    const { view, manual, open } = setUp();
    const stream = open({ kinds: new Set<EventKind>(["pool"]) });
    for (let index = 0; index < 2 * EXCHANGES_PER_SECOND_MAX; index += 1) view.emit(exchange("served"));
    manual.advance(HEARTBEAT_MS);
    expect(stream.events()).toEqual([]);
  });

  it("speaks the contract", () => {
    const { view, open } = setUp();
    const stream = open({ lastEventId: "another-run" });
    stream.reader.room = 0;
    view.emit(POOL_EVENT);
    stream.reader.room = Infinity;
    view.emit(POOL_EVENT);
    const lost = stream.events().filter((event) => event.name === "lost");
    expect(lost).toHaveLength(2);
    for (const event of lost) API_SCHEMAS.EventsLost.parse(event.data);
  });
});

describe("Last-Event-ID", () => {
  it("brings what was missed, in order and without a word of loss", () => {
    const { view, open, lastIdOf } = setUp();
    const stream = open();
    view.emit(exchange("failed", "seen"));
    stream.reader.stop();
    view.emit(exchange("failed", "missed 1"));
    view.emit(POOL_EVENT);
    view.emit(exchange("failed", "missed 2"));
    const again = open({ lastEventId: lastIdOf(stream), kinds: new Set<EventKind>(["exchange"]) });
    view.emit(exchange("failed", "live"));
    const ids = again.events().map((event) => (event.data?.["record"] as { id: string } | undefined)?.id);
    expect(ids).toEqual(["missed 1", "missed 2", "live"]);
  });

  it("of a stream without events is honoured too", () => {
    const { view, open, lastIdOf } = setUp();
    const stream = open();
    stream.reader.stop();
    view.emit(POOL_EVENT);
    expect(
      open({ lastEventId: lastIdOf(stream) })
        .events()
        .map((event) => event.name),
    ).toEqual(["pool"]);
  });

  it("that is too old says so first, then brings what is left", () => {
    const { view, open, lastIdOf } = setUp();
    const stream = open();
    stream.reader.stop();
    for (let index = 0; index < REPLAY_MAX + 1; index += 1) view.emit(POOL_EVENT);
    const again = open({ lastEventId: lastIdOf(stream) });
    expect(again.events()[0]).toMatchObject({ name: "lost", data: { count: null } });
    expect(again.events()).toHaveLength(1 + REPLAY_MAX);
  });

  it("is not believed across a time in which nobody listened", () => {
    const { view, manual, open, lastIdOf } = setUp();
    const stream = open();
    stream.reader.stop();
    manual.advance(LINGER_MS);
    view.emit(POOL_EVENT);
    const again = open({ lastEventId: lastIdOf(stream) });
    expect(again.events()).toMatchObject([{ name: "lost", data: { count: null } }]);
  });

  it("is not believed for exchanges that nobody wanted meanwhile, which cost no words", () => {
    const { view, manual, open, lastIdOf } = setUp();
    const stream = open();
    stream.reader.stop();
    open({ kinds: new Set<EventKind>(["pool"]) });
    manual.advance(LINGER_MS);
    const { record, told } = countingRecord();
    view.emit({ kind: "exchange", record });
    expect(told()).toBe(0);
    const id = lastIdOf(stream);
    expect(open({ lastEventId: id, kinds: new Set<EventKind>(["pool"]) }).events()).toEqual([]);
    expect(open({ lastEventId: id }).events()).toMatchObject([{ name: "lost", data: { count: null } }]);
  });

  it("is believed for exchanges as long as their last reader left only just now", () => {
    const { view, manual, open, lastIdOf } = setUp();
    open({ kinds: new Set<EventKind>(["pool"]) });
    const stream = open();
    stream.reader.stop();
    manual.advance(LINGER_MS - 1);
    view.emit(exchange("failed"));
    expect(
      open({ lastEventId: lastIdOf(stream) })
        .events()
        .map((event) => event.name),
    ).toEqual(["exchange"]);
  });

  it.each(["zzz-1", "nonsense", "1-2-3", "9".repeat(400)])(
    "of another run or of nobody (%s) brings only a word of loss",
    (lastEventId) => {
      const { view, open } = setUp();
      open();
      view.emit(POOL_EVENT);
      expect(open({ lastEventId }).events()).toMatchObject([{ name: "lost" }]);
    },
  );

  it("from the future of this run is not believed either", () => {
    const { open, lastIdOf } = setUp();
    const id = lastIdOf(open()).replace(/\d+$/, "999999");
    expect(open({ lastEventId: id }).events()).toMatchObject([{ name: "lost" }]);
  });
});
