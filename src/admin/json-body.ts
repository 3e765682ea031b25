/**
 * The JSON body of a POST as a value of the contract. What is not understood is an error that names the field and what
 * it should be: an order that is half understood would be carried out as another one.
 */
import type { z } from "zod";
import type { Parsed } from "./exchange-query.ts";

export function parseBody<S extends z.ZodObject>(schema: S, body: string): Parsed<z.output<S>> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return refuse(body === "" ? "The body is empty; it has to be a JSON object." : "The body is not JSON.");
  }
  const parsed = schema.strict().safeParse(value);
  // Strictness takes fields away and adds none, so the value is still what the schema says.
  if (parsed.success) return { ok: true, value: parsed.data as z.output<S> };
  const [first] = parsed.error.issues;
  const where = first === undefined || first.path.length === 0 ? "The body" : first.path.map(String).join(".");
  return refuse(`${where}: ${first?.message ?? "not understood"}.`, where === "The body" ? undefined : where);
}

function refuse(detail: string, parameter?: string): Extract<Parsed<never>, { ok: false }> {
  return {
    ok: false,
    refusal: { status: 400, code: "bad-body", detail, ...(parameter === undefined ? {} : { parameter }) },
  };
}
