/** Responses that break in their bodies, and what becomes of them: through the whole gateway, byte by byte. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const TWO = { origins: ["http://10.0.0.1", "http://10.0.0.2"] };
const THREE = { origins: ["http://10.0.0.1", "http://10.0.0.2", "http://10.0.0.3"] };

/** Longer than two reads and than anything that is gathered; every byte depends on its place. */
const WHOLE = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >> 8) * 13 + (at >> 16)) & 0xff));
const TEXT = WHOLE.toString("latin1");

function get(fields = "", version = "1.1"): string {
  return `GET /film HTTP/${version}\r\nHost: x\r\n${fields}\r\n`;
}

/** A response head for bytes `[first, last]` of WHOLE, or for all of it. */
function head(first: number, last = WHOLE.length - 1, fields = 'ETag: "v1"\r\n', complete = WHOLE.length): string {
  const range = `Content-Range: bytes ${first}-${last}/${complete}\r\n`;
  return `HTTP/1.1 206 Partial Content\r\nContent-Length: ${last - first + 1}\r\n${range}${fields}\r\n`;
}

const OK = `HTTP/1.1 200 OK\r\nContent-Length: ${WHOLE.length}\r\nETag: "v1"\r\nContent-Type: video/mp4\r\n\r\n`;

function bodyOf(client: Peer): string {
  return client.received.slice(client.received.indexOf("\r\n\r\n") + 4);
}

/** As text it is compared much faster than as bytes, and a difference of 300 KB is not printed. */
function expectBody(client: Peer, body: string): void {
  const got = bodyOf(client);
  expect([got.length, got === body]).toEqual([body.length, true]);
}

function codes(world: MemoryGateway): string[] {
  return world.records.flatMap((record) => record.decisions.map(({ code }) => code));
}

function expectQuiet(world: MemoryGateway): void {
  expect(world.faults).toEqual([]);
  expect(world.gateway.view.status().exchangesActive).toBe(0);
  for (const origin of world.gateway.view.origins()) {
    for (const address of origin.addresses) expect(address.inFlight).toBe(0);
  }
}

/** A client whose response has come as far as `bytes` of the body. */
async function brokenAfter(
  bytes: number,
  options: Parameters<typeof memoryGateway>[0] = TWO,
): Promise<{ world: MemoryGateway; client: Peer }> {
  const world = await memoryGateway(options);
  const client = world.client();
  client.send(get());
  world.origin(1).send(OK);
  world.origin(1).send(WHOLE.subarray(0, bytes));
  return { world, client };
}

