/**
 * What no server of HTTP/2 may send, whatever it was asked: the bytes of both sides of one connection are read, and each
 * breach of RFC 9113 in those of the server is told with its section. Windows are summed up over the whole connection,
 * so that the order in which the two sides spoke need not be known.
 *
 * RST_STREAM behind END_STREAM is not among them. §8.1.1 lets a server answer a malformed request and reset it, and a
 * server whose answer ends before its reset loses no reader of it (docs/decisions/0050).
 */
import { FLAG, FRAME, PREFACE, SETTING, WINDOW_BYTES, WINDOW_MAX } from "../../src/http2/frames.ts";
import { HpackDecoder } from "../../src/http2/hpack-decoder.ts";

interface RawFrame {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  /** As it came, with its reserved bit. */
  readonly id: number;
  readonly payload: Buffer;
}

interface Sent {
  hasHead: boolean;
  ended: boolean;
  reset: boolean;
  content: number;
  /** As its head said; -1: it did not. */
  length: number;
}

const FLAGS: ReadonlyMap<number, number> = new Map([
  [FRAME.DATA, FLAG.END_STREAM],
  [FRAME.HEADERS, FLAG.END_STREAM | FLAG.END_HEADERS],
  [FRAME.CONTINUATION, FLAG.END_HEADERS],
  [FRAME.RST_STREAM, 0],
  [FRAME.SETTINGS, FLAG.ACK],
  [FRAME.PING, FLAG.ACK],
  [FRAME.GOAWAY, 0],
  [FRAME.WINDOW_UPDATE, 0],
]);
const OF_CONNECTIONS = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]);

/** `received`: all that the server said; `sent`: all that was said to it, the preface first. */
export function breachesOf(sent: Buffer, received: Buffer): string[] {
  const breaches: string[] = [];
  const asked = framesOf(sent.subarray(0, PREFACE.length).equals(PREFACE) ? sent.subarray(PREFACE.length) : sent);
  const opened = new Set(asked.filter(({ type }) => type === FRAME.HEADERS).map(({ id }) => id & WINDOW_MAX));
  const pings = new Set(asked.filter(({ type }) => type === FRAME.PING).map(({ payload }) => payload.toString("hex")));
  let agreements = asked.filter(({ type, flags }) => type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0).length;
  const windows = windowsOf(asked);
  const streams = new Map<number, Sent>();
  const decoder = new HpackDecoder();
  let block: { readonly id: number; readonly ends: boolean; readonly parts: Buffer[] } | null = null;
  let content = 0;
  let last = Infinity;
  let isBroken = false;

  for (const [index, { length, type, flags, id, payload }] of framesOf(received).entries()) {
    const breach = (text: string): void => void breaches.push(`frame ${index}: ${text}`);
    const known = FLAGS.get(type);
    if (index === 0 && (type !== FRAME.SETTINGS || flags !== 0)) breach("the first is not SETTINGS (§3.4)");
    if (isBroken) breach("something behind GOAWAY with an error (§5.4.1)");
    if (length > 16_384) breach("more than 2^14 bytes (§4.2)");
    if (id > WINDOW_MAX) breach("the reserved bit is set (§4.1)");
    if (known === undefined) breach(type === FRAME.PUSH_PROMISE ? "a push (§8.4)" : `a frame of type ${type} (§5.5)`);
    else if ((flags & ~known) !== 0) breach("a flag that the type does not have (§4.1)");
    if (block !== null && (type !== FRAME.CONTINUATION || id !== block.id)) breach("a block is interrupted (§4.3)");
    if (id !== 0 && !opened.has(id)) breach("a stream that the client has not opened (§5.1.1)");
    const stream: Sent = streams.get(id) ?? { hasHead: false, ended: false, reset: false, content: 0, length: -1 };
    if (id !== 0) streams.set(id, stream);
    if (stream.reset) breach("something behind RST_STREAM (§5.1)");
    const isMessage = type === FRAME.DATA || type === FRAME.HEADERS;
    if (isMessage && stream.ended) breach("something behind END_STREAM (§5.1)");
    if (id === 0 && (isMessage || type === FRAME.RST_STREAM)) breach("no stream where one has to be (§6)");

    switch (type) {
      case FRAME.DATA:
        if (!stream.hasHead) breach("content without a head (§8.1)");
        content += length;
        stream.content += length;
        if (content > windows.connection || stream.content > windows.stream + (windows.streams.get(id) ?? 0)) {
          breach("more than the window lets through (§6.9.1)");
        }
        break;
      case FRAME.HEADERS:
        block = { id, ends: (flags & FLAG.END_STREAM) !== 0, parts: [payload] };
        break;
      case FRAME.CONTINUATION:
        if (block === null) breach("CONTINUATION without a block (§6.10)");
        block?.parts.push(payload);
        break;
      case FRAME.RST_STREAM:
        if (length !== 4) breach("RST_STREAM of another length (§6.4)");
        stream.reset = true;
        break;
      case FRAME.SETTINGS:
        if (id !== 0 || length % 6 !== 0) breach("SETTINGS that is none (§6.5)");
        if ((flags & FLAG.ACK) !== 0) {
          agreements -= 1;
          if (agreements < 0 || length > 0) breach("SETTINGS is agreed to that was not said (§6.5)");
        } else breaches.push(...settingsBreaches(payload));
        break;
      case FRAME.PING:
        if (id !== 0 || length !== 8) breach("PING that is none (§6.7)");
        else if ((flags & FLAG.ACK) !== 0 && !pings.has(payload.toString("hex"))) {
          breach("an answer to no PING (§6.7)");
        }
        break;
      case FRAME.GOAWAY: {
        const its = payload.readUInt32BE(0);
        if (its > last) breach("the last stream of GOAWAY has grown (§6.8)");
        last = its;
        if (id !== 0) breach("GOAWAY on a stream (§6.8)");
        isBroken = payload.readUInt32BE(4) !== 0;
        break;
      }
      case FRAME.WINDOW_UPDATE:
        if (length !== 4 || payload.readUInt32BE(0) === 0) breach("WINDOW_UPDATE by nothing (§6.9)");
        break;
      default:
    }

    if (block !== null && (flags & FLAG.END_HEADERS) !== 0) {
      const { ends, parts } = block;
      block = null;
      for (const text of blockBreaches(decoder, Buffer.concat(parts), stream, ends)) breach(text);
      if (ends) stream.ended = true;
    }
    if (type === FRAME.DATA && (flags & FLAG.END_STREAM) !== 0) stream.ended = true;
    if (stream.ended && stream.content > 0 && stream.length !== -1 && stream.content !== stream.length) {
      breach("content of another length than was said (§8.1.1)");
    }
  }
  return breaches;
}

