import { describe, expect, it } from "vitest";
import { z } from "zod";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import { openApi } from "./openapi.ts";
import { OPERATIONS } from "./operations.ts";

/** As much of OpenAPI 3.1 as the document uses; an object with other members than these is refused. */
const schema = z.record(z.string(), z.unknown());
const content = z.record(z.string(), z.strictObject({ schema }));
const response = z.strictObject({ description: z.string().min(1), content });
const reference = z.strictObject({ $ref: z.string() });
const parameter = z.strictObject({
  name: z.string(),
  in: z.enum(["path", "query"]),
  required: z.boolean().optional(),
  description: z.string().optional(),
  schema,
});
const operation = z.strictObject({
  operationId: z.string(),
  summary: z.string().min(1),
  parameters: z.array(parameter),
  requestBody: z.strictObject({ required: z.literal(true), content }).optional(),
  responses: z.record(z.string().regex(/^[2-5]\d\d$/), z.union([response, reference])),
});
const documentShape = z.strictObject({
  openapi: z.literal("3.1.1"),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  servers: z.array(z.strictObject({ url: z.string() })),
  security: z.array(z.record(z.string(), z.array(z.never()))),
  paths: z.record(
    z.string().startsWith("/"),
    z.strictObject({ get: operation.optional(), post: operation.optional() }),
  ),
  components: z.strictObject({
    securitySchemes: z.record(z.string(), schema),
    responses: z.record(z.string(), response),
    schemas: z.record(z.string(), schema),
  }),
});

const document = documentShape.parse(JSON.parse(JSON.stringify(openApi())));

type PathItem = (typeof document.paths)[string];

function operationsOf({ get, post }: PathItem): z.infer<typeof operation>[] {
  return [get, post].filter((one) => one !== undefined);
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === "$ref" ? [String(inner)] : referencesIn(inner)));
}

describe("the OpenAPI document", () => {
  it("describes every operation, each under a name of its own, and no other", () => {
    expect(new Set(Object.keys(document.paths))).toEqual(new Set(OPERATIONS.map((operation) => operation.path)));
    const ids = Object.values(document.paths).flatMap((path) => operationsOf(path).map((one) => one.operationId));
    expect(ids.toSorted()).toEqual(OPERATIONS.map((operation) => operation.id).toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("refers only to what it holds", () => {
    const references = new Set(referencesIn(document));
    for (const text of references) {
      let at: unknown = document;
      for (const step of text.replace("#/", "").split("/")) at = (at as Record<string, unknown>)[step];
      expect(at, text).toBeTypeOf("object");
    }
    expect(references.size).toBeGreaterThan(10);
  });

  it("declares each parameter of a path", () => {
    for (const [path, item] of Object.entries(document.paths)) {
      for (const operation of operationsOf(item)) {
        const inPath = operation.parameters.filter((one) => one.in === "path").map((one) => one.name);
        expect(inPath, path).toEqual(path.includes("{id}") ? ["id"] : []);
      }
    }
  });

  it("holds every schema of the contract, and none forbids fields that come later", () => {
    expect(Object.keys(document.components.schemas).toSorted()).toEqual(
      ["CauseId", ...Object.keys(API_SCHEMAS)].toSorted(),
    );
    expect(JSON.stringify(document)).not.toContain('"additionalProperties":false');
    expect(JSON.stringify(document)).not.toContain("$schema");
  });

  it("is the same each time, so that the generated page is stable", () => {
    expect(openApi()).toEqual(openApi());
  });
});