describe("a response that breaks in its body", () => {
  const READ = 128 * 1024;
  const offsets = [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, READ - 1, READ, READ + 1, 299_998, 299_999];

  it.each(offsets)("after %i bytes goes on at the very next one, whatever ends it", async (bytes) => {
    for (const end of ["fin", "rst"] as const) {
      const { world, client } = await brokenAfter(bytes);
      world.origin(1)[end]();
      expect(world.origin(2).received).toMatch(
        new RegExp(`^GET /film HTTP/1.1\r\n[^]*Range: bytes=${bytes}-299999\r\nIf-Range: "v1"\r\n\r\n$`),
      );
      world.origin(2).send(head(bytes));
      world.origin(2).send(WHOLE.subarray(bytes));
      expectBody(client, TEXT);
      expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(world.records[0]).toMatchObject({ outcome: "rescued", status: 200, originStatus: 200, cause: null });
      expect(world.records[0]).toMatchObject({ responseBytes: WHOLE.length, origin: "http://10.0.0.2" });
      expect(world.records[0]?.attempts.map(({ status, cause }) => [status, cause])).toEqual([
        [200, end === "fin" ? "origin.truncated" : "net.mid_reset"],
        [206, null],
      ]);
      expect(codes(world)).toEqual(["resume.allowed.broken", "resume.continued"]);
      expectQuiet(world);
    }
  });

  it("with head and rest in one read, and the next exchange, go on as ever", async () => {
    const { world, client } = await brokenAfter(100_000);
    client.send(get());
    world.origin(1).fin();
    world.origin(2).send(Buffer.concat([Buffer.from(head(100_000)), WHOLE.subarray(100_000)]));
    expect(client.take().endsWith(TEXT.slice(-50))).toBe(true);
    // The request that was sent ahead, on the connection that has just carried the rest.
    expect(world.network.dialled).toHaveLength(2);
    expect(world.origin(2).received.match(/^GET /gm)).toHaveLength(2);
    world.origin(2).send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect(client.take()).toMatch(/ok$/);
    expect(client.ended).toBe("");
    expectQuiet(world);
  });

  it("breaks again and again, and every part is asked for once", async () => {
    const { world, client } = await brokenAfter(70_000, THREE);
    world.origin(1).rst();
    let at = 70_000;
    for (const [number, bytes] of [
      [2, 80_000],
      [3, 1],
      [4, 66_000],
    ] as const) {
      world.origin(number).send(head(at));
      world.origin(number).send(WHOLE.subarray(at, at + bytes));
      at += bytes;
      world.origin(number).fin();
      expect(world.origin(number + 1).received).toContain(`Range: bytes=${at}-299999\r\n`);
    }
    world.origin(5).send(Buffer.concat([Buffer.from(head(at)), WHOLE.subarray(at)]));
    expectBody(client, TEXT);
    expect(world.records[0]).toMatchObject({ outcome: "rescued" });
    expect(world.records[0]?.attempts).toHaveLength(5);
    expectQuiet(world);
  });

  it.each([
    ["bytes=1000-200999", 1000, 200_999],
    ["bytes=1000-", 1000, 299_999],
    ["bytes=-1000", 299_000, 299_999],
  ])("and is the part that the client asked for (%s) goes on in it", async (range, first, last) => {
    for (const bytes of [0, 1, 500, last - first]) {
      const world = await memoryGateway(TWO);
      const client = world.client();
      client.send(get(`Range: ${range}\r\nIf-Range: "v1"\r\n`));
      expect(world.origin(1).received).toContain(`Range: ${range}\r\nIf-Range: "v1"\r\n`);
      world.origin(1).send(head(first, last));
      world.origin(1).send(WHOLE.subarray(first, first + bytes));
      world.origin(1).rst();
      expect(world.origin(2).received.match(/^(if-)?range: .*/gim)).toEqual([
        `Range: bytes=${first + bytes}-${last}`,
        'If-Range: "v1"',
      ]);
      world
        .origin(2)
        .send(Buffer.concat([Buffer.from(head(first + bytes, last)), WHOLE.subarray(first + bytes, last + 1)]));
      expectBody(client, TEXT.slice(first, last + 1));
      expect(client.received).toContain(`Content-Range: bytes ${first}-${last}/300000\r\n`);
      expect(world.records[0]).toMatchObject({ outcome: "rescued", status: 206 });
      expectQuiet(world);
    }
  });

  it("goes on behind its first 4 GiB as anywhere else", async () => {
    const complete = 6 * 1024 ** 3;
    for (const first of [2 ** 32 - 1000, 2 ** 32, 5_000_000_001]) {
      const last = first + 1999;
      const world = await memoryGateway(TWO);
      const client = world.client();
      client.send(get(`Range: bytes=${first}-${last}\r\n`));
      world.origin(1).send(head(first, last, undefined, complete));
      world.origin(1).send(WHOLE.subarray(0, 1500));
      world.origin(1).rst();
      expect(world.origin(2).received).toContain(`Range: bytes=${first + 1500}-${last}\r\nIf-Range: "v1"\r\n`);
      world.origin(2).send(head(first + 1500, last, undefined, complete));
      world.origin(2).send(WHOLE.subarray(1500, 2000));
      expectBody(client, TEXT.slice(0, 2000));
      expect(world.records[0]).toMatchObject({ outcome: "rescued", status: 206 });
      expectQuiet(world);
    }
  });

  it.each([1, 4096, 131_072, 299_999])(
    "after %i bytes goes on from an origin that sends all of it again, from the right byte on",
    async (bytes) => {
      const { world, client } = await brokenAfter(bytes);
      world.origin(1).rst();
      world.origin(2).send(Buffer.concat([Buffer.from(OK), WHOLE]));
      expectBody(client, TEXT);
      expect(world.records[0]).toMatchObject({ outcome: "rescued", responseBytes: WHOLE.length });
      expectQuiet(world);
    },
  );

  it("is asked for without the conditions that its own request was under", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    const conditions =
      'If-None-Match: "v0"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Kept: 1\r\nIf-Match: *\r\nif-unmodified-since: Sun, 06 Nov 2044 08:49:37 GMT\r\n';
    client.send(get(conditions));
    world.origin(1).send(OK);
    world.origin(1).rst();
    const asked = world.origin(2).received;
    expect(asked.match(/^if-.*/gim)).toEqual(['If-Range: "v1"']);
    expect(asked).toContain("X-Kept: 1\r\n");
    expectQuietAfterLeaving(world, client);
  });

  it("has as long for its rest as it had for the whole, and no deadline that is over already", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(get("X-Request-Timeout: 2\r\n"));
    world.origin(1).send(OK);
    for (let at = 0; at < 50; at += 10) {
      world.origin(1).send(WHOLE.subarray(at, at + 10));
      world.advance(500);
    }
    world.origin(1).rst();
    expect(world.origin(2).received).toContain("X-Request-Timeout: 2\r\n");
    world.origin(2).send(Buffer.concat([Buffer.from(head(50)), WHOLE.subarray(50)]));
    expectBody(client, TEXT);
    expectQuiet(world);
  });

  it("goes on for a client of HTTP/1.0", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(get("", "1.0"));
    world.origin(1).send(OK);
    world.origin(1).send(WHOLE.subarray(0, 1000));
    world.origin(1).rst();
    world.origin(2).send(Buffer.concat([Buffer.from(head(1000)), WHOLE.subarray(1000)]));
    expectBody(client, TEXT);
    expect(client.ended).toBe("fin");
    expectQuiet(world);
  });

  it("goes on at the same origin, on a new connection, when there is no other", async () => {
    const { world, client } = await brokenAfter(1000, {});
    world.origin(1).rst();
    expect(world.origin(2).address).toBe(world.origin(1).address);
    world.origin(2).send(Buffer.concat([Buffer.from(head(1000)), WHOLE.subarray(1000)]));
    expectBody(client, TEXT);
    expect(codes(world)).toEqual(["resume.allowed.same-origin", "resume.continued"]);
    expectQuiet(world);
  });

  it("reaches a slow client whole, with the second origin held back as the first one was", async () => {
    const { world, client } = await brokenAfter(0);
    client.takeOnly(1000);
    world.origin(1).send(WHOLE.subarray(0, 5000));
    expect(world.origin(1).stalled).toBe(true);
    client.takeAll();
    world.origin(1).rst();
    client.takeOnly(10_000);
    world.origin(2).send(head(5000));
    world.origin(2).send(WHOLE.subarray(5000, 100_000));
    expect(world.origin(2).stalled).toBe(true);
    client.takeAll();
    expect(world.origin(2).stalled).toBe(false);
    world.origin(2).send(WHOLE.subarray(100_000));
    expectBody(client, TEXT);
    expectQuiet(world);
  });

  it("ends with its client: the one that was asked for the rest is let go", async () => {
    const { world, client } = await brokenAfter(1000);
    world.origin(1).rst();
    client.rst();
    expect(world.origin(2).ended).toBe("rst");
    expect(world.records[0]).toMatchObject({ outcome: "aborted", cause: "client.abort_body" });
    expectQuiet(world);
  });
});

