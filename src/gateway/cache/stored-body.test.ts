import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnswerBody } from "../stored-answer.ts";
import { StoredBody } from "./stored-body.ts";

/** Pulls until there is nothing; returns how it stopped. */
function drain(reader: AnswerBody, into: Buffer[]): "later" | "end" | "broken" {
  for (;;) {
    const piece = reader.pull();
    if (typeof piece === "string") return piece;
    into.push(Buffer.from(piece));
  }
}

describe("a stored body", () => {
  it("gives every reader the same bytes, whenever it begins and however it is written", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.boolean(), (pieces, seed, known) => {
        const total = pieces.reduce((sum, size) => sum + size, 0);
        const bytes = Buffer.from(Array.from({ length: total }, (_, index) => (index * 31 + seed) & 0xff));
        const body = new StoredBody(known ? total : -1);
        const readers: { reader: AnswerBody; got: Buffer[] }[] = [];
        let at = 0;
        for (const size of pieces) {
          readers.push({ reader: body.read(), got: [] });
          for (const { reader, got } of readers) expect(drain(reader, got)).toBe("later");
          body.append(bytes, at, at + size);
          at += size;
        }
        body.complete();
        readers.push({ reader: body.read(), got: [] });
        for (const { reader, got } of readers) {
          expect(drain(reader, got)).toBe("end");
          expect(Buffer.concat(got).equals(bytes)).toBe(true);
        }
        expect(body.readers).toBe(0);
        expect(Buffer.concat(body.pieces()).equals(bytes)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("gives a part of itself", () => {
    const body = StoredBody.from(Buffer.from("0123456789"));
    const got: Buffer[] = [];
    expect(drain(body.read(3, 7), got)).toBe("end");
    expect(Buffer.concat(got).toString()).toBe("3456");
  });

  it("wakes those who wait, once, and nobody else", () => {
    const body = new StoredBody(-1);
    const woken: string[] = [];
    const [waits, idle] = [body.read(), body.read()];
    waits.onMore = () => woken.push("waits");
    idle.onMore = () => woken.push("idle");
    waits.pull();
    body.append(Buffer.from("a"), 0, 1);
    body.wake();
    body.wake();
    expect(woken).toEqual(["waits"]);
  });

  it("that broke says why, after what it had", () => {
    const body = new StoredBody(10);
    body.append(Buffer.from("abc"), 0, 3);
    body.break({ cause: "origin.refused", evidence: "gone" });
    const got: Buffer[] = [];
    const reader = body.read();
    expect(drain(reader, got)).toBe("broken");
    expect(Buffer.concat(got).toString()).toBe("abc");
    expect(reader.failure).toEqual({ cause: "origin.refused", evidence: "gone" });
  });

  it("that is not kept holds no more than a window, and cuts off who falls behind it", () => {
    const body = new StoredBody(-1);
    const [fast, slow] = [body.read(), body.read()];
    body.becomeWindow();
    const piece = Buffer.alloc(64 * 1024, 1);
    let taken = 0;
    for (let index = 0; index < 100; index += 1) {
      body.append(piece, 0, piece.length);
      for (let got = fast.pull(); typeof got !== "string"; got = fast.pull()) taken += got.length;
      expect(body.heldBytes).toBeLessThanOrEqual(2 * 1024 * 1024);
    }
    expect(taken).toBe(100 * piece.length);
    expect(slow.pull()).toBe("broken");
    expect(slow.failure?.cause).toBe("client.slow");
    body.complete();
    expect(fast.pull()).toBe("end");
  });
});
