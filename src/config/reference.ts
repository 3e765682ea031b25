/**
 * The reference page of the configuration and its JSON Schema, both made from the one schema, so that a key
 * cannot exist without being described. `tools/docs.ts` writes them to docs/reference/.
 */
import { EXAMPLE } from "./example.ts";
import { fileJsonSchema, mappingOf } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";

/** JSON Schema 2020-12 of what an operator writes. */
export function jsonSchema(): unknown {
  return fileJsonSchema();
}

/** Markdown. */
export function configurationReference(): string {
  const sections = sectionsOf(fileJsonSchema(), "", "");
  return [
    "# Configuration reference",
    "",
    "Every key of the configuration file. The guide is [configuration.md](../guide/configuration.md); how routes are chosen is in [routing.md](../guide/routing.md).",
    "",
    "- A key that is not listed here is an error. So is a key that is written twice.",
    "- Everything has a default except where the table says **required**; what is left out has its default.",
    "- `false` in place of a mapping switches that part off, where the text says so.",
    "- A duration is a number with `ms`, `s`, `m`, `h` or `d`; a size a number with `B`, `KiB`, `MiB`, `GiB`, `KB`, `MB` or `GB`. Bare numbers are refused. A ratio is a percentage or a number from 0 to 1.",
    "- `NAME` stands for a name that you choose, `[]` for each entry of a list.",
    "- Anchors, aliases and merge keys (`<<`) of YAML work; tags do not.",
    "- `goodgate.schema.json` beside this page is the same as a JSON Schema, for editors.",
    "",
    "## An example",
    "",
    "```yaml goodgate",
    EXAMPLE.trimEnd(),
    "```",
    "",
    ...sections,
  ].join("\n");
}

/** The section of a mapping and of all mappings inside of it, in the order of the schema. */
function sectionsOf(schema: JsonSchema, path: string, description: string): string[] {
  const mapping = mappingOf(schema);
  if (mapping?.properties === undefined) return [];
  const { properties, required = [] } = mapping;
  const rows = Object.entries(properties).map(([key, property]) => rowOf(key, property, path, required.includes(key)));
  const inner = Object.entries(properties).flatMap(([key, property]) =>
    innerSections(property, path === "" ? key : `${path}.${key}`),
  );
  return [
    `## ${path === "" ? "Top level" : `\`${path}\``}`,
    "",
    ...(description === "" ? [] : [description, ""]),
    "| key | value | default | bounds | meaning |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    ...inner,
  ];
}

function innerSections(property: JsonSchema, path: string): string[] {
  const description = property.description ?? "";
  if (property.items !== undefined) return sectionsOf(property.items, `${path}[]`, description);
  const { additionalProperties } = property;
  if (typeof additionalProperties === "object") return sectionsOf(additionalProperties, `${path}.NAME`, description);
  return sectionsOf(property, path, description);
}

function rowOf(key: string, property: JsonSchema, path: string, isRequired: boolean): string {
  const cells = [
    `\`${key}\``,
    valueText(property),
    isRequired ? "**required**" : defaultText(property),
    boundsText(property),
    `${property.description ?? ""}${linkText(property, path === "" ? key : `${path}.${key}`)}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function valueText(property: JsonSchema): string {
  if (property["x-type"] !== undefined) return property["x-type"];
  if (property.anyOf !== undefined) return [...new Set(property.anyOf.map(valueText))].join(" or ");
  if (property.items !== undefined) return `list of ${plural(valueText(property.items))}`;
  if (typeof property.additionalProperties === "object") {
    const names = property.propertyNames?.["x-type"] ?? "name";
    return `mapping of ${plural(names)} to ${plural(valueText(property.additionalProperties))}`;
  }
  return "mapping";
}

function plural(noun: string): string {
  return noun
    .split(" or ")
    .map((part) => (part.endsWith("s") ? `${part}es` : `${part}s`))
    .join(" or ");
}

function defaultText(property: JsonSchema): string {
  const value = property.default;
  // What a missing key means in a sentence stands in its description.
  if (value === undefined) return property.description?.includes("Default:") === true ? "see meaning" : "none";
  if (Array.isArray(value) && value.length === 0) return "none";
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) {
    return mappingOf(property)?.properties === undefined ? "none" : "its defaults";
  }
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function boundsText(property: JsonSchema): string {
  const { minItems = 0, maxItems } = property;
  if (maxItems !== undefined) return `${minItems === 0 ? "at most" : `${minItems} to`} ${maxItems} entries`;
  return property["x-bounds"] ?? "";
}

/** A link to the section of a mapping, by the anchor that Markdown renderers make from its heading. */
function linkText(property: JsonSchema, path: string): string {
  const suffix =
    property.items === undefined ? (typeof property.additionalProperties === "object" ? ".NAME" : "") : "[]";
  const target =
    property.items ?? (typeof property.additionalProperties === "object" ? property.additionalProperties : property);
  if (mappingOf(target)?.properties === undefined) return "";
  const anchor = `${path}${suffix}`.toLowerCase().replaceAll(/[^a-z0-9_-]/g, "");
  return ` See [\`${path}${suffix}\`](#${anchor}).`;
}