function expectQuietAfterLeaving(world: MemoryGateway, client: Peer): void {
  client.rst();
  expectQuiet(world);
}

describe("what is not the rest of the same body is never passed on", () => {
  const CUT = 1000;
  const rest = (fields: string): string => head(CUT, WHOLE.length - 1, fields);

  it.each<[string, string]>([
    ["resume.mismatch.validator", rest('ETag: "v2"\r\n')],
    ["resume.mismatch.validator", rest('ETag: W/"v1"\r\n')],
    ["resume.mismatch.validator", rest("")],
    ["resume.mismatch.validator", rest('ETag: "v1"\r\nETag: "v2"\r\n')],
    ["resume.mismatch.validator", OK.replace("v1", "v2")],
    ["resume.mismatch.validator", "HTTP/1.1 416 No\r\nContent-Length: 0\r\nContent-Range: bytes */10\r\n\r\n"],
    ["resume.mismatch.validator", "HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n"],
    ["resume.mismatch.validator", 'HTTP/1.1 304 No\r\nETag: "v1"\r\n\r\n'],
    ["resume.mismatch.range", head(CUT + 1)],
    ["resume.mismatch.range", head(CUT - 1)],
    ["resume.mismatch.range", head(CUT, WHOLE.length - 2)],
    ["resume.mismatch.range", head(CUT, WHOLE.length - 1, 'ETag: "v1"\r\n', WHOLE.length + 1)],
    ["resume.mismatch.range", rest('ETag: "v1"\r\n').replace(/Content-Length: \d+/, "Content-Length: 5")],
    ["resume.mismatch.range", rest('ETag: "v1"\r\n').replace(/Content-Length: \d+/, "Transfer-Encoding: chunked")],
    ["resume.mismatch.range", OK.replace("300000", "299999")],
    ["resume.mismatch.coding", rest('ETag: "v1"\r\nContent-Encoding: gzip\r\n')],
    ["resume.mismatch.type", rest('ETag: "v1"\r\nContent-Type: multipart/byteranges; boundary=b\r\n')],
    ["resume.mismatch.status", "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnone"],
    ["resume.mismatch.status", "HTTP/1.1 302 No\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"],
  ])("%s: %j", async (code, answer) => {
    const { world, client } = await brokenAfter(CUT, { ...TWO, service: { retry: { attempts: 2 } } });
    world.origin(1).rst();
    world.origin(2).send(answer);
    world.origin(2).send("EVIL".repeat(2000));
    // The first one is asked again, until the count of attempts ends.
    for (const number of [3, 4]) world.origin(number).rst();
    expectBody(client, TEXT.slice(0, CUT));
    expect(client.ended).toBe("fin");
    expect(codes(world).slice(0, 2)).toEqual(["resume.allowed.broken", code]);
    expect(codes(world).at(-1)).toBe("resume.refused.attempts");
    expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "net.mid_reset", status: 200 });
    expect(world.gateway.view.metrics().routes.at(-1)?.rescues.resumes.completed).toBe(0);
    expect(world.records[0]?.attempts[1]).toMatchObject({ cause: "origin.resume_mismatch" });
    // It has done nothing wrong.
    expect(world.gateway.view.origins()[1]?.addresses[0]?.failures).toBe(0);
    expectQuiet(world);
  });

  it("so the next one is asked, and the one that differs is not asked again", async () => {
    const { world, client } = await brokenAfter(CUT, THREE);
    world.origin(1).rst();
    world.origin(2).send(rest('ETag: "v2"\r\n'));
    expect(world.origin(2).ended).toBe("rst");
    world.origin(3).send(head(CUT));
    world.origin(3).send(WHOLE.subarray(CUT, 200_000));
    world.origin(3).fin();
    expect(world.origin(4).address).toBe(world.origin(1).address);
    world.origin(4).send(Buffer.concat([Buffer.from(head(200_000)), WHOLE.subarray(200_000)]));
    expectBody(client, TEXT);
    expect(world.records[0]).toMatchObject({ outcome: "rescued" });
    const counted = world.gateway.view.metrics().routes.at(-1)?.rescues.resumes;
    expect(counted).toEqual({ begun: 3, completed: 1, mismatched: 1 });
    expectQuiet(world);
  });

  describe("and the origin where it began, the only one that has it, is asked", () => {
    const other = (): string => head(70_000, WHOLE.length - 1, 'ETag: "v2"\r\n');

    function goesOn(world: MemoryGateway, client: Peer, number: number): void {
      expect(world.origin(number).address).toBe(world.origin(1).address);
      world.origin(number).send(Buffer.concat([Buffer.from(head(70_000)), WHOLE.subarray(70_000)]));
      expectBody(client, TEXT);
      expect(world.records[0]).toMatchObject({ outcome: "rescued" });
      expectQuiet(world);
    }

    // A thousand cut downloads had used up the budget, and half of the next one was all that its client got.
    it("once without the retry budget, after a good part", async () => {
      const service = { retry: { budget: 0, budgetPerSecond: 0 } };
      const { world, client } = await brokenAfter(70_000, { ...THREE, service });
      world.origin(1).rst();
      world.origin(2).send(other());
      expect(codes(world)).toEqual([]);
      goesOn(world, client, 3);
      expect(codes(world)).toEqual([
        "resume.allowed.broken",
        "resume.mismatch.validator",
        "resume.allowed.same-origin",
        "resume.continued",
      ]);
    });

    it("and no more than once", async () => {
      const service = { retry: { budget: 0, budgetPerSecond: 0 } };
      const { world, client } = await brokenAfter(70_000, { ...THREE, service });
      world.origin(1).rst();
      world.origin(2).send(other());
      world.origin(3).rst();
      expect(client.ended).toBe("fin");
      expect(codes(world).at(-1)).toBe("resume.refused.budget");
      expectQuiet(world);
    });

    it("although its checks say that it is down", async () => {
      const { world, client } = await brokenAfter(70_000, { ...THREE, service: { health: { path: "/up" } } });
      const down = world.gateway.checkTargets().find(({ address }) => address.text === world.origin(1).address);
      for (let count = 0; count < 3; count += 1) world.gateway.checked(down!, { ok: false, detail: "status 500" });
      world.origin(1).rst();
      for (const number of [2, 3]) world.origin(number).send(other());
      goesOn(world, client, 4);
      expect(codes(world)).toContain("pick.last-resort");
    });

    it("although its failures have ejected it", async () => {
      const service = { ejection: { consecutiveFailures: 1 } };
      const { world, client } = await brokenAfter(70_000, { ...THREE, service });
      world.origin(1).rst();
      expect(world.gateway.view.origins()[0]?.addresses[0]?.state).toBe("ejected");
      for (const number of [2, 3]) world.origin(number).send(other());
      goesOn(world, client, 4);
      expect(codes(world)).toContain("pick.last-resort");
    });
  });

  it("and an origin's own trouble is named as that", async () => {
    const { world, client } = await brokenAfter(CUT, { ...TWO, service: { retry: { attempts: 2 } } });
    world.origin(1).rst();
    world.origin(2).send("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nhelp");
    for (const number of [3, 4]) world.origin(number).rst();
    expect(client.ended).toBe("fin");
    expect(codes(world)).toContain("resume.mismatch.status");
    expect(world.records[0]?.attempts[1]).toMatchObject({ status: 500, cause: "origin.app_5xx" });
    expectQuiet(world);
  });

  it("nor are bytes behind the rest", async () => {
    const { world, client } = await brokenAfter(CUT);
    world.origin(1).rst();
    world.origin(2).send(Buffer.concat([Buffer.from(head(CUT)), WHOLE.subarray(CUT), Buffer.from("EVIL")]));
    expectBody(client, TEXT);
    expect(codes(world)).toContain("relay.extra-bytes");
    expectQuiet(world);
  });
});

