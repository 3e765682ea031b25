import fc from "fast-check";
import { expect, test } from "vitest";
import { checkValue } from "../config/load.ts";
import type { MessageHead } from "../http1/head.ts";
import { FINGERPRINT_BYTES, Fingerprint } from "./idempotency-scope.ts";
import { readHeadAgain } from "./read-head-again.ts";

const { settings } = checkValue({ services: { shop: { pools: [{ origins: ["http://a"] }] } } });
const KEYS = settings?.services[0]?.routes[0]?.idempotencyKey;

function printOf(body: Buffer, cuts: readonly number[] = []): { digest: string; whole: string; full: boolean } {
  if (KEYS === undefined) throw new Error("no settings");
  let print: Fingerprint | null = null;
  const text = `POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
  readHeadAgain(Buffer.from(text), (head: MessageHead) => {
    print = new Fingerprint(head, "x", KEYS);
  });
  const made = print as Fingerprint | null;
  if (made === null) throw new Error("no head");
  let from = 0;
  for (const to of [...cuts.toSorted((a, b) => a - b), body.length]) {
    if (to > body.length || to < from) continue;
    made.add(body, from, to);
    from = to;
  }
  return { digest: made.digest(), whole: made.whole(), full: made.full };
}

const LARGE = Buffer.alloc(FINGERPRINT_BYTES + 5_000, "ab");

test("both fingerprints are the same in whatever pieces the body comes", () => {
  const once = printOf(LARGE);
  const cut = fc.oneof(fc.nat(LARGE.length), fc.integer({ min: FINGERPRINT_BYTES - 2, max: FINGERPRINT_BYTES + 2 }));
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 6 }), (cuts) => {
      expect(printOf(LARGE, cuts)).toEqual(once);
    }),
    { numRuns: 50 },
  );
});

test("of a short body the two are one; of a long one the first knows its beginning and the second its end", () => {
  const short = printOf(LARGE.subarray(0, FINGERPRINT_BYTES));
  expect(short.full).toBe(false);
  expect(short.digest).toBe(short.whole);
  const changed = Buffer.from(LARGE);
  changed[changed.length - 1] = 0;
  const [one, other] = [printOf(LARGE), printOf(changed)];
  expect(one.full).toBe(true);
  expect(one.digest).toBe(other.digest);
  expect(one.whole).not.toBe(other.whole);
  changed[FINGERPRINT_BYTES - 1] = 0;
  expect(printOf(changed).digest).not.toBe(one.digest);
});
