/**
 * The smallest WebSocket server that can be tried with a browser: it sends back every text and binary message
 * (RFC 6455). For the sample origins only; the gateway passes upgraded connections on without looking inside.
 *
 * It does not join fragments: each frame comes back as it came, which is the same message to the peer.
 */
import { createHash } from "node:crypto";
import type http from "node:http";
import type { Duplex } from "node:stream";

/** RFC 6455 §1.3: proves that the server understood the handshake. */
const HANDSHAKE_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const FRAME_BYTES_MAX = 1024 * 1024;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

export function acceptWebSocket(request: http.IncomingMessage, socket: Duplex, originName: string): void {
  socket.on("error", () => socket.destroy());
  const key = request.headers["sec-websocket-key"];
  if ((request.headers.upgrade ?? "").toLowerCase() !== "websocket" || key === undefined) {
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const accept = createHash("sha1")
    .update(key + HANDSHAKE_SUFFIX)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${accept}\r\nX-Sample-Origin: ${originName}\r\n\r\n`,
  );
  let waiting: Buffer = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
    for (let frame = readFrame(waiting); frame !== null; frame = readFrame(waiting)) {
      if (frame === "too big") {
        socket.destroy();
        return;
      }
      waiting = waiting.subarray(frame.length);
      respond(socket, frame);
    }
  });
}

interface Frame {
  /** The first byte: final bit and opcode. */
  readonly first: number;
  readonly payload: Buffer;
  /** Of the whole frame on the wire. */
  readonly length: number;
}

function respond(socket: Duplex, frame: Frame): void {
  const opcode = frame.first & 0x0f;
  if (opcode === PONG) return;
  // A close frame and every message come back as they are; a ping comes back as a pong (RFC 6455 §5.5).
  const first = opcode === PING ? (frame.first & 0xf0) | PONG : frame.first;
  socket.write(Buffer.concat([headOf(first, frame.payload.length), frame.payload]));
  if (opcode === CLOSE) socket.end();
}

/** RFC 6455 §5.2. Null while the frame is not complete. */
function readFrame(bytes: Buffer): Frame | "too big" | null {
  if (bytes.length < 2) return null;
  const second = bytes.readUInt8(1);
  const masked = (second & 0x80) !== 0;
  let size = second & 0x7f;
  let at = 2;
  if (size === 126) {
    if (bytes.length < 4) return null;
    size = bytes.readUInt16BE(2);
    at = 4;
  } else if (size === 127) {
    if (bytes.length < 10) return null;
    const large = bytes.readBigUInt64BE(2);
    if (large > BigInt(FRAME_BYTES_MAX)) return "too big";
    size = Number(large);
    at = 10;
  }
  const mask = masked ? bytes.subarray(at, at + 4) : null;
  if (masked) at += 4;
  if (bytes.length < at + size) return null;
  const payload = Buffer.from(bytes.subarray(at, at + size));
  if (mask !== null)
    for (let index = 0; index < size; index += 1) payload[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0);
  return { first: bytes.readUInt8(0), payload, length: at + size };
}

function headOf(first: number, size: number): Buffer {
  if (size < 126) return Buffer.from([first, size]);
  if (size < 65_536) return Buffer.from([first, 126, size >> 8, size & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(size), 2);
  return head;
}
