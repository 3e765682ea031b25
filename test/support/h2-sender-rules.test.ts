import { expect, test } from "vitest";
import { FLAG, FRAME, PREFACE, SETTING } from "../../src/http2/frames.ts";
import { block, data, frame, OPENING, request, reset, settings, windowUpdate, word } from "./h2-frames.ts";
import { breachesOf } from "./h2-sender-rules.ts";

const { END_HEADERS, END_STREAM, ACK } = FLAG;
const HELLO = settings();
const AGREED = frame(FRAME.SETTINGS, ACK, 0);
const ASKED = [OPENING, request(1), request(3)];
const head = (ends = false, more: readonly (readonly [string, string])[] = []): Buffer =>
  frame(FRAME.HEADERS, END_HEADERS | (ends ? END_STREAM : 0), 1, block([[":status", "200"], ...more]));
const goAway = (last: number, code: number): Buffer =>
  frame(FRAME.GOAWAY, 0, 0, Buffer.concat([word(last), word(code)]));

test("a server that keeps the rules is told nothing", () => {
  const received = [
    HELLO,
    AGREED,
    frame(FRAME.HEADERS, END_HEADERS, 1, block([[":status", "103"]])),
    head(false, [["content-length", "3"]]),
    data(1, "abc"),
    frame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, block([["x-t", "a"]])),
    frame(FRAME.HEADERS, END_STREAM, 3, block([[":status", "204"]]).subarray(0, 2)),
    frame(FRAME.CONTINUATION, END_HEADERS, 3, block([[":status", "204"]]).subarray(2)),
    goAway(0x7fff_ffff, 0),
    goAway(3, 0),
  ];
  expect(breachesOf(Buffer.concat(ASKED), Buffer.concat(received))).toEqual([]);
});

test.each<[string, readonly Buffer[], (readonly Buffer[])?]>([
  ["§3.4", [head()]],
  ["§4.1", [HELLO, Buffer.concat([Buffer.from([0, 0, 0, FRAME.PING, 0, 0x80, 0, 0, 0])])]],
  ["§4.1", [HELLO, frame(FRAME.HEADERS, END_HEADERS | 0x40, 1, block([[":status", "200"]]))]],
  ["§4.2", [HELLO, head(), data(1, "x".repeat(16_385))]],
  ["§4.3", [HELLO, frame(FRAME.HEADERS, 0, 1, block([[":status", "200"]])), data(1, "x")]],
  ["§4.3", [HELLO, frame(FRAME.HEADERS, END_HEADERS, 1, Buffer.from([0x80]))]],
  ["§5.1", [HELLO, head(true), data(1, "x")]],
  ["§5.1", [HELLO, head(), reset(1), data(1, "x")]],
  ["§5.1.1", [HELLO, frame(FRAME.HEADERS, END_HEADERS, 5, block([[":status", "200"]]))]],
  ["§5.4.1", [HELLO, goAway(0, 1), head()]],
  ["§5.5", [HELLO, frame(0x16, 0, 0)]],
  ["§6", [HELLO, data(0, "x")]],
  ["§6.4", [HELLO, head(), frame(FRAME.RST_STREAM, 0, 1, "abc")]],
  ["§6.5", [HELLO, AGREED, AGREED]],
  ["§6.5", [HELLO, frame(FRAME.SETTINGS, 0, 0, "abc")]],
  ["§6.5.2", [settings([SETTING.ENABLE_PUSH, 1])]],
  ["§6.5.2", [settings([SETTING.MAX_FRAME_SIZE, 1])]],
  ["§6.5.2", [settings([SETTING.INITIAL_WINDOW_SIZE, 0x8000_0000])]],
  ["§6.7", [HELLO, frame(FRAME.PING, ACK, 0, "12345678")]],
  ["§6.7", [HELLO, frame(FRAME.PING, 0, 0, "1234")]],
  ["§6.8", [HELLO, goAway(1, 0), goAway(3, 0)]],
  ["§6.9", [HELLO, windowUpdate(0, 0)]],
  ["§6.9.1", [HELLO, head(), data(1, "xx")], [PREFACE, settings([SETTING.INITIAL_WINDOW_SIZE, 1]), request(1)]],
  ["§6.10", [HELLO, frame(FRAME.CONTINUATION, END_HEADERS, 1, block([[":status", "200"]]))]],
  ["§8.1", [HELLO, data(1, "x")]],
  ["§8.1", [HELLO, head(), head()]],
  ["§8.1", [HELLO, frame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, block([[":status", "103"]]))]],
  ["§8.1.1", [HELLO, head(false, [["content-length", "4"]]), data(1, "abc", true)]],
  ["§8.2.1", [HELLO, head(false, [["X-A", "b"]])]],
  ["§8.2.1", [HELLO, head(false, [["a", "b\nc"]])]],
  ["§8.2.2", [HELLO, head(false, [["connection", "close"]])]],
  ["§8.3", [HELLO, head(false, [[":status", "200"]])]],
  ["§8.3.2", [HELLO, frame(FRAME.HEADERS, END_HEADERS, 1, block([["a", "b"]]))]],
  ["§8.4", [HELLO, frame(FRAME.PUSH_PROMISE, END_HEADERS, 1, word(2))]],
  ["§8.6", [HELLO, frame(FRAME.HEADERS, END_HEADERS, 1, block([[":status", "101"]]))]],
])("a breach of %s is seen", (section, received, asked = ASKED) => {
  const breaches = breachesOf(Buffer.concat(asked), Buffer.concat(received));
  expect(breaches.join("; ")).toContain(`${section})`);
});