describe("a response that cannot be continued is cut, and the record says why", () => {
  const OLD = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

  it.each<[string, string, string]>([
    ["resume.refused.no-validator", get(), OK.replace('"v1"', 'W/"v1"')],
    ["resume.refused.no-validator", get(), OK.replace('ETag: "v1"\r\n', "")],
    ["resume.refused.no-validator", get(), OK.replace('ETag: "v1"\r\n', OLD)],
    ["resume.refused.no-length", get(), 'HTTP/1.1 200 OK\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n'],
    ["resume.refused.status", get(), OK.replace("200 OK", "404 No")],
    ["resume.refused.status", get(), head(0).replace("/300000", "/*")],
    ["resume.refused.layer", get("Goodgate-Attempt: 1\r\n"), OK],
    ["resume.refused.request", "POST /film HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", OK],
    ["resume.refused.request", "GET /film HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", OK],
  ])("%s for %j and %j", async (code, request, response) => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(request);
    world.origin(1).send(response);
    world.origin(1).send("abc");
    world.origin(1).rst();
    expect(world.network.dialled).toHaveLength(1);
    expect(client.ended).toBe("fin");
    expect(codes(world)[0]).toBe(code);
    expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "net.mid_reset" });
    expectQuiet(world);
  });

  it("is continued on an old Last-Modified alone", async () => {
    const world = await memoryGateway(TWO);
    const client = world.client();
    client.send(get());
    const fields = `${OLD}Date: Sun, 06 Nov 1994 08:50:37 GMT\r\n`;
    world.origin(1).send(OK.replace('ETag: "v1"\r\n', fields));
    world.origin(1).rst();
    expect(world.origin(2).received).toContain("If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    world.origin(2).send(Buffer.concat([Buffer.from(head(0, WHOLE.length - 1, fields)), WHOLE]));
    expectBody(client, TEXT);
    expectQuiet(world);
  });

  it("when the route says so", async () => {
    const { world, client } = await brokenAfter(1000, { ...TWO, service: { routes: [{ resume: false }] } });
    world.origin(1).rst();
    expect(client.ended).toBe("fin");
    expect(codes(world)).toEqual(["resume.refused.off", "retry.refused.response-begun"]);
    expectQuiet(world);
  });

  it("when the service makes one attempt", async () => {
    const { world, client } = await brokenAfter(1000, { ...TWO, service: { retry: false } });
    world.origin(1).rst();
    expect(client.ended).toBe("fin");
    expect(codes(world)).toEqual(["resume.refused.attempts"]);
    expectQuiet(world);
  });

  it("when the budget is used up, unless a good part had come", async () => {
    const service = { retry: { budget: 0, budgetPerSecond: 0 } };
    for (const [bytes, code] of [
      [1000, "resume.refused.budget"],
      [70_000, "resume.allowed.broken"],
    ] as const) {
      const { world, client } = await brokenAfter(bytes, { ...TWO, service });
      world.origin(1).rst();
      client.rst();
      expect(codes(world)).toEqual([code]);
      expectQuiet(world);
    }
  });

  it("when it has been continued as often as the route allows", async () => {
    const service = { routes: [{ resume: { times: 2 } }] };
    const { world, client } = await brokenAfter(70_000, { ...TWO, service });
    world.origin(1).rst();
    for (const [number, from] of [
      [2, 70_000],
      [3, 140_000],
    ] as const) {
      world.origin(number).send(Buffer.concat([Buffer.from(head(from)), WHOLE.subarray(from, from + 70_000)]));
      world.origin(number).rst();
    }
    expectBody(client, TEXT.slice(0, 210_000));
    expect(codes(world).at(-1)).toBe("resume.refused.times");
    expectQuiet(world);
  });

  it("when no connection can be made, with the reason of the break", async () => {
    const { world, client } = await brokenAfter(1000);
    world.network.acceptAtOnce = false;
    world.origin(1).rst();
    for (const number of [2, 3, 4, 5, 6]) world.origin(number).refuse("ECONNREFUSED");
    expect(client.ended).toBe("fin");
    expect(world.network.dialled).toHaveLength(6);
    expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "net.mid_reset" });
    expect(world.records[0]?.attempts.map(({ cause }) => cause)).toEqual([
      "net.mid_reset",
      ...Array.from({ length: 5 }, () => "origin.refused"),
    ]);
    expectQuiet(world);
  });
});

