/** What a stream keeps of a request while its reader does not want it; http2-connection.test.ts has the rest at work. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { HEAD_ROOM, PLAIN, TAIL_ROOM } from "../kernel/socket.ts";
import type { SocketPort } from "../kernel/socket.ts";
import { StreamPort } from "./stream-port.ts";
import type { StreamCarrier } from "./stream-port.ts";

/** What stands before content for the size of its chunk. */
const CHUNK_HEAD_ROOM = 16;

const CARRIER: StreamCarrier = {
  carrier: PLAIN,
  socket: {} as SocketPort,
  sendHead() {},
  sendData() {},
  sendEnd() {},
  reset() {},
  settleLater() {},
  onFault(error) {
    throw error;
  },
};

/** Says of each piece how much is still to come, and returns what was delivered, with the buffer that it was in. */
function heldOf(pieces: readonly Uint8Array[], more: (behind: number) => number): { text: string; held: Buffer } {
  const stream = new StreamPort(CARRIER, 1, 0, 0);
  let left = pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (const piece of pieces) {
    left -= piece.length;
    stream.hold(Buffer.from(piece), 0, piece.length, more(left));
  }
  let text = "";
  let held: Buffer = Buffer.alloc(0);
  const count = stream.release((bytes, start, end) => {
    // Room for what is written around it.
    expect(start).toBeGreaterThanOrEqual(HEAD_ROOM);
    expect(end + TAIL_ROOM).toBeLessThanOrEqual(bytes.length);
    text = bytes.toString("hex", start, end);
    held = bytes;
  });
  expect(count * 2).toBe(text.length);
  return { text, held };
}

it("keeps all of it in its order, whatever was said of what is still to come", () => {
  const piece = fc.uint8Array({ minLength: 1, maxLength: 9_000 });
  const said = fc.constantFrom(
    () => Infinity,
    () => 0,
    (behind: number) => behind,
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), said, (pieces, more) => {
      expect(heldOf(pieces, more).text).toBe(Buffer.concat(pieces).toString("hex"));
    }),
    { numRuns: 50 },
  );
});

it("takes room for what is there when that is all, and for more when more may come", () => {
  const around = HEAD_ROOM + CHUNK_HEAD_ROOM + TAIL_ROOM;
  const call = [Buffer.alloc(105)];
  expect(heldOf(call, () => 0).held.length).toBe(around + 105);
  expect(heldOf(call, () => 300).held.length).toBe(around + 405);
  expect(heldOf(call, () => 1_000_000).held.length).toBe(around + 4096);
  expect(heldOf(call, () => Infinity).held.length).toBe(around + 4096);
});
