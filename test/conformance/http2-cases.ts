/**
 * What RFC 9113, RFC 7541 and RFC 8441 demand of a server, as frames and what has to come of them. Each case has a
 * connection of its own. Where a rule allows a stream error to be treated as one of the connection (§5.4.2), both pass.
 */
import { FLAG, FRAME, PREFACE, SETTING } from "../../src/http2/frames.ts";
import {
  block,
  data,
  frame,
  GET,
  OPENING,
  POST,
  request,
  reset,
  settings,
  windowUpdate,
  word,
} from "../support/h2-frames.ts";
import type { Pair } from "../support/h2-frames.ts";

export type Expected =
  /** GOAWAY with one of these codes, or the end of the connection. */
  | { readonly kind: "connection"; readonly codes: readonly number[] }
  /** RST_STREAM with one of these codes, or the above. */
  | { readonly kind: "stream"; readonly codes: readonly number[] }
  /** A whole response on this stream. */
  | { readonly kind: "response"; readonly stream: number }
  /** A frame of this type, and with `ACK` if that is asked for. */
  | { readonly kind: "frame"; readonly type: number; readonly ack: boolean };

export interface Case {
  readonly section: string;
  readonly title: string;
  readonly send: readonly Buffer[];
  /** Sent when the answer to what came before has begun. */
  readonly after?: readonly Buffer[];
  readonly expected: Expected;
}

const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const STREAM_CLOSED = 5;
const FRAME_SIZE_ERROR = 6;
const COMPRESSION_ERROR = 9;

const connection = (...codes: number[]): Expected => ({ kind: "connection", codes });
const stream = (...codes: number[]): Expected => ({ kind: "stream", codes });
const response = (id = 1): Expected => ({ kind: "response", stream: id });
const sends = (type: number, ack = false): Expected => ({ kind: "frame", type, ack });

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } =
  FRAME;
const { END_HEADERS, END_STREAM, PADDED, ACK } = FLAG;
const WHOLE = END_HEADERS | END_STREAM;
const open = OPENING;
const LARGE = "x".repeat(16_385);

function field(extra: readonly Pair[], base: readonly Pair[] = GET): Buffer {
  return request(1, [...base, ...extra]);
}

function replaced(name: string, value: string): Buffer {
  return request(
    1,
    GET.map(([its, was]): Pair => [its, its === name ? value : was]),
  );
}

function lacking(name: string): Buffer {
  return request(
    1,
    GET.filter(([its]) => its !== name),
  );
}

function content(length: string, ...frames: readonly Buffer[]): readonly Buffer[] {
  return [open, request(1, [...POST, ["content-length", length]], false), ...frames];
}

function raw(bytes: string): Buffer {
  return frame(HEADERS, WHOLE, 1, Buffer.concat([block(GET), Buffer.from(bytes, "hex")]));
}

const dependsOnItself = Buffer.concat([word(1), Buffer.from([255])]);

function one(section: string, title: string, expected: Expected, ...send: readonly Buffer[]): Case {
  return { section, title, send: [open, ...send], expected };
}

function whole(section: string, title: string, expected: Expected, ...send: readonly Buffer[]): Case {
  return { section, title, send, expected };
}

function twice(section: string, title: string, expected: Expected, first: Buffer, after: readonly Buffer[]): Case {
  return { section, title, send: [open, first], after, expected };
}