describe("a response that stands still", () => {
  it("is continued by another origin within a second, and the silent one is let go", async () => {
    const { world, client } = await brokenAfter(1000);
    world.advance(850);
    expect(world.network.dialled).toHaveLength(1);
    world.advance(150);
    expect(world.origin(2).received).toContain("Range: bytes=1000-299999\r\n");
    expect(world.origin(1).ended).toBe("");
    world.origin(2).send(head(1000));
    expect(world.origin(1).ended).toBe("rst");
    world.origin(2).send(WHOLE.subarray(1000));
    expectBody(client, TEXT);
    expect(codes(world)).toEqual(["resume.allowed.stalled", "resume.continued"]);
    expect(world.records[0]).toMatchObject({ outcome: "rescued" });
    expect(world.records[0]?.attempts[0]).toMatchObject({ cause: "origin.stall_mid_body" });
    expect(world.records[0]?.attempts[0]?.evidence).toMatch(/^silence for 1 s after \d+ response bytes/);
    expectQuiet(world);
  });

  it("and goes on by itself keeps its client, and the other one is let go", async () => {
    const { world, client } = await brokenAfter(1000);
    world.advance(1000);
    world.origin(1).send(WHOLE.subarray(1000, 2000));
    expect(world.origin(2).ended).toBe("rst");
    world.origin(1).send(WHOLE.subarray(2000));
    expectBody(client, TEXT);
    expect(codes(world)).toEqual(["resume.allowed.stalled", "resume.went-on"]);
    expect(world.records[0]).toMatchObject({ outcome: "served", origin: "http://10.0.0.1" });
    expectQuiet(world);
  });

  it("and then breaks is continued by the one that was asked already", async () => {
    const { world, client } = await brokenAfter(1000);
    world.advance(1000);
    world.origin(1).rst();
    expect(world.network.dialled).toHaveLength(2);
    world.origin(2).send(Buffer.concat([Buffer.from(head(1000)), WHOLE.subarray(1000)]));
    expectBody(client, TEXT);
    expectQuiet(world);
  });

  it("is waited for when nobody else can go on, as long as any silence is", async () => {
    const { world, client } = await brokenAfter(1000);
    world.advance(1000);
    world.origin(2).send(head(1000, WHOLE.length - 1, 'ETag: "v2"\r\n'));
    expect(client.ended).toBe("");
    world.advance(20_000);
    world.origin(1).send(WHOLE.subarray(1000));
    expectBody(client, TEXT);
    expectQuiet(world);
  });

  it("with a single origin is continued by it, on a new connection", async () => {
    const { world, client } = await brokenAfter(1000, {});
    world.advance(1000);
    expect(world.network.dialled).toHaveLength(2);
    world.origin(2).send(Buffer.concat([Buffer.from(head(1000)), WHOLE.subarray(1000)]));
    expectBody(client, TEXT);
    expect(codes(world)).toEqual(["resume.allowed.stalled", "resume.continued"]);
    expectQuiet(world);
  });

  it("on every connection is cut when the gap limit and the attempts are used up", async () => {
    const { world, client } = await brokenAfter(1000, {});
    world.advance(29_000);
    expect(client.ended).toBe("");
    world.advance(2_500);
    expect(client.ended).toBe("fin");
    expectBody(client, TEXT.slice(0, 1000));
    expect(world.network.dialled.length).toBeLessThanOrEqual(3);
    expect(world.records[0]).toMatchObject({ outcome: "failed", cause: "origin.stall_mid_body" });
    expectQuiet(world);
  });

  it("after it went on is measured anew, and ends by the limit of its route", async () => {
    const service = { routes: [{ resume: { stall: false } }] };
    const { world, client } = await brokenAfter(1000, { ...TWO, service });
    world.origin(1).rst();
    world.origin(2).send(head(1000));
    world.origin(2).send(WHOLE.subarray(1000, 1100));
    world.advance(29_000);
    expect(world.network.dialled).toHaveLength(2);
    world.advance(1_100);
    expect(world.network.dialled).toHaveLength(3);
    expectQuietAfterLeaving(world, client);
  });

  it("is not one while it is the client that takes nothing", async () => {
    const { world, client } = await brokenAfter(0);
    client.takeOnly(1000);
    world.origin(1).send(WHOLE.subarray(0, 5000));
    world.advance(5000);
    expect(world.network.dialled).toHaveLength(1);
    client.takeAll();
    world.advance(800);
    expect(world.network.dialled).toHaveLength(1);
    world.advance(200);
    expect(world.network.dialled).toHaveLength(2);
    expectQuietAfterLeaving(world, client);
  });

  it("of who was asked is the turn of the one where it began, although its checks say that it is down", async () => {
    const { world, client } = await brokenAfter(1000, { ...TWO, service: { health: { path: "/up" } } });
    const down = world.gateway.checkTargets().find(({ address }) => address.text === world.origin(1).address);
    for (let count = 0; count < 3; count += 1) world.gateway.checked(down!, { ok: false, detail: "status 500" });
    world.origin(1).rst();
    world.advance(1000);
    expect(world.origin(2).ended).toBe("rst");
    expect(world.origin(3).address).toBe(world.origin(1).address);
    world.origin(3).send(Buffer.concat([Buffer.from(head(1000)), WHOLE.subarray(1000)]));
    expectBody(client, TEXT);
    expect(codes(world).slice(1)).toEqual([
      "resume.given-up",
      "resume.allowed.same-origin",
      "pick.last-resort",
      "resume.continued",
    ]);
    expectQuiet(world);
  });

  it("is another origin's turn when the one that was asked does not begin to answer", async () => {
    const { world, client } = await brokenAfter(1000, THREE);
    world.advance(1000);
    world.advance(1000);
    expect(world.origin(2).ended).toBe("rst");
    world.origin(3).send(Buffer.concat([Buffer.from(head(1000)), WHOLE.subarray(1000)]));
    expectBody(client, TEXT);
    expect(codes(world)).toEqual([
      "resume.allowed.stalled",
      "resume.given-up",
      "resume.allowed.stalled",
      "resume.continued",
    ]);
    expect(world.records[0]?.attempts[1]).toMatchObject({ cause: null });
    expectQuiet(world);
  });

  it.each([{ stall: "3s" }, { stall: false }])("is told by the limit of its route: %j", async (resume) => {
    const { world, client } = await brokenAfter(1000, { ...TWO, service: { routes: [{ resume }] } });
    world.advance(2900);
    expect(world.network.dialled).toHaveLength(1);
    world.advance(200);
    expect(world.network.dialled).toHaveLength(resume.stall === false ? 1 : 2);
    expectQuietAfterLeaving(world, client);
  });

  it("is no fault on a route whose bodies may be silent", async () => {
    const service = { routes: [{ timeouts: { gap: false } }] };
    const { world, client } = await brokenAfter(1000, { ...TWO, service });
    world.advance(60_000);
    expect(world.network.dialled).toHaveLength(1);
    expectQuietAfterLeaving(world, client);
  });

  it("takes a token of the budget, so that a slow line under all downloads does not double their number", async () => {
    const service = { retry: { budget: 0, budgetPerSecond: 0 } };
    const { world, client } = await brokenAfter(200_000, { ...TWO, service });
    world.advance(5000);
    expect(world.network.dialled).toHaveLength(1);
    expectQuietAfterLeaving(world, client);
  });

  it("is helped as soon as the budget has a token again", async () => {
    const service = { retry: { budget: 0, budgetPerSecond: 1 } };
    const { world, client } = await brokenAfter(1000, { ...TWO, service });
    // Ten of them take the tokens of ten seconds.
    for (let time = 0; time < 10; time += 1) {
      const other = world.client();
      other.send(get());
      const asked = world.network.dialled.length;
      world.origin(asked).send(OK);
      world.origin(asked).rst();
      other.rst();
    }
    const before = world.network.dialled.length;
    world.origin(1).send(WHOLE.subarray(1000, 1001));
    world.advance(8000);
    expect(world.network.dialled).toHaveLength(before);
    world.advance(6000);
    expect(world.network.dialled.length).toBeGreaterThan(before);
    expect(world.network.dialled.at(-1)?.received).toContain("Range: bytes=1001-299999\r\n");
    expectQuietAfterLeaving(world, client);
  });

  it("waits while requests are turned away for want of room, and is helped afterwards", async () => {
    const { world, client } = await brokenAfter(1000, { ...TWO, service: { overload: { concurrency: 1 } } });
    // They have an origin each and are not answered; whoever comes behind them waits, and soon too long.
    const others = [1, 2].map(() => world.client());
    for (const other of others) other.send(get());
    expect(world.network.dialled).toHaveLength(3);
    for (let time = 0; time < 30; time += 1) {
      const late = world.client();
      late.send(get());
      others.push(late);
      world.advance(50);
    }
    expect(world.network.dialled).toHaveLength(3);
    for (const other of others) other.rst();
    world.advance(5000);
    expect(world.network.dialled).toHaveLength(4);
    expect(world.origin(4).received).toContain("Range: bytes=1000-299999\r\n");
    expectQuietAfterLeaving(world, client);
  });

  it("does not wait for that where its route is critical and others give way to it", async () => {
    const routes = [
      { match: { path: "/film" }, class: "critical" },
      { match: { path: "/*" }, class: "background" },
    ];
    const service = { overload: { concurrency: 8 }, routes };
    const { world, client } = await brokenAfter(1000, { ...TWO, service });
    const others: Peer[] = [];
    for (let time = 0; time < 60; time += 1) {
      const other = world.client();
      other.send(get().replace("/film", "/news"));
      others.push(other);
      world.advance(25);
    }
    expect(world.gateway.view.status().services[0]?.shedding).toBe(true);
    expect(world.network.dialled.at(-1)?.received).toContain("Range: bytes=1000-299999\r\n");
    for (const other of others) other.rst();
    expectQuietAfterLeaving(world, client);
  });

  it("leaves nothing behind when its client goes, or the gateway stops", async () => {
    for (const go of [(client: Peer) => client.rst(), (client: Peer) => client.fin()]) {
      const { world, client } = await brokenAfter(1000);
      world.advance(1000);
      go(client);
      world.advance(100_000);
      expect(world.origin(1).ended).not.toBe("");
      expect(world.origin(2).ended).not.toBe("");
      expectQuiet(world);
    }
  });
});

