/** Sizes on a network that is written down here: which packets arrive is all that differs. */
import { describe, expect, it } from "vitest";
import { PLAIN_WAY } from "../../contract/rungs.ts";
import type { Answered, Endpoint, ProbeRequest } from "../../contract/rungs.ts";
import { padded } from "./same-request.ts";
import { climbSizes } from "./sized-rungs.ts";

const TO: Endpoint = { ip: "192.0.2.1", family: 4, port: 80 };
const SMALL: ProbeRequest = {
  method: "HEAD",
  target: "/",
  host: "origin.test",
  way: PLAIN_WAY,
  fields: {},
  bodyBytes: 0,
};
const LARGE: ProbeRequest = { ...SMALL, method: "GET", target: "/items" };
const PACKET = 1_460;

interface Link {
  /** What no packet may be larger than. */
  readonly there: number;
  readonly back: number;
  /** Of the answer to a GET. */
  readonly bodyBytes: number;
  readonly givesParts: boolean;
}

const WELL: Link = { there: Infinity, back: Infinity, bodyBytes: 50_000, givesParts: true };

function headBytes({ method, target, host, fields }: ProbeRequest): number {
  const lines = Object.entries({ host, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`.length;
}

async function climbed(link: Partial<Link>): Promise<string> {
  const { there, back, bodyBytes, givesParts } = { ...WELL, ...link };
  const answer = (request: ProbeRequest): Answered => {
    const body = request.method === "HEAD" ? 0 : givesParts && request.fields["range"] === "bytes=0-0" ? 1 : bodyBytes;
    const isLost = Math.min(headBytes(request), PACKET) > there || Math.min(body + 200, PACKET) > back;
    const seen = { ms: 3, date: "" };
    if (isLost) return { ...seen, ok: false, text: "no response", failure: "silent", status: 0, bodyBytes: 0 };
    return { ...seen, ok: true, text: "status 200", failure: "", status: 200, bodyBytes: body };
  };
  const unused = (): never => {
    throw new Error("no other rung is climbed here");
  };
  const rungs = {
    resolversFor: unused,
    resolve: unused,
    connect: unused,
    handshake: unused,
    request: (_to: Endpoint, request: ProbeRequest) => Promise.resolve(answer(request)),
  };
  const { request, response } = await climbSizes(rungs, TO, SMALL, LARGE, 1_000);
  return `${request.result} ${response.result}`;
}

describe("sizes", () => {
  it("all hold on a link that loses nothing", async () => {
    expect(await climbed({})).toBe("holds holds");
  });

  it("break towards an origin where full packets are lost on the way to it", async () => {
    expect(await climbed({ there: 1_300 })).toBe("breaks holds");
  });

  it("break from an origin where full packets are lost on the way back", async () => {
    expect(await climbed({ back: 1_300 })).toBe("holds breaks");
    expect(await climbed({ there: 1_300, back: 1_300 })).toBe("breaks breaks");
  });

  it("say nothing of answers that fit into a packet, or of which no part is given", async () => {
    expect(await climbed({ bodyBytes: 300 })).toBe("holds unknown");
    expect(await climbed({ back: 1_300, givesParts: false })).toBe("holds unknown");
  });
});

describe("a head that is made larger", () => {
  it.each([100, 500, 3_500, 16_000])("has %i bytes, or as many as it has to", (bytes) => {
    const made = headBytes(padded(SMALL, bytes));
    expect(made).toBe(Math.max(bytes, made));
    expect(made - bytes).toBeLessThan(60);
  });
});
