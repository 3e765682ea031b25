import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { judgeContinuation, missingRange, promisedBody, SKIP_MAX_BYTES } from "./resumable.ts";
import type { PromisedBody, ResponseFacts } from "./resumable.ts";

const MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT";
const A_MINUTE_LATER = "Sun, 06 Nov 1994 08:50:37 GMT";

const FACTS: ResponseFacts = {
  status: 200,
  contentLength: 1000,
  contentRange: null,
  contentType: "video/mp4",
  contentEncoding: null,
  etag: '"v1"',
  lastModified: null,
  date: null,
};

function promised(change: Partial<ResponseFacts> = {}): PromisedBody {
  const result = promisedBody({ ...FACTS, ...change });
  if (!result.resumable) throw new Error(result.why);
  return result.body;
}

/** What an origin that has the same bytes answers to `missingRange`. */
function rest(body: PromisedBody, received: number, change: Partial<ResponseFacts> = {}): ResponseFacts {
  const from = body.first + received;
  return {
    ...FACTS,
    status: 206,
    contentLength: body.last - from + 1,
    contentRange: `bytes ${from}-${body.last}/${body.complete}`,
    ...change,
  };
}

describe("a body that can be continued", () => {
  it("is a whole one with a length and a strong tag", () => {
    expect(promised()).toEqual({
      validator: '"v1"',
      validatedBy: "etag",
      first: 0,
      last: 999,
      complete: 1000,
      whole: true,
      contentType: "video/mp4",
      contentEncoding: null,
    });
  });

  it("is also the one part that a client asked for", () => {
    const part = { status: 206, contentLength: 100, contentRange: "bytes 200-299/1000" };
    expect(promised(part)).toMatchObject({ first: 200, last: 299, complete: 1000, whole: false });
    expect(missingRange(promised(part), 0)).toBe("bytes=200-299");
    expect(missingRange(promised(part), 99)).toBe("bytes=299-299");
  });

  it("is dated when there is no tag and a minute lies between its change and its Date", () => {
    const dated = { etag: null, lastModified: MODIFIED, date: A_MINUTE_LATER };
    expect(promised(dated)).toMatchObject({ validator: MODIFIED, validatedBy: "date" });
  });

  it.each<[string, Partial<ResponseFacts>]>([
    ["resume.refused.status", { status: 203 }],
    ["resume.refused.status", { status: 404 }],
    ["resume.refused.status", { status: 206, contentRange: null }],
    ["resume.refused.status", { status: 206, contentRange: "bytes 0-999/*" }],
    ["resume.refused.status", { status: 206, contentRange: "bytes 0-998/1000" }],
    ["resume.refused.status", { status: 206, contentRange: "bytes 999-0/1000" }],
    ["resume.refused.status", { status: 206, contentRange: "bytes 1-1000/1000" }],
    ["resume.refused.status", { status: 206, contentRange: "bytes 0-999/1000, bytes 0-999/1000" }],
    ["resume.refused.status", { status: 206, contentRange: "lines 0-999/1000" }],
    ["resume.refused.status", { status: 206, contentRange: null, contentType: "multipart/byteranges; boundary=x" }],
    ["resume.refused.no-length", { contentLength: -1 }],
    ["resume.refused.no-validator", { etag: null }],
    ["resume.refused.no-validator", { etag: 'W/"v1"' }],
    ["resume.refused.no-validator", { etag: "v1" }],
    ["resume.refused.no-validator", { etag: '"v1", "v2"' }],
    ["resume.refused.no-validator", { etag: "" }],
    // A weak tag is not made up for by a date (RFC 9110 §13.1.5).
    ["resume.refused.no-validator", { etag: 'W/"v1"', lastModified: MODIFIED, date: A_MINUTE_LATER }],
    ["resume.refused.no-validator", { etag: null, lastModified: MODIFIED }],
    ["resume.refused.no-validator", { etag: null, lastModified: MODIFIED, date: MODIFIED }],
    ["resume.refused.no-validator", { etag: null, lastModified: MODIFIED, date: "Sun, 06 Nov 1994 08:50:36 GMT" }],
    ["resume.refused.no-validator", { etag: null, lastModified: "1994-11-06", date: A_MINUTE_LATER }],
    ["resume.refused.no-validator", { etag: null, lastModified: MODIFIED, date: "tomorrow" }],
  ])("is not: %s for %j", (code, change) => {
    expect(promisedBody({ ...FACTS, ...change })).toMatchObject({ resumable: false, code });
  });
});

