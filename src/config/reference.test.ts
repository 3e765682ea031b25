import { expect, test } from "vitest";
import { EXAMPLE } from "./example.ts";
import { fileJsonSchema, homesOf, keysAt, mappingOf } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";
import { loadSettings } from "./load.ts";
import { configurationReference, jsonSchema } from "./reference.ts";

interface Key {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

function allKeys(schema: JsonSchema, path: string): Key[] {
  if (schema.items !== undefined) return allKeys(schema.items, `${path}[]`);
  const mapping = mappingOf(schema);
  if (mapping === null) return [];
  if (typeof mapping.additionalProperties === "object") return allKeys(mapping.additionalProperties, `${path}.NAME`);
  return Object.entries(mapping.properties ?? {}).flatMap(([key, property]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return [
      { path: at, schema: property, isRequired: mapping.required?.includes(key) ?? false },
      ...allKeys(property, at),
    ];
  });
}

const keys = allKeys(fileJsonSchema(), "");

test("every key has a sentence for the operator", () => {
  expect(keys.length).toBeGreaterThan(70);
  expect(keys.filter(({ schema }) => !/^["`A-Z].*\.$/.test(schema.description ?? "")).map((key) => key.path)).toEqual(
    [],
  );
});

test("every mapping refuses keys that it does not know", () => {
  const open = keys.filter(
    ({ schema }) => mappingOf(schema)?.properties !== undefined && mappingOf(schema)?.additionalProperties !== false,
  );
  expect(open.map((key) => key.path)).toEqual([]);
});

test("every list has a bound", () => {
  expect(
    keys.filter(({ schema }) => schema.items !== undefined && schema.maxItems === undefined).map((key) => key.path),
  ).toEqual([]);
});

test("nothing but origins, and what a mapping is about, must be written", () => {
  expect(keys.filter((key) => key.isRequired).map((key) => key.path)).toEqual([
    "services",
    "services.NAME.pools",
    "services.NAME.pools[].origins",
    "services.NAME.pools[].origins[].url",
    "services.NAME.pools[].tls.clientCertificate.cert",
    "services.NAME.pools[].tls.clientCertificate.key",
    "services.NAME.routes[].rateLimit.rate",
    "services.NAME.tls.clientCertificate.cert",
    "services.NAME.tls.clientCertificate.key",
    "listeners[].bind",
    "listeners[].tls.certificates[].cert",
    "listeners[].tls.certificates[].key",
    "listeners[].tls.clientCertificates.ca",
    "acme.agree",
    "acme.authorities[].directory",
    "acme.authorities[].externalAccount.kid",
    "acme.authorities[].externalAccount.key",
    "fleet.database",
    "fleet.key",
    "accessLog.path",
    "alerts.sinks",
    "alerts.sinks.NAME.webhook.url",
    "alerts.sinks.NAME.slack.url",
    "alerts.sinks.NAME.pagerduty.key",
    "alerts.sinks.NAME.alertmanager.url",
    "alerts.sinks.NAME.email.server",
    "alerts.sinks.NAME.email.from",
    "alerts.sinks.NAME.email.to",
    "alerts.routes[].quiet.from",
    "alerts.routes[].quiet.to",
    "alerts.routes[].escalate[].after",
    "alerts.routes[].escalate[].to",
    "telemetry.otlp.url",
  ]);
});

test("the reference has every key in a table and leads to every section", () => {
  const page = configurationReference();
  for (const { path } of keys) expect(page).toContain(`| \`${path.split(".").at(-1) ?? ""}\` |`);
  const anchors = new Set(
    [...page.matchAll(/^## (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 _-]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  expect(links.filter((anchor) => anchor !== undefined && !anchors.has(anchor))).toEqual([]);
  expect(links.length).toBeGreaterThan(15);
});

test("the reference names default and bounds in the operator's notation", () => {
  const page = configurationReference();
  expect(page).toContain("| `drain` | duration | `30s` | 0s to 1h | ");
  expect(page).toContain("| `replayBuffer` | size | `64KiB` | 0B to 64MiB | ");
  expect(page).toContain("| `origins` | list of URLs or mappings | **required** | 1 to 1000 entries | ");
  expect(page).toContain("| `hostHeader` | preserve or origin | `preserve` |  | ");
});

test("the example is right, without a note", () => {
  expect(loadSettings(EXAMPLE, "example")).toMatchObject({ ok: true, notes: [] });
  expect(configurationReference()).toContain(`\`\`\`yaml goodgate\n${EXAMPLE}\`\`\``);
});

test("the JSON Schema describes what an operator writes, not what the program makes of it", () => {
  expect(jsonSchema()).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    required: ["services"],
    additionalProperties: false,
    properties: {
      drain: { type: "string", pattern: "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$", default: "30s" },
      admin: { anyOf: [{ const: false }, { type: "object" }], default: {} },
      services: { propertyNames: { pattern: "^(?=.*[a-z])[a-z0-9][a-z0-9_-]{0,62}$" } },
    },
  });
  expect(JSON.parse(JSON.stringify(jsonSchema()))).toEqual(jsonSchema());
});

test("keys are found by their place, and places by their key", () => {
  const schema = fileJsonSchema();
  expect(keysAt(schema, ["services", "shop", "pools", 0, "origins", 3])).toEqual(["url", "weight"]);
  expect(keysAt(schema, ["services", "shop", "health"])).toContain("interval");
  expect(keysAt(schema, ["services", "constructor", "toString"])).toEqual([]);
  expect(keysAt(schema, ["drain", "x"])).toEqual([]);
  expect(homesOf(schema, "ramp")).toEqual(["services.NAME.ejection"]);
  expect(homesOf(schema, "drain")).toEqual(["the top level"]);
  expect(homesOf(schema, "constructor")).toEqual([]);
});
