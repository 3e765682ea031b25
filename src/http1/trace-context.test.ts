import { describe, expect, test } from "vitest";
import { parseTraceparent, writeFirstTraceparent } from "./trace-context.ts";
import { ByteWriter } from "./writer.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

describe("a traceparent", () => {
  test("is read", () => {
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-01`)).toEqual({
      traceId: TRACE,
      parentId: PARENT,
      sampled: true,
      flags: "01",
    });
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-00`)?.sampled).toBe(false);
    expect(parseTraceparent(`00-${TRACE}-${PARENT}-02`)?.sampled).toBe(false);
  });

  test("of a later version is read as far as this one knows it", () => {
    expect(parseTraceparent(`01-${TRACE}-${PARENT}-01`)?.traceId).toBe(TRACE);
    expect(parseTraceparent(`cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`)?.parentId).toBe(PARENT);
  });

  test.each([
    ["", "is empty"],
    [`00-${TRACE}-${PARENT}`, "has no flags"],
    [`00-${TRACE}-${PARENT}-01-x`, "of version 00 has something after its flags"],
    [`cc-${TRACE}-${PARENT}-01x`, "of a later version goes on without a dash"],
    [`ff-${TRACE}-${PARENT}-01`, "has the forbidden version"],
    [`00-${"0".repeat(32)}-${PARENT}-01`, "has a trace id of zeros"],
    [`00-${TRACE}-${"0".repeat(16)}-01`, "has a parent id of zeros"],
    [`00-${TRACE.toUpperCase()}-${PARENT}-01`, "has upper-case digits"],
    [`00-${TRACE.slice(1)}-${PARENT}-01`, "has a short trace id"],
    [`00-${TRACE}a-${PARENT}-01`, "has a long trace id"],
    [`00-${TRACE}-${PARENT}-1`, "has one digit of flags"],
    [`00-${TRACE}-${PARENT}-0g`, "has flags that are no digits"],
    [` 00-${TRACE}-${PARENT}-01`, "begins with a space"],
    [`00-${TRACE}-${PARENT}-01\n`, "ends with a line feed"],
    [`cc-${TRACE}-${PARENT}-01-${"x".repeat(300)}`, "is too long to be one"],
  ])("%j is refused: it %s", (value) => {
    expect(parseTraceparent(value)).toBeNull();
  });
});

test("a trace starts", () => {
  const writer = new ByteWriter(64);
  writeFirstTraceparent(writer, TRACE);
  const [name, value = "", rest] = writer.bytes.latin1Slice(0, writer.length).split(/: |\r\n/);
  expect([name, rest]).toEqual(["traceparent", ""]);
  expect(parseTraceparent(value)).toEqual({
    traceId: TRACE,
    parentId: TRACE.slice(16),
    sampled: false,
    flags: "00",
  });
});
