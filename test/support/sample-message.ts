/** A message about an incident, and generated ones, for tests of sinks. */
import fc from "fast-check";
import type { AlertMessage } from "../../src/contract/alerts.ts";

const AT = Date.parse("2026-01-15T12:00:10Z");

export function sampleMessage(changes: Partial<AlertMessage> = {}): AlertMessage {
  return {
    key: "inc-1768478400-1/all/ops/open/0",
    thread: "inc-1768478400-1/ops",
    what: "open",
    isTest: false,
    incident: "inc-1768478400-1",
    severity: "critical",
    headline: "[critical] Pool aws of shop refuses connections",
    text: "Both origins of pool aws refuse connections. Pool gcp took over.",
    nextStep: "See whether the processes run.",
    facts: [
      { name: "cause", value: "origin.refused" },
      { name: "at fault", value: "origin" },
    ],
    services: ["shop"],
    firstServices: ["shop"],
    where: { service: "shop", pool: "aws" },
    cause: "origin.refused",
    party: "origin",
    node: "gate-1",
    at: AT,
    startsAt: AT - 10_000,
    endsAt: null,
    ...changes,
  };
}

/** Long, odd and hostile ones. */
export function anyMessage(): fc.Arbitrary<AlertMessage> {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    // Long and quick to make.
    fc
      .tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 12 }), fc.integer({ min: 300, max: 3000 }))
      .map(([piece, times]) => piece.repeat(times)),
    fc.constantFrom("", "<!channel> & <@U1>", "a\r\nBcc: x@example.com", "😀".repeat(5000)),
  );
  return fc
    .record({
      what: fc.constantFrom<AlertMessage["what"]>("open", "update", "repeat", "escalate", "taken", "recovered"),
      severity: fc.constantFrom<AlertMessage["severity"]>("critical", "warning", "notice"),
      // One always begins with what kind of message it is.
      headline: text.map((words) => `[warning] ${words}`),
      text,
      nextStep: text,
      thread: text,
      node: text,
      cause: text,
      facts: fc.array(fc.record({ name: fc.string({ maxLength: 30 }), value: text }), { maxLength: 20 }),
      services: fc.array(text, { maxLength: 3 }),
      where: fc.dictionary(fc.constantFrom("service", "pool", "origin"), text),
    })
    .map((changes) => sampleMessage({ ...changes, endsAt: changes.what === "recovered" ? AT : null }));
}
