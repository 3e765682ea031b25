import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReplayBuffer } from "./replay-buffer.ts";

function filled(
  limit: number,
  bytesMax: number,
): { buffer: ReplayBuffer; budget: { bytes: number; bytesMax: number } } {
  const budget = { bytes: 0, bytesMax };
  return { buffer: new ReplayBuffer(limit, budget), budget };
}

function keep(buffer: ReplayBuffer, text: string, must = false): void {
  const bytes = Buffer.from(`<<${text}>>`);
  buffer.keep(bytes, 2, bytes.length - 2, must);
  bytes.fill(0);
}

describe("a replay buffer", () => {
  it("keeps copies of what came, in order", () => {
    const { buffer, budget } = filled(10, 100);
    keep(buffer, "abc");
    keep(buffer, "def");
    expect(Buffer.concat(buffer.pieces).toString()).toBe("abcdef");
    expect([buffer.replayable, buffer.bytes, budget.bytes]).toEqual(["yes", 6, 6]);
  });

  it("is full exactly at its limit and lets everything go one byte above it", () => {
    const { buffer, budget } = filled(6, 100);
    keep(buffer, "abcdef");
    expect(buffer.replayable).toBe("yes");
    keep(buffer, "g");
    expect([buffer.replayable, buffer.bytes, budget.bytes, buffer.pieces.length]).toEqual(["body-too-large", 0, 0, 0]);
    keep(buffer, "h");
    expect(buffer.bytes).toBe(0);
  });

  it("says which of the two bounds it met", () => {
    const { buffer } = filled(10, 4);
    keep(buffer, "abcde");
    expect(buffer.replayable).toBe("buffers-full");
  });

  it("keeps what nobody has yet whatever the bounds, and lets it go once it was sent", () => {
    const { buffer, budget } = filled(2, 3);
    keep(buffer, "abcdef", true);
    keep(buffer, "ghi", true);
    expect(Buffer.concat(buffer.pieces).toString()).toBe("abcdefghi");
    expect(budget.bytes).toBe(9);
    buffer.sent();
    expect([buffer.bytes, budget.bytes]).toEqual([0, 0]);
  });

  it("keeps what can be repeated after it was sent", () => {
    const { buffer } = filled(10, 10);
    keep(buffer, "abc", true);
    buffer.sent();
    expect(buffer.bytes).toBe(3);
  });

  it("takes part of a budget that others have used up again when they let go", () => {
    const budget = { bytes: 0, bytesMax: 5 };
    const [first, second] = [new ReplayBuffer(5, budget), new ReplayBuffer(5, budget)];
    keep(first, "abcde");
    first.release();
    first.release();
    keep(second, "abcde");
    expect([second.replayable, budget.bytes]).toEqual(["yes", 5]);
  });

  it("never leaves a byte of the budget behind, and holds all or nothing", () => {
    const step = fc.record({ size: fc.nat(8), must: fc.boolean(), sent: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(20), fc.nat(30), fc.array(step), (limit, bytesMax, steps) => {
        const { buffer, budget } = filled(limit, bytesMax);
        let since = "";
        for (const { size, must, sent } of steps) {
          const text = "x".repeat(size);
          keep(buffer, text, must);
          since = buffer.bytes === 0 ? "" : since + text;
          if (sent) {
            buffer.sent();
            if (buffer.bytes === 0) since = "";
          }
          expect(budget.bytes).toBe(buffer.bytes);
          expect(Buffer.concat(buffer.pieces)).toHaveLength(since.length);
          if (buffer.replayable === "yes") expect(buffer.bytes).toBeLessThanOrEqual(limit);
        }
        buffer.release();
        expect(budget.bytes).toBe(0);
      }),
    );
  });
});
