import { expect, it } from "vitest";
import { httpDate } from "./http-date.ts";

it("is the fixed form of RFC 9110 §5.6.7, new with each second, also backwards", () => {
  expect(httpDate(784_111_777_000)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  expect(httpDate(784_111_777_999)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  expect(httpDate(784_111_778_000)).toBe("Sun, 06 Nov 1994 08:49:38 GMT");
  expect(httpDate(0)).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
});
