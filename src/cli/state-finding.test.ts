import { describe, expect, test } from "vitest";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { stateFinding } from "./state-finding.ts";

function settings(more: string): Settings {
  const loaded = loadSettings(`services: { a: { pools: [{ origins: ["http://127.0.0.1:1"] }] ${more}`, "test");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings;
}

const HONOUR = settings("} }");
const REQUIRED = settings(", routes: [{ name: pay, idempotencyKey: required }] } }");

describe("the state directory, as doctor sees it", () => {
  test("is fine when it can be written, and when it is not wanted", () => {
    expect(stateFinding(REQUIRED, { directory: "/var/lib/goodgate", code: null }).level).toBe("ok");
    expect(stateFinding(settings("} }\nstate: false"), { directory: null, code: null }).level).toBe("ok");
  });

  test.each([
    [{ directory: "/var/lib/goodgate", code: "EACCES" }, "EACCES"],
    [{ directory: "/var/lib/goodgate", code: "ENOSPC" }, "is full: routes that require Idempotency-Key refuse"],
    [{ directory: null, code: null }, "no place is known"],
  ])("%j is a warning, and worse where a route requires keys", (place, says) => {
    expect(stateFinding(HONOUR, place)).toMatchObject({ level: "warn" });
    expect(stateFinding(REQUIRED, place)).toMatchObject({ level: "bad" });
    expect(stateFinding(REQUIRED, place).says).toContain(says);
    expect(stateFinding(REQUIRED, place).todo).not.toBe("");
  });
});