interface Answer {
  readonly how: "part" | "all" | "other version" | "wrong offset" | "trouble" | "refuses" | "silent";
  /** How much of what it has to send it sends, 0 to 1. */
  readonly share: number;
  readonly end: "fin" | "rst" | "silent";
  readonly pieceBytes: number;
}

const answer: fc.Arbitrary<Answer> = fc.record({
  how: fc.constantFrom(
    ...([
      "part",
      "part",
      "part",
      "part",
      "all",
      "other version",
      "wrong offset",
      "trouble",
      "refuses",
      "silent",
    ] as const),
  ),
  share: fc.oneof(fc.constantFrom(0, 1, 1), fc.double({ min: 0, max: 1, noNaN: true })),
  end: fc.constantFrom("fin", "rst", "silent"),
  pieceBytes: fc.constantFrom(1, 4096, 100_000, 140_000).map((bytes) => (bytes === 1 ? 50_001 : bytes)),
});

/** Lets the origin behind a connection do as it was told. */
function play(peer: Peer, { how, share, end, pieceBytes }: Answer, isFirst: boolean): void {
  const asked = Number(/Range: bytes=(\d+)-/.exec(peer.received)?.[1] ?? 0);
  const evil = Buffer.alloc(WHOLE.length, "EVIL");
  const [top, body] = ((): [string, Buffer] => {
    if (isFirst) return [OK, WHOLE];
    switch (how) {
      case "part":
        return [head(asked), WHOLE.subarray(asked)];
      case "all":
        return [OK, WHOLE];
      case "other version":
        return [head(asked, WHOLE.length - 1, 'ETag: "v2"\r\n'), evil.subarray(asked)];
      case "wrong offset":
        return [head(asked + 1, WHOLE.length), evil.subarray(asked)];
      case "trouble":
        return ["HTTP/1.1 503 No\r\nContent-Length: 300000\r\n\r\n", evil];
      case "refuses":
      case "silent":
        return ["", Buffer.alloc(0)];
    }
  })();
  if (how === "refuses" && !isFirst) {
    peer.rst();
    return;
  }
  if (top !== "") peer.send(top);
  const until = Math.floor(body.length * share);
  for (let at = 0; at < until; at += pieceBytes) peer.send(body.subarray(at, Math.min(until, at + pieceBytes)));
  if (until < body.length && end !== "silent") peer[end]();
}

test("whatever origins do, the client gets a beginning of the one right body, and an end only when it is whole", async () => {
  const plan = fc.array(answer, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(plan, fc.boolean(), async (answers, isSlow) => {
      const world = await memoryGateway(THREE);
      const client = world.client();
      if (isSlow) client.takeOnly(100_000);
      client.send(get());
      for (let played = 0, turns = 0; turns < 400 && world.records.length === 0; turns += 1) {
        if (played < world.network.dialled.length) {
          // A course that goes on for longer than planned ends with an origin that does its work.
          play(world.origin(played + 1), answers[played] ?? WELL, played === 0);
          played += 1;
        } else world.advance(300);
        if (turns === 5) client.takeAll();
      }
      const got = bodyOf(client);
      expect(TEXT.startsWith(got)).toBe(true);
      const [record] = world.records;
      const isWhole = record?.outcome === "served" || record?.outcome === "rescued";
      expect(got.length === TEXT.length).toBe(isWhole);
      if (!isWhole) expect(client.ended).not.toBe("");
      client.rst();
      world.advance(100);
      expectQuiet(world);
    }),
    { numRuns: 60 },
  );
});

const WELL: Answer = { how: "part", share: 1, end: "fin", pieceBytes: 100_000 };
