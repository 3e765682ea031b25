/** The JSON Schema (2020-12) of what an operator writes, for editors, for the reference and for hints about keys. */
import { z } from "zod";
import { fieldFacts } from "./fields.ts";
import type { Path } from "./problems.ts";
import { fileSchema } from "./schema.ts";

/** The part of JSON Schema that ours uses. `x-type` and `x-bounds` say for people what the rest says for programs. */
export interface JsonSchema {
  readonly type?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly propertyNames?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly anyOf?: readonly JsonSchema[];
  readonly "x-type"?: string;
  readonly "x-bounds"?: string;
}

export function fileJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      const facts = fieldFacts.get(zodSchema);
      if (facts === undefined) return;
      Object.assign(
        jsonSchema,
        facts.json,
        { "x-type": facts.type },
        facts.bounds === "" ? {} : { "x-bounds": facts.bounds },
      );
    },
  });
  return {
    title: "Goodgate configuration",
    ...schema,
  } as JsonSchema;
}

/** The mapping that a schema allows: itself, or the long form beside a short one. */
export function mappingOf(schema: JsonSchema): JsonSchema | null {
  if (schema.properties !== undefined || typeof schema.additionalProperties === "object") return schema;
  return schema.anyOf?.map(mappingOf).find((option) => option !== null) ?? null;
}

/** The schema at a path of the file, or null where the file has no such place. */
export function schemaAt(schema: JsonSchema, path: Path): JsonSchema | null {
  let at: JsonSchema | null = schema;
  for (const part of path) {
    if (typeof part === "number") {
      at = at?.items ?? at?.anyOf?.find((option) => option.items !== undefined)?.items ?? null;
      continue;
    }
    const mapping: JsonSchema | null = at === null ? null : mappingOf(at);
    const named =
      mapping?.properties !== undefined && Object.hasOwn(mapping.properties, part)
        ? mapping.properties[part]
        : undefined;
    at = named ?? (typeof mapping?.additionalProperties === "object" ? mapping.additionalProperties : null);
  }
  return at;
}

/** The keys that a mapping at this path may have. */
export function keysAt(schema: JsonSchema, path: Path): readonly string[] {
  const at = schemaAt(schema, path);
  return Object.keys((at === null ? null : mappingOf(at))?.properties ?? {});
}

/** Where a key belongs, as paths for people: `services.NAME.health`, `listeners[]`, `the top level`. */
export function homesOf(schema: JsonSchema, key: string): readonly string[] {
  const homes: string[] = [];
  visit(schema, "");
  return homes;

  function visit(at: JsonSchema, path: string): void {
    if (at.items !== undefined) visit(at.items, `${path}[]`);
    const mapping = mappingOf(at);
    if (mapping === null) return;
    const { properties = {}, additionalProperties } = mapping;
    if (Object.hasOwn(properties, key)) homes.push(path === "" ? "the top level" : path);
    for (const [name, property] of Object.entries(properties)) visit(property, path === "" ? name : `${path}.${name}`);
    if (typeof additionalProperties === "object") visit(additionalProperties, `${path}.NAME`);
  }
}
