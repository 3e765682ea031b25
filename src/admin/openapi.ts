/**
 * The OpenAPI 3.1 document of the API, made from the table of operations and the schemas of the contract;
 * nothing in it is written twice. docs/reference/openapi.json is this, generated.
 */
import { z } from "zod";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import { causeIdSchema } from "../contract/api-record-schemas.ts";
import type { Operation } from "./operations.ts";
import { OPERATIONS } from "./operations.ts";

export const API_BASE = "/api/v1";

export function openApi(): unknown {
  return {
    openapi: "3.1.1",
    info: {
      title: "Goodgate admin API",
      // The version of the API, which is in its path, not that of the program.
      version: "1",
      description:
        "What a gateway knows of itself, and the few things that it can be told to do, which are asked for by POST. " +
        "Errors are application/problem+json with a code for programs and a detail for people. " +
        "Readers must tolerate fields that they do not know.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: API_BASE }],
    // Either a token is configured or none is asked for.
    security: [{ bearer: [] }, { basic: [] }, {}],
    paths: describePaths(),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "admin.token of the configuration." },
        basic: {
          type: "http",
          scheme: "basic",
          description: "The same token as the password, with any name: for browsers.",
        },
      },
      responses: { Problem: { description: "What is wrong and what would be right.", content: problemContent() } },
      schemas: componentSchemas(),
    },
  };
}

/** A path that can be read and written has both under its one name. */
function describePaths(): Record<string, Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    const item = (paths[operation.path] ??= {});
    item[operation.method === "POST" ? "post" : "get"] = describeOperation(operation);
  }
  return paths;
}

function describeOperation(operation: Operation): unknown {
  const inPath = operation.path.includes("{id}")
    ? [{ name: "id", in: "path", required: true, schema: { type: "string" } }]
    : [];
  const inQuery = operation.parameters.map((parameter) => ({ in: "query", ...parameter }));
  // Every path refuses parameters that it does not know, hence 400 everywhere.
  const ofBody = operation.takes === undefined && operation.takesText === undefined ? [] : [413, 415];
  const problems = [400, 401, ...operation.problems, ...ofBody].map((status) => [
    status,
    { $ref: "#/components/responses/Problem" },
  ]);
  return {
    operationId: operation.id,
    summary: operation.summary,
    parameters: [...inPath, ...inQuery],
    ...bodyOf(operation),
    responses: {
      200: { description: "The answer.", content: answerContent(operation) },
      ...Object.fromEntries(problems),
    },
  };
}

function bodyOf({ takes, takesText }: Operation): object {
  if (takes !== undefined)
    return { requestBody: { required: true, content: { "application/json": { schema: schemaRef(takes) } } } };
  if (takesText === undefined) return {};
  return { requestBody: { required: true, content: { [takesText]: { schema: { type: "string" } } } } };
}

function answerContent(operation: Operation): unknown {
  if (operation.answers === null) return { "application/json": { schema: { type: "object" } } };
  if (operation.answers !== "event stream") return { "application/json": { schema: schemaRef(operation.answers) } };
  return {
    "text/event-stream": {
      schema: {
        type: "string",
        description: "The data of each event is JSON: an Event, or EventsLost for events named lost.",
      },
    },
  };
}

function problemContent(): unknown {
  return { "application/problem+json": { schema: schemaRef("Problem") } };
}

function schemaRef(name: string): unknown {
  return { $ref: `#/components/schemas/${name}` };
}

function componentSchemas(): unknown {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(API_SCHEMAS)) registry.add(schema, { id });
  registry.add(causeIdSchema, { id: "CauseId" });
  const { schemas } = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    // As a reader must see them: fields that a later version adds are no error.
    io: "input",
  });
  // Inside a document, a schema's place is its name and the dialect is that of OpenAPI 3.1.
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $id: _id, $schema: _schema, ...schema }]) => [id, schema]),
  );
}
