import { expect, test } from "vitest";
import type { Step } from "../contract/record.ts";
import { DECISIONS } from "./decisions.ts";

test("every code is dotted lower-case words, belongs to a step of the pipeline and is explained in a sentence", () => {
  for (const [code, decision] of Object.entries(DECISIONS)) {
    expect(code).toMatch(/^[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+$/);
    // A step that the pipeline does not have would not compile here.
    const step: Step = decision.step;
    expect(step).not.toBe("");
    expect(decision.meaning, code).toMatch(/^[A-Z].*\.$/);
  }
});