export const CASES: readonly Case[] = [
  whole("3.4", "a preface is answered with SETTINGS", sends(SETTINGS), open),
  whole(
    "3.4",
    "a preface that is none ends the connection",
    connection(PROTOCOL_ERROR),
    Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
    settings(),
  ),
  whole("3.4", "a first frame other than SETTINGS", connection(PROTOCOL_ERROR), PREFACE, request(1)),
  whole("3.4", "a first SETTINGS that only agrees", connection(PROTOCOL_ERROR), PREFACE, frame(SETTINGS, ACK, 0)),
  one("4.1", "a frame of an unknown type is ignored", response(), frame(0x16, 0, 0, "12345678"), request(1)),
  one("4.1", "flags that a type does not have are ignored", sends(PING, true), frame(PING, 0xf6, 0, "12345678")),
  one("4.1", "the reserved bit is ignored", sends(PING, true), frame(PING, 0, 0x8000_0000, "12345678")),
  one("4.2", "DATA of 2^14 bytes is taken", response(), request(1, POST, false), data(1, LARGE.slice(1), true)),
  one("4.2", "DATA of more than was allowed", stream(FRAME_SIZE_ERROR), request(1, POST, false), data(1, LARGE)),
  one(
    "4.2",
    "HEADERS of more than was allowed",
    connection(FRAME_SIZE_ERROR),
    frame(HEADERS, WHOLE, 1, block([...GET, ["a", LARGE]])),
  ),
  one("4.2", "an unknown frame of more than was allowed", connection(FRAME_SIZE_ERROR), frame(0x16, 0, 0, LARGE)),
  one(
    "4.3",
    "a header block that is none",
    connection(COMPRESSION_ERROR),
    frame(HEADERS, WHOLE, 1, Buffer.from([0x80])),
  ),
  one(
    "4.3",
    "PRIORITY inside a header block",
    connection(PROTOCOL_ERROR),
    frame(HEADERS, END_STREAM, 1, block(GET)),
    frame(PRIORITY, 0, 1, Buffer.alloc(5)),
  ),
  one(
    "4.3",
    "HEADERS of another stream inside a header block",
    connection(PROTOCOL_ERROR),
    frame(HEADERS, END_STREAM, 1, block(GET)),
    request(3),
  ),
  one(
    "4.3",
    "an unknown frame inside a header block",
    connection(PROTOCOL_ERROR),
    frame(HEADERS, END_STREAM, 1, block(GET)),
    frame(0x16, 0, 0),
  ),
  one("5.1", "idle: DATA", connection(PROTOCOL_ERROR), data(1, "x", true)),
  one("5.1", "idle: RST_STREAM", connection(PROTOCOL_ERROR), reset(1)),
  one("5.1", "idle: WINDOW_UPDATE", connection(PROTOCOL_ERROR), windowUpdate(1, 100)),
  one("5.1", "idle: CONTINUATION", connection(PROTOCOL_ERROR), frame(CONTINUATION, END_HEADERS, 1, block(GET))),
  one("5.1", "half-closed (remote): DATA", stream(STREAM_CLOSED), request(1, neverAnswered()), data(1, "x", true)),
  one("5.1", "half-closed (remote): HEADERS", stream(STREAM_CLOSED), request(1, neverAnswered()), request(1)),
  one(
    "5.1",
    "half-closed (remote): CONTINUATION",
    connection(PROTOCOL_ERROR, STREAM_CLOSED),
    request(1, neverAnswered()),
    frame(CONTINUATION, END_HEADERS, 1, block(GET)),
  ),
  one(
    "5.1",
    "half-closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are taken",
    response(3),
    request(1, neverAnswered()),
    windowUpdate(1, 1),
    frame(PRIORITY, 0, 1, Buffer.alloc(5)),
    reset(1),
    request(3),
  ),
  one(
    "5.1",
    "closed by RST_STREAM: DATA",
    stream(STREAM_CLOSED),
    request(1, POST, false),
    reset(1),
    data(1, "x", true),
  ),
  one("5.1", "closed by RST_STREAM: HEADERS", stream(STREAM_CLOSED), request(1, POST, false), reset(1), request(1)),
  one(
    "5.1",
    "closed by RST_STREAM: CONTINUATION",
    connection(STREAM_CLOSED, PROTOCOL_ERROR),
    request(1, POST, false),
    reset(1),
    frame(CONTINUATION, END_HEADERS, 1, block(GET)),
  ),
  twice("5.1", "closed: DATA", connection(STREAM_CLOSED), request(1), [data(1, "x", true)]),
  twice("5.1", "closed: HEADERS", connection(STREAM_CLOSED), request(1), [request(1)]),
  twice("5.1", "closed: CONTINUATION", connection(STREAM_CLOSED, PROTOCOL_ERROR), request(1), [
    frame(CONTINUATION, END_HEADERS, 1, block(GET)),
  ]),
  twice("5.1", "closed: WINDOW_UPDATE and PRIORITY are taken", response(3), request(1), [
    windowUpdate(1, 1),
    frame(PRIORITY, 0, 1, Buffer.alloc(5)),
    request(3),
  ]),
  one("5.1", "idle: PRIORITY is taken", response(), frame(PRIORITY, 0, 1, Buffer.alloc(5)), request(1)),
  one("5.1.1", "a stream with an even number", connection(PROTOCOL_ERROR), request(2)),
  one(
    "5.1.1",
    "a stream with a number below one before",
    connection(PROTOCOL_ERROR, STREAM_CLOSED),
    request(5),
    request(3),
  ),
  one(
    "5.1.2",
    "more streams than may be open",
    stream(PROTOCOL_ERROR, 7),
    ...Array.from({ length: 101 }, (_, i) => request(1 + 2 * i, neverAnswered())),
  ),
  one(
    "5.3.1",
    "HEADERS that depends on itself",
    stream(PROTOCOL_ERROR),
    frame(HEADERS, WHOLE | FLAG.PRIORITY, 1, Buffer.concat([dependsOnItself, block(GET)])),
  ),
  one("5.3.1", "PRIORITY that depends on itself", stream(PROTOCOL_ERROR), frame(PRIORITY, 0, 1, dependsOnItself)),
  one("5.4.1", "an error of the connection is told by GOAWAY and ends it", connection(PROTOCOL_ERROR), data(0, "x")),
  one("5.5", "an unknown setting is ignored", sends(SETTINGS, true), settings([0xfff0, 5])),
  one("6.1", "DATA on stream 0", connection(PROTOCOL_ERROR), request(1, POST, false), data(0, "x")),
  one(
    "6.1",
    "DATA with more padding than it has room",
    connection(PROTOCOL_ERROR),
    request(1, POST, false),
    frame(DATA, PADDED | END_STREAM, 1, "\x06abc"),
  ),
  one(
    "6.1",
    "DATA that is all padding is taken",
    response(),
    request(1, POST, false),
    frame(DATA, PADDED | END_STREAM, 1, "\x03\0\0\0"),
  ),
  one(
    "6.1",
    "DATA with padding is taken",
    response(),
    request(1, POST, false),
    frame(DATA, PADDED | END_STREAM, 1, "\x02abc\0\0"),
  ),
  one(
    "6.1",
    "several DATA frames are taken",
    response(),
    request(1, POST, false),
    data(1, "a"),
    data(1, "b"),
    data(1, "c", true),
  ),
  one("6.2", "HEADERS on stream 0", connection(PROTOCOL_ERROR), frame(HEADERS, WHOLE, 0, block(GET))),
  one(
    "6.2",
    "HEADERS with more padding than it has room",
    connection(PROTOCOL_ERROR),
    frame(HEADERS, WHOLE | PADDED, 1, Buffer.concat([Buffer.from([255]), block(GET)])),
  ),
  one(
    "6.2",
    "HEADERS with padding is taken",
    response(),
    frame(HEADERS, WHOLE | PADDED, 1, Buffer.concat([Buffer.from([2]), block(GET), Buffer.alloc(2)])),
  ),
  one(
    "6.2",
    "HEADERS with a priority is taken",
    response(),
    frame(HEADERS, WHOLE | FLAG.PRIORITY, 1, Buffer.concat([word(0), Buffer.from([255]), block(GET)])),
  ),
  one(
    "6.2",
    "HEADERS with padding and a priority is taken",
    response(),
    frame(
      HEADERS,
      WHOLE | PADDED | FLAG.PRIORITY,
      1,
      Buffer.concat([Buffer.from([1]), word(0), Buffer.from([255]), block(GET), Buffer.alloc(1)]),
    ),
  ),
  one("6.3", "PRIORITY on stream 0", connection(PROTOCOL_ERROR), frame(PRIORITY, 0, 0, Buffer.alloc(5))),
  one(
    "6.3",
    "PRIORITY of another length",
    stream(FRAME_SIZE_ERROR),
    request(1, POST, false),
    frame(PRIORITY, 0, 1, Buffer.alloc(4)),
  ),
  one("6.4", "RST_STREAM on stream 0", connection(PROTOCOL_ERROR), reset(0)),
  one(
    "6.4",
    "RST_STREAM of another length",
    connection(FRAME_SIZE_ERROR),
    request(1, POST, false),
    frame(RST_STREAM, 0, 1, Buffer.alloc(3)),
  ),
  one(
    "6.5",
    "SETTINGS that agrees and says something",
    connection(FRAME_SIZE_ERROR),
    frame(SETTINGS, ACK, 0, Buffer.alloc(6)),
  ),
  one("6.5", "SETTINGS on a stream", connection(PROTOCOL_ERROR), frame(SETTINGS, 0, 1, Buffer.alloc(6))),
  one("6.5", "SETTINGS that is cut", connection(FRAME_SIZE_ERROR), frame(SETTINGS, 0, 0, Buffer.alloc(7))),
  one("6.5.2", "ENABLE_PUSH that is neither 0 nor 1", connection(PROTOCOL_ERROR), settings([SETTING.ENABLE_PUSH, 2])),
  one(
    "6.5.2",
    "a window above 2^31 - 1",
    connection(FLOW_CONTROL_ERROR),
    settings([SETTING.INITIAL_WINDOW_SIZE, 0x8000_0000]),
  ),
  one("6.5.2", "frames below 2^14 bytes", connection(PROTOCOL_ERROR), settings([SETTING.MAX_FRAME_SIZE, 16_383])),
  one(
    "6.5.2",
    "frames above 2^24 - 1 bytes",
    connection(PROTOCOL_ERROR),
    settings([SETTING.MAX_FRAME_SIZE, 16_777_216]),
  ),
  one(
    "6.5.3",
    "settings hold in the order in which they come",
    response(),
    settings([SETTING.INITIAL_WINDOW_SIZE, 0], [SETTING.INITIAL_WINDOW_SIZE, 65_535]),
    request(1),
  ),
  one("6.5.3", "SETTINGS is agreed to", sends(SETTINGS, true), settings()),
  one(
    "6.6",
    "PUSH_PROMISE of a client",
    connection(PROTOCOL_ERROR),
    request(1, POST, false),
    frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([word(3), block(GET)])),
  ),
  one("6.7", "PING is answered", sends(PING, true), frame(PING, 0, 0, "12345678")),
  one("6.7", "an answer to a PING is none to be answered", response(), frame(PING, ACK, 0, "12345678"), request(1)),
  one("6.7", "PING on a stream", connection(PROTOCOL_ERROR), frame(PING, 0, 1, "12345678")),
  one("6.7", "PING of another length", connection(FRAME_SIZE_ERROR), frame(PING, 0, 0, "123456")),
  one("6.8", "GOAWAY on a stream", connection(PROTOCOL_ERROR), frame(GOAWAY, 0, 1, Buffer.alloc(8))),
  one("6.8", "GOAWAY that is too short", connection(FRAME_SIZE_ERROR), frame(GOAWAY, 0, 0, Buffer.alloc(4))),
  one("6.8", "a request before GOAWAY is answered", response(), request(1), frame(GOAWAY, 0, 0, Buffer.alloc(8))),
  one("6.9", "WINDOW_UPDATE by nothing, of the connection", connection(PROTOCOL_ERROR), windowUpdate(0, 0)),
  one(
    "6.9",
    "WINDOW_UPDATE by nothing, of a stream",
    stream(PROTOCOL_ERROR),
    request(1, POST, false),
    windowUpdate(1, 0),
  ),
  one(
    "6.9",
    "WINDOW_UPDATE of another length",
    connection(FRAME_SIZE_ERROR),
    frame(WINDOW_UPDATE, 0, 0, Buffer.alloc(3)),
  ),
  whole(
    "6.9.1",
    "a window of one byte lets one byte through",
    { kind: "frame", type: DATA, ack: false },
    PREFACE,
    settings([SETTING.INITIAL_WINDOW_SIZE, 1]),
    request(1),
  ),
  one(
    "6.9.1",
    "a connection's window above 2^31 - 1",
    connection(FLOW_CONTROL_ERROR),
    windowUpdate(0, 0x7fff_ffff),
    windowUpdate(0, 0x7fff_ffff),
  ),
  one(
    "6.9.1",
    "a stream's window above 2^31 - 1",
    stream(FLOW_CONTROL_ERROR),
    request(1, neverAnswered()),
    windowUpdate(1, 0x7fff_ffff),
    windowUpdate(1, 0x7fff_ffff),
  ),
  whole(
    "6.9.2",
    "a window that grows by SETTINGS lets the rest through",
    response(),
    PREFACE,
    settings([SETTING.INITIAL_WINDOW_SIZE, 0]),
    request(1),
    settings([SETTING.INITIAL_WINDOW_SIZE, 65_535]),
  ),
  whole(
    "6.9.2",
    "a window below nothing is filled up first",
    response(),
    PREFACE,
    settings([SETTING.INITIAL_WINDOW_SIZE, 3]),
    request(1),
    settings([SETTING.INITIAL_WINDOW_SIZE, 2]),
    windowUpdate(1, 60_000),
  ),
  one(
    "6.10",
    "several CONTINUATION frames are taken",
    response(),
    frame(HEADERS, END_STREAM, 1, block(GET.slice(0, 1))),
    frame(CONTINUATION, 0, 1, block(GET.slice(1, 2))),
    frame(CONTINUATION, END_HEADERS, 1, block(GET.slice(2))),
  ),
  one(
    "6.10",
    "another frame behind HEADERS without END_HEADERS",
    connection(PROTOCOL_ERROR),
    frame(HEADERS, 0, 1, block(GET)),
    data(1, "x", true),
  ),
  one(
    "6.10",
    "CONTINUATION on stream 0",
    connection(PROTOCOL_ERROR),
    frame(HEADERS, END_STREAM, 1, block(GET)),
    frame(CONTINUATION, END_HEADERS, 0, block([["a", "b"]])),
  ),
  one(
    "6.10",
    "CONTINUATION behind HEADERS with END_HEADERS",
    connection(PROTOCOL_ERROR, STREAM_CLOSED),
    frame(HEADERS, END_HEADERS, 1, block(POST)),
    frame(CONTINUATION, END_HEADERS, 1, block([["a", "b"]])),
  ),
  one(
    "6.10",
    "CONTINUATION behind CONTINUATION with END_HEADERS",
    connection(PROTOCOL_ERROR),
    frame(HEADERS, 0, 1, block(POST)),
    frame(CONTINUATION, END_HEADERS, 1, block([["a", "b"]])),
    frame(CONTINUATION, END_HEADERS, 1, block([["a", "b"]])),
  ),
  one(
    "6.10",
    "CONTINUATION behind DATA",
    connection(PROTOCOL_ERROR),
    request(1, POST, false),
    data(1, "x"),
    frame(CONTINUATION, END_HEADERS, 1, block([["a", "b"]])),
  ),
  one(
    "7",
    "GOAWAY with an unknown code is ignored",
    sends(PING, true),
    frame(GOAWAY, 0, 0, Buffer.concat([word(0), word(0xff)])),
    frame(PING, 0, 0, "12345678"),
  ),
  one(
    "7",
    "RST_STREAM with an unknown code is taken",
    sends(PING, true),
    request(1, neverAnswered()),
    reset(1, 0xff),
    frame(PING, 0, 0, "12345678"),
  ),
  one(
    "8.1",
    "a second HEADERS without END_STREAM",
    stream(PROTOCOL_ERROR),
    request(1, POST, false),
    frame(HEADERS, END_HEADERS, 1, block([["x-t", "a"]])),
  ),
  one(
    "8.1",
    "trailers are taken",
    response(),
    request(1, POST, false),
    data(1, "x"),
    frame(HEADERS, WHOLE, 1, block([["x-t", "a"]])),
  ),
  one(
    "8.1",
    "GET, HEAD, POST and OPTIONS are answered",
    response(7),
    request(1),
    request(3, having(":method", "HEAD")),
    request(5, POST),
    request(7, having(":method", "OPTIONS")),
  ),
  one(
    "8.1",
    "HEADERS that ends a request by END_STREAM with CONTINUATION behind",
    response(),
    frame(HEADERS, END_STREAM, 1, block(GET.slice(0, 2))),
    frame(CONTINUATION, END_HEADERS, 1, block(GET.slice(2))),
  ),
  one(
    "8.1.1",
    "content shorter than its length",
    stream(PROTOCOL_ERROR),
    ...content("5", data(1, "abc", true)).slice(1),
  ),
  one(
    "8.1.1",
    "content longer than its length",
    stream(PROTOCOL_ERROR),
    ...content("1", data(1, "abc", true)).slice(1),
  ),
  one(
    "8.1.1",
    "content in several frames shorter than its length",
    stream(PROTOCOL_ERROR),
    ...content("9", data(1, "abc"), data(1, "abc", true)).slice(1),
  ),
  one(
    "8.1.1",
    "content in several frames longer than its length",
    stream(PROTOCOL_ERROR),
    ...content("4", data(1, "abc"), data(1, "abc", true)).slice(1),
  ),
  one("8.1.1", "a length and no content", stream(PROTOCOL_ERROR), field([["content-length", "1"]], POST)),
  one("8.2.1", "a name with a capital letter", stream(PROTOCOL_ERROR), field([["X-TEST", "ok"]])),
  one("8.2.1", "a name with a space", stream(PROTOCOL_ERROR), field([["x test", "ok"]])),
  one("8.2.1", "a name with a control byte", stream(PROTOCOL_ERROR), field([["x\x01", "ok"]])),
  one("8.2.1", "a name with a byte above 0x7e", stream(PROTOCOL_ERROR), field([["x\xff", "ok"]])),
  one("8.2.1", "a name with a colon", stream(PROTOCOL_ERROR), field([["x:y", "ok"]])),
  one("8.2.1", "an empty name", stream(PROTOCOL_ERROR), field([["", "ok"]])),
  one("8.2.1", "a value with NUL", stream(PROTOCOL_ERROR), field([["x", "a\0b"]])),
  one("8.2.1", "a value with CR", stream(PROTOCOL_ERROR), field([["x", "a\rb"]])),
  one("8.2.1", "a value with LF", stream(PROTOCOL_ERROR), field([["x", "a\nb"]])),
  one("8.2.1", "a value that begins with a space", stream(PROTOCOL_ERROR), field([["x", " a"]])),
  one("8.2.1", "a value that ends with a tab", stream(PROTOCOL_ERROR), field([["x", "a\t"]])),
  ...["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"].map((name) =>
    one(
      "8.2.2",
      `the field ${name}`,
      stream(PROTOCOL_ERROR),
      field([[name, name === "transfer-encoding" ? "chunked" : "x"]]),
    ),
  ),
  one("8.2.2", "TE that says more than trailers", stream(PROTOCOL_ERROR), field([["te", "trailers, deflate"]])),
  one("8.2.2", "TE that says trailers is taken", response(), field([["te", "trailers"]])),
  one(
    "8.2.2",
    "a field of connections in trailers",
    stream(PROTOCOL_ERROR),
    request(1, POST, false),
    frame(HEADERS, WHOLE, 1, block([["connection", "x"]])),
  ),
  one(
    "8.2.3",
    "crumbs of a cookie are taken",
    response(),
    field([
      ["cookie", "a=1"],
      ["cookie", "b=2"],
    ]),
  ),
  one("8.3", "an unknown pseudo-field", stream(PROTOCOL_ERROR), request(1, [[":test", "ok"], ...GET])),
  one("8.3", "a pseudo-field of responses", stream(PROTOCOL_ERROR), request(1, [...GET, [":status", "200"]])),
  one(
    "8.3",
    "a pseudo-field in trailers",
    stream(PROTOCOL_ERROR),
    request(1, POST, false),
    frame(HEADERS, WHOLE, 1, block([[":method", "GET"]])),
  ),
  one(
    "8.3",
    "a pseudo-field behind a field",
    stream(PROTOCOL_ERROR),
    request(1, [GET[0] ?? ["", ""], ["x", "y"], ...GET.slice(1)]),
  ),
  ...[":method", ":scheme", ":path"].map((name) =>
    one("8.3.1", `a request without ${name}`, stream(PROTOCOL_ERROR), lacking(name)),
  ),
  ...GET.map((pair) => one("8.3.1", `${pair[0]} twice`, stream(PROTOCOL_ERROR), request(1, [...GET, pair]))),
  one("8.3.1", "an empty :path", stream(PROTOCOL_ERROR), replaced(":path", "")),
  one("8.3.1", "a :path that does not begin with a slash", stream(PROTOCOL_ERROR), replaced(":path", "a")),
  one("8.3.1", "a :path with a space", stream(PROTOCOL_ERROR), replaced(":path", "/a b")),
  one(
    "8.3.1",
    "an :authority with user information is not taken for a host",
    { kind: "response", stream: 1 },
    replaced(":authority", "me@shop.example"),
  ),
  one("8.3.1", "a Host that differs from :authority", stream(PROTOCOL_ERROR), field([["host", "evil.example"]])),
  one("8.3.1", "a Host alone is taken", response(), request(1, [...GET.slice(0, 3), ["host", "shop.example"]])),
  one(
    "8.4",
    "PUSH_PROMISE on no stream",
    connection(PROTOCOL_ERROR),
    frame(PUSH_PROMISE, END_HEADERS, 0, Buffer.concat([word(2), block(GET)])),
  ),
  one("8.5", "CONNECT with a path", stream(PROTOCOL_ERROR), replaced(":method", "CONNECT")),
  one("8.5", "CONNECT without an authority", stream(PROTOCOL_ERROR), request(1, [[":method", "CONNECT"]])),
  one(
    "RFC 8441 §4",
    ":protocol without CONNECT",
    stream(PROTOCOL_ERROR),
    request(1, [[":protocol", "websocket"], ...GET]),
  ),
  one(
    "RFC 8441 §3",
    "ENABLE_CONNECT_PROTOCOL that is neither 0 nor 1",
    connection(PROTOCOL_ERROR),
    settings([SETTING.ENABLE_CONNECT_PROTOCOL, 2]),
  ),
  one(
    "RFC 9218 §2.1",
    "NO_RFC7540_PRIORITIES that is neither 0 nor 1",
    connection(PROTOCOL_ERROR),
    settings([SETTING.NO_RFC7540_PRIORITIES, 2]),
  ),
  one(
    "RFC 9218 §7.1",
    "PRIORITY_UPDATE is taken",
    response(),
    frame(0x10, 0, 0, Buffer.concat([word(1), Buffer.from("u=1")])),
    request(1),
  ),
  one("RFC 9218 §5", "the priority field is taken", response(), field([["priority", "u=1, i"]])),
  one("RFC 7541 §2.3.3", "an index behind both tables", connection(COMPRESSION_ERROR), raw("ff00")),
  one("RFC 7541 §4.2", "a change of the table's size at the end of a block", connection(COMPRESSION_ERROR), raw("20")),
  one(
    "RFC 7541 §4.2",
    "a table larger than was allowed",
    connection(COMPRESSION_ERROR),
    frame(HEADERS, WHOLE, 1, Buffer.concat([Buffer.from("3fe21f", "hex"), block(GET)])),
  ),
  one(
    "RFC 7541 §5.2",
    "Huffman's code with more than seven bits left over",
    connection(COMPRESSION_ERROR),
    raw("0081788494e7ffff"),
  ),
  one(
    "RFC 7541 §5.2",
    "Huffman's code that is filled up with zeros",
    connection(COMPRESSION_ERROR),
    raw("0081788294e0"),
  ),
  one("RFC 7541 §5.2", "Huffman's code with its end symbol", connection(COMPRESSION_ERROR), raw("00817884ffffffff")),
  one("RFC 7541 §6.1", "index 0", connection(COMPRESSION_ERROR), raw("80")),
  one(
    "RFC 7541 §6.3",
    "a change of the table's size at the beginning of a block is taken",
    response(),
    frame(HEADERS, WHOLE, 1, Buffer.concat([Buffer.from("20", "hex"), block(GET)])),
  ),
  one(
    "RFC 7541",
    "all kinds of fields are taken: indexed, kept, not kept, never kept",
    response(),
    frame(
      HEADERS,
      WHOLE,
      1,
      Buffer.concat([
        Buffer.from("828684", "hex"),
        block(GET.slice(3)),
        Buffer.from("400178017910017801790001780179be", "hex"),
      ]),
    ),
  ),
];

/** A request that its origin does not answer while the case lasts. */
function neverAnswered(): Pair[] {
  return GET.map(([name, value]): Pair => [name, name === ":path" ? "/slow" : value]);
}

function having(name: string, value: string): Pair[] {
  return GET.map(([its, was]): Pair => [its, its === name ? value : was]);
}