describe("an answer to the question for the rest", () => {
  it.each([0, 1, 500, 999])("continues it at byte %i", (received) => {
    const body = promised();
    expect(judgeContinuation(body, received, rest(body, received))).toEqual({ fits: true, skip: 0 });
  });

  it("may leave out what the client knows already, as RFC 9110 §15.3.7 wants it", () => {
    expect(judgeContinuation(promised(), 10, rest(promised(), 10, { contentType: null }))).toMatchObject({
      fits: true,
    });
  });

  it("that is everything again is used from where the client is, up to a bound", () => {
    expect(judgeContinuation(promised(), 10, FACTS)).toEqual({ fits: true, skip: 10 });
    const large = { contentLength: SKIP_MAX_BYTES * 4 };
    const body = promised(large);
    expect(judgeContinuation(body, SKIP_MAX_BYTES, { ...FACTS, ...large })).toMatchObject({ fits: true });
    expect(judgeContinuation(body, SKIP_MAX_BYTES + 1, { ...FACTS, ...large })).toMatchObject({
      fits: false,
      code: "resume.mismatch.range-ignored",
    });
  });

  it("must not rest on a date when the client's body rests on a tag, or the other way round", () => {
    const dated = promised({ etag: null, lastModified: MODIFIED, date: A_MINUTE_LATER });
    expect(judgeContinuation(dated, 10, rest(dated, 10, { etag: '"v1"', lastModified: null }))).toMatchObject({
      code: "resume.mismatch.validator",
    });
    expect(
      judgeContinuation(promised(), 10, rest(promised(), 10, { etag: null, lastModified: MODIFIED })),
    ).toMatchObject({
      code: "resume.mismatch.validator",
    });
    expect(judgeContinuation(dated, 10, rest(dated, 10, { etag: '"v2"', lastModified: MODIFIED }))).toMatchObject({
      fits: true,
    });
  });

  it.each<[string, Partial<ResponseFacts>]>([
    ["resume.mismatch.validator", { etag: '"v2"' }],
    ["resume.mismatch.validator", { etag: 'W/"v1"' }],
    ["resume.mismatch.validator", { etag: null }],
    ["resume.mismatch.validator", { status: 200, contentLength: 1000, contentRange: null, etag: '"v2"' }],
    ["resume.mismatch.validator", { status: 304 }],
    ["resume.mismatch.validator", { status: 412 }],
    ["resume.mismatch.validator", { status: 416, contentRange: "bytes */5" }],
    ["resume.mismatch.range", { contentRange: null }],
    ["resume.mismatch.range", { contentRange: "bytes 99-999/1000", contentLength: 901 }],
    ["resume.mismatch.range", { contentRange: "bytes 101-999/1000", contentLength: 899 }],
    ["resume.mismatch.range", { contentRange: "bytes 101-999/1000", contentLength: 900 }],
    ["resume.mismatch.range", { contentRange: "bytes 100-998/1000", contentLength: 899 }],
    ["resume.mismatch.range", { contentRange: "bytes 100-999/1001" }],
    ["resume.mismatch.range", { contentRange: "bytes 100-999/*" }],
    ["resume.mismatch.range", { contentLength: 899 }],
    ["resume.mismatch.range", { contentLength: -1 }],
    ["resume.mismatch.range", { status: 200, contentLength: 999 }],
    ["resume.mismatch.range", { status: 200, contentLength: -1 }],
    ["resume.mismatch.coding", { contentEncoding: "gzip" }],
    ["resume.mismatch.type", { contentType: "multipart/byteranges; boundary=x" }],
    ["resume.mismatch.status", { status: 404 }],
    ["resume.mismatch.status", { status: 302 }],
    ["resume.mismatch.status", { status: 204, contentLength: -1 }],
  ])("is refused: %s for %j", (code, change) => {
    const body = promised();
    expect(judgeContinuation(body, 100, rest(body, 100, change))).toMatchObject({ fits: false, code });
  });

  it("that is the whole cannot continue a part", () => {
    const part = promised({ status: 206, contentLength: 100, contentRange: "bytes 0-99/1000" });
    expect(judgeContinuation(part, 50, FACTS)).toMatchObject({ code: "resume.mismatch.range" });
    const all = promised({ status: 206, contentLength: 1000, contentRange: "bytes 0-999/1000" });
    expect(judgeContinuation(all, 50, FACTS)).toMatchObject({ code: "resume.mismatch.range" });
  });

  it("that lost the coding of a coded body is refused", () => {
    const body = promised({ contentEncoding: "br" });
    expect(judgeContinuation(body, 100, rest(body, 100))).toMatchObject({ code: "resume.mismatch.coding" });
    expect(judgeContinuation(body, 100, rest(body, 100, { contentEncoding: "br" }))).toMatchObject({ fits: true });
  });
});

test("whatever is cut and asked for again, the parts that fit make exactly the promised bytes", () => {
  const length = fc.integer({ min: 1, max: 9_000_000_000_000 });
  fc.assert(
    fc.property(length, fc.nat(), fc.nat(), fc.boolean(), (complete, a, b, part) => {
      const first = part ? a % complete : 0;
      const last = part ? first + (b % (complete - first)) : complete - 1;
      const bytes = last - first + 1;
      const body = promised(
        part
          ? { status: 206, contentLength: bytes, contentRange: `bytes ${first}-${last}/${complete}` }
          : { contentLength: bytes },
      );
      const received = b % bytes;
      const [from, to] = missingRange(body, received).slice("bytes=".length).split("-").map(Number);
      expect(from).toBe(first + received);
      expect(to).toBe(last);
      expect(judgeContinuation(body, received, rest(body, received))).toEqual({ fits: true, skip: 0 });
      // One byte more or less on either side is another body.
      for (const [off, offEnd] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ] as const) {
        const contentRange = `bytes ${first + received + off}-${last + offEnd}/${complete}`;
        const contentLength = last + offEnd - (first + received + off) + 1;
        expect(judgeContinuation(body, received, rest(body, received, { contentRange, contentLength })).fits).toBe(
          false,
        );
      }
    }),
  );
});

test("no text in the fields of a head makes it throw, and nothing but the same validator fits", () => {
  const text = fc.option(fc.string(), { nil: null });
  const facts = fc.record({
    status: fc.constantFrom(200, 206, 304, 416, 500),
    contentLength: fc.integer({ min: -1, max: 2000 }),
    contentRange: fc.oneof(text, fc.constant("bytes 100-999/1000")),
    contentType: fc.oneof(text, fc.constant("video/mp4")),
    contentEncoding: fc.oneof(text, fc.constant(null)),
    etag: fc.oneof(text, fc.constant('"v1"'), fc.constant('W/"v1"')),
    lastModified: text,
    date: text,
  });
  fc.assert(
    fc.property(facts, (head) => {
      promisedBody(head);
      const verdict = judgeContinuation(promised(), 100, head);
      if (verdict.fits) expect(head.etag).toBe('"v1"');
    }),
  );
});
