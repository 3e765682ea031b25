import { expect, test } from "vitest";
import { clockText, zoneText } from "./moments.ts";

const NOW = Date.UTC(2026, 10, 21, 14, 10, 0);

test("today only the time is told, earlier the day as well, and in another year the year", () => {
  expect(clockText(NOW - 60_000, NOW, "UTC")).toBe("14:09:00");
  expect(clockText(NOW - 86_400_000, NOW, "UTC")).toBe("20 Nov, 14:10:00");
  expect(clockText(NOW - 400 * 86_400_000, NOW, "UTC")).toBe("17 Oct 2025, 14:10:00");
  expect(clockText(Date.UTC(2026, 10, 21, 0, 0, 0), NOW, "UTC")).toBe("00:00:00");
});

test("what is no date is shown as it is, and the page goes on", () => {
  expect(clockText(9e15, NOW, "UTC")).toBe("9000000000000000");
});

test("the zone is named", () => {
  expect(zoneText("UTC", NOW)).toBe("UTC");
  expect(zoneText("local", NOW)).toMatch(/UTC/);
});
