import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { fetchJson } from "./admin-client.ts";

const servers: http.Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
}

test("an answer is parsed whatever its status, and the token goes along as a bearer", async () => {
  const url = await serve((request, response) => {
    response.statusCode = 404;
    response.end(JSON.stringify({ authorization: request.headers.authorization ?? null }));
  });
  expect(await fetchJson(url, "secret", 5000)).toEqual({
    kind: "answer",
    status: 404,
    json: { authorization: "Bearer secret" },
  });
  expect(await fetchJson(url, null, 5000)).toEqual({ kind: "answer", status: 404, json: { authorization: null } });
});

test("an answer that is not JSON is told from one that is", async () => {
  const url = await serve((_request, response) => response.end("<html>"));
  expect(await fetchJson(url, null, 5000)).toEqual({ kind: "not json", status: 200 });
});

test("a port where nobody listens is a value with the system's code", async () => {
  const url = await serve((_request, response) => response.end());
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await fetchJson(url, null, 5000)).toEqual({ kind: "unreachable", code: "ECONNREFUSED" });
});

test("localhost with nobody on either address family is the same value, though the error has another form", async () => {
  const url = await serve((_request, response) => response.end());
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await fetchJson(url.replace("127.0.0.1", "localhost"), null, 5000)).toEqual({
    kind: "unreachable",
    code: "ECONNREFUSED",
  });
});

test("a body that is cut is unreachable, not a shorter answer", async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("{}");
    setImmediate(() => response.destroy());
  });
  expect(await fetchJson(url, null, 5000)).toMatchObject({ kind: "unreachable" });
});

test("a peer that accepts and never answers is given up when the time is over", async () => {
  const url = await serve(() => {});
  expect(await fetchJson(url, null, 30)).toEqual({ kind: "unreachable", code: "ETIMEDOUT" });
});