function framesOf(bytes: Buffer): RawFrame[] {
  const frames: RawFrame[] = [];
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    if (payload.length < length) break;
    frames.push({
      length,
      type: bytes[at + 3] ?? 0,
      flags: bytes[at + 4] ?? 0,
      id: bytes.readUInt32BE(at + 5),
      payload,
    });
    at += 9 + length;
  }
  return frames;
}

/** All that the client ever lets through. */
function windowsOf(asked: readonly RawFrame[]): { connection: number; stream: number; streams: Map<number, number> } {
  const streams = new Map<number, number>();
  let connection = WINDOW_BYTES;
  // What the first SETTINGS says holds before anything is asked for; what a later one says may come too late to bind.
  let stream = -1;
  for (const { type, flags, id, payload } of asked) {
    if (type === FRAME.WINDOW_UPDATE && payload.length === 4) {
      const more = payload.readUInt32BE(0);
      if (id === 0) connection += more;
      else streams.set(id, (streams.get(id) ?? 0) + more);
    } else if (type === FRAME.SETTINGS && (flags & FLAG.ACK) === 0) {
      stream = Math.max(stream, initialWindow(payload) ?? (stream === -1 ? WINDOW_BYTES : -1));
    }
  }
  return { connection, stream: stream === -1 ? WINDOW_BYTES : stream, streams };
}

function initialWindow(payload: Buffer): number | null {
  let size: number | null = null;
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    if (payload.readUInt16BE(at) === SETTING.INITIAL_WINDOW_SIZE) size = payload.readUInt32BE(at + 2);
  }
  return size;
}

function settingsBreaches(payload: Buffer): string[] {
  const breaches: string[] = [];
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (id === SETTING.ENABLE_PUSH && value !== 0) breaches.push("a server allows pushes to itself (§6.5.2)");
    if (id === SETTING.INITIAL_WINDOW_SIZE && value > WINDOW_MAX) breaches.push("a window above 2^31 - 1 (§6.5.2)");
    if (id === SETTING.MAX_FRAME_SIZE && (value < 16_384 || value > 0xff_ffff)) {
      breaches.push("frames of an impossible size (§6.5.2)");
    }
  }
  return breaches;
}

function blockBreaches(decoder: HpackDecoder, block: Buffer, stream: Sent, ends: boolean): string[] {
  const breaches: string[] = [];
  const fields: { readonly name: string; readonly value: string }[] = [];
  const sink = {
    onField: ({ name, value }: { readonly name: string; readonly value: string }): void =>
      void fields.push({ name, value }),
  };
  if (!decoder.decode(block, 0, block.length, sink)) breaches.push("a block that cannot be decoded (§4.3)");
  const status = fields[0]?.name === ":status" ? Number(fields[0].value) : null;
  if (stream.hasHead) {
    if (!ends) breaches.push("a second head in the middle (§8.1)");
    if (fields.some(({ name }) => name.startsWith(":"))) breaches.push("a pseudo-field in trailers (§8.1)");
  } else if (status === null || !(status >= 100 && status < 600)) breaches.push("a head without its status (§8.3.2)");
  else if (status === 101) breaches.push("101, which HTTP/2 does not have (§8.6)");
  else if (status < 200 && ends) breaches.push("an interim head that ends its stream (§8.1)");
  else if (status >= 200) {
    stream.hasHead = true;
    stream.length = Number(fields.find(({ name }) => name === "content-length")?.value ?? -1);
  }
  for (const [index, { name, value }] of fields.entries()) {
    if (name.startsWith(":")) {
      if (index > 0) breaches.push("a pseudo-field behind another field, or a second one (§8.3)");
    } else if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) breaches.push(`the name ${JSON.stringify(name)} (§8.2.1)`);
    if (/[\0\r\n]|^[ \t]|[ \t]$/.test(value)) breaches.push(`the value ${JSON.stringify(value)} (§8.2.1)`);
    if (OF_CONNECTIONS.has(name)) breaches.push(`the field ${name} (§8.2.2)`);
  }
  return breaches;
}
