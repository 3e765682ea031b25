/** What a client is shown when the gateway has to answer itself: the form it asked for, the facts, nothing internal. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import type { Message } from "../support/http-message.ts";
import { rawClient } from "../support/raw-client.ts";

let gateway: GatewayProcess;
let originPort = 0;

beforeAll(async () => {
  originPort = await freePort();
  gateway = await startGateway(inFrontOf([`http://127.0.0.1:${originPort}`], { hosts: ["shop.example"] }));
});
afterAll(async () => {
  await gateway?.stop();
});

async function ask(fields = "", line = "GET /dead HTTP/1.1"): Promise<Message> {
  const client = await rawClient(gateway.port);
  await client.send(`${line}\r\nHost: shop.example\r\n${fields}\r\n`);
  const answer = await client.response(line.split(" ")[0]);
  client.close();
  return answer;
}

describe("a reply that the gateway makes itself", () => {
  it("is problem+json for programs, with the status, the words and the request id", async () => {
    const answer = await ask("Accept: application/json\r\n");
    expect(answer.status).toBe(502);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    const problem = JSON.parse(answer.body) as Record<string, unknown>;
    expect(problem).toMatchObject({ status: 502, requestId: answer.headers["x-request-id"] });
    expect(problem["title"]).toBeTypeOf("string");
  });

  it("is a page in UTF-8 for browsers", async () => {
    const answer = await ask("Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n");
    expect(answer.headers["content-type"]).toMatch(/^text\/html; *charset=utf-8$/i);
    expect(answer.body).toMatch(/<html lang="en">[\s\S]*<h1>[\s\S]*502[\s\S]*<\/html>/);
    expect(answer.body).toContain(answer.headers["x-request-id"]);
  });

  it.each(["", "Accept: */*\r\n", "Accept: image/png\r\n"])("is plain text for everybody else (%j)", async (fields) => {
    const answer = await ask(fields);
    expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
    expect(answer.body).toContain(answer.headers["x-request-id"]);
  });

  it("carries Proxy-Status with the error's type, and is not stored by caches", async () => {
    const answer = await ask();
    expect(answer.headers["proxy-status"]).toMatch(/^\S+; *error=connection_refused/);
    expect(answer.headers["cache-control"]).toContain("no-store");
  });

  it("has no body for HEAD, and the length that GET would have had", async () => {
    const answer = await ask("", "HEAD /dead HTTP/1.1");
    expect(answer.status).toBe(502);
    expect(answer.body).toBe("");
    expect(Number(answer.headers["content-length"])).toBeGreaterThan(0);
  });

  it.each(["application/json", "text/html", "text/plain"])(
    "names no address, port or message from inside (%s)",
    async (accept) => {
      const answer = await ask(`Accept: ${accept}\r\n`);
      for (const secret of [String(originPort), "127.0.0.1", "ECONNREFUSED", "test-service", "test-pool", "src/"]) {
        expect(answer.head + answer.body).not.toContain(secret);
      }
    },
  );

  it("says that a host is unknown without saying which are known", async () => {
    const client = await rawClient(gateway.port);
    await client.send("GET / HTTP/1.1\r\nHost: other.example\r\n\r\n");
    const answer = await client.response();
    client.close();
    expect(answer.status).toBe(404);
    expect(answer.headers["proxy-status"]).toMatch(/error=destination_not_found/);
    expect(answer.body).not.toContain("shop.example");
  });

  it("leaves the connection usable when the request was read whole", async () => {
    const client = await rawClient(gateway.port);
    for (let n = 0; n < 3; n += 1) {
      await client.send("GET /dead HTTP/1.1\r\nHost: shop.example\r\n\r\n");
      expect((await client.response()).status).toBe(502);
    }
    client.close();
  });

  it("tells a refused client what was wrong with its request", async () => {
    const client = await rawClient(gateway.port);
    await client.send("GET / HTTP/1.1\r\nHost : x\r\n\r\n");
    const answer = await client.response();
    expect(answer.status).toBe(400);
    expect(answer.headers["connection"]).toMatch(/close/i);
    expect(await client.over).toBe("fin");
  });
});
