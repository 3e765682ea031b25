import { expect, it } from "vitest";
import { z } from "zod";
import { parseBody } from "./json-body.ts";

const schema = z.object({ by: z.string(), for: z.string().optional() });

it("reads what the contract says", () => {
  expect(parseBody(schema, '{"by":"ann"}')).toEqual({ ok: true, value: { by: "ann" } });
});

it.each([
  ["", /empty/],
  ["{by:1}", /not JSON/],
  ["[]", /The body: /],
  ['{"by":7}', /^by: /],
  ['{"by":"ann","fro":"1h"}', /fro/],
])("refuses %s and says why", (body, why) => {
  const parsed = parseBody(schema, body);
  expect(parsed.ok ? "" : parsed.refusal.detail).toMatch(why);
});
