/**
 * Whatever comes together: clients that share a fetch, ask for parts and leave; origins that cut, change what they have
 * and answer in pieces; purges; the clock. A client may get any version of what it asked for, but of one only: byte for
 * byte what its head says, or visibly less.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { memoryGateway } from "../../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../../test/support/memory-gateway.ts";
import type { Peer } from "../../../test/support/memory-socket.ts";

const LENGTH = 150_000;
const TARGETS = ["/a", "/b"];
const DIRECTIVES = [
  "max-age=60",
  "max-age=1, stale-while-revalidate=5",
  "max-age=1, stale-if-error=60",
  "no-cache",
  "public, max-age=0, must-revalidate",
  "no-store",
];

type Act =
  | { readonly kind: "ask"; readonly target: number; readonly fields: number }
  | { readonly kind: "send"; readonly peer: number; readonly bytes: number }
  | { readonly kind: "cut"; readonly peer: number }
  | { readonly kind: "leave"; readonly client: number }
  | { readonly kind: "slow"; readonly client: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "purge"; readonly target: number }
  | { readonly kind: "change"; readonly target: number };

const FIELDS = ["", "", "", "Range: bytes=1000-99999\r\n", 'If-None-Match: "a0"\r\n', "Cookie: session=1\r\n"];

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("ask"), target: fc.nat(1), fields: fc.nat(FIELDS.length - 1) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("send"),
      peer: fc.nat(5),
      bytes: fc.constantFrom(1, 100, 70_000, 200_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("cut"), peer: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave"), client: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("slow"), client: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait"), ms: fc.constantFrom(10, 1_100, 3_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("purge"), target: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("change"), target: fc.nat(1) }) },
);

/** Every byte depends on its place and its version. */
function contentOf(tag: string): string {
  const seed = Buffer.from(tag).reduce((sum, letter) => sum * 31 + letter, 7);
  return Buffer.from(
    Array.from({ length: LENGTH }, (_, at) => 97 + ((at * 7 + (at >> 8) * 13 + seed) % 26)),
  ).toString();
}

const contents = new Map<string, string>();
function content(tag: string): string {
  const known = contents.get(tag) ?? contentOf(tag);
  contents.set(tag, known);
  return known;
}

/** Origins as they are: each answers its requests in order, as far as it is told to. */
class Origins {
  readonly versions = TARGETS.map(() => 0);
  readonly #gateway: MemoryGateway;
  readonly #due: Map<Peer, string> = new Map();
  readonly #directive: string;
  readonly #chunked: boolean;

  constructor(gateway: MemoryGateway, directive: string, chunked: boolean) {
    this.#gateway = gateway;
    this.#directive = directive;
    this.#chunked = chunked;
  }

  send(number: number, bytes: number): void {
    const peer = this.#peer(number);
    if (peer === null) return;
    const due = this.#due.get(peer) ?? "";
    if (due === "") return;
    this.#due.set(peer, due.slice(bytes));
    peer.send(due.slice(0, bytes));
  }

  cut(number: number): void {
    const peer = this.#peer(number);
    if (peer === null) return;
    this.#due.delete(peer);
    peer.rst();
  }

  /** Everybody is answered to the end. */
  settle(): void {
    for (let turn = 0; turn < 200; turn += 1) {
      for (let number = 0; number < this.#gateway.network.dialled.length; number += 1) this.send(number, LENGTH * 2);
      this.#gateway.advance(100);
    }
  }

  #peer(number: number): Peer | null {
    const living = this.#gateway.network.dialled.filter((peer) => peer.ended === "");
    for (const peer of living) this.#take(peer);
    const busy = living.filter((peer) => (this.#due.get(peer) ?? "") !== "");
    return busy[number % Math.max(1, busy.length)] ?? null;
  }

  #take(peer: Peer): void {
    for (const request of peer.take().split("\r\n\r\n")) {
      if (request !== "") this.#due.set(peer, (this.#due.get(peer) ?? "") + this.#answer(request));
    }
  }

  #answer(request: string): string {
    const at = TARGETS.indexOf(/^GET (\S+)/.exec(request)?.[1] ?? "");
    const name = `${TARGETS[at]?.slice(1)}${this.versions[at]}`;
    const fields = `ETag: "${name}"\r\nCache-Control: ${this.#directive}\r\n`;
    const field = (key: string): string => new RegExp(`\r\n${key}: ([^\r]*)`, "i").exec(request)?.[1] ?? "";
    if (field("if-none-match") === `"${name}"`) return `HTTP/1.1 304 Not Modified\r\n${fields}\r\n`;
    const range = /^bytes=(\d+)-(\d+)$/.exec(field("range"));
    const body = content(name);
    if (range !== null && ["", `"${name}"`].includes(field("if-range"))) {
      const [first, last] = [Number(range[1]), Number(range[2])];
      const head = `Content-Range: bytes ${first}-${last}/${LENGTH}\r\nContent-Length: ${last - first + 1}\r\n`;
      return `HTTP/1.1 206 Partial Content\r\n${fields}${head}\r\n${body.slice(first, last + 1)}`;
    }
    if (!this.#chunked) return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${LENGTH}\r\n\r\n${body}`;
    return `HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${LENGTH.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  }
}

/** Empty: it is right. */
function wrongWith(client: Peer, target: string): string {
  const { received } = client;
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return received === "" ? "" : "half a head";
  const head = received.slice(0, end);
  const status = Number(head.slice(9, 12));
  if (status >= 400 || status === 304) return "";
  const tag = /\r\nETag: "([a-z]\d+)"/.exec(head)?.[1] ?? "";
  if (!tag.startsWith(target.slice(1))) return `a response to ${tag} for ${target}`;
  const range = /\r\nContent-Range: bytes (\d+)-(\d+)\//.exec(head);
  const expected = range === null ? content(tag) : content(tag).slice(Number(range[1]), Number(range[2]) + 1);
  const isChunked = /\r\nTransfer-Encoding: chunked/i.test(head);
  const raw = received.slice(end + 4);
  const ends = isChunked ? raw.endsWith("\r\n0\r\n\r\n") : raw.length === expected.length;
  const body = isChunked ? raw.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, "").replace(/\r\n.*$/s, "") : raw;
  if (ends) return body === expected ? "" : `another body for ${tag}`;
  return expected.startsWith(body) ? "" : `a wrong part of ${tag}`;
}

it.each([true, { staleIfError: "1d" }, undefined])(
  "every client gets one right body or visibly less, with cache: %j",
  async (cache) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 10, maxLength: 60 }),
        fc.constantFrom(...DIRECTIVES),
        fc.boolean(),
        async (acts, directive, chunked) => {
          const gateway = await memoryGateway({
            origins: ["http://10.0.0.1", "http://10.0.0.2"],
            service: { ejection: false, ...(cache === undefined ? {} : { routes: [{ cache }] }) },
            rest: { cache: { object: "200KiB", memory: "1MiB" } },
          });
          const origins = new Origins(gateway, directive, chunked);
          const clients: { readonly peer: Peer; readonly target: string; left: boolean }[] = [];
          for (const one of acts) {
            switch (one.kind) {
              case "ask": {
                const [target = "", peer] = [TARGETS[one.target], gateway.client()];
                clients.push({ peer, target, left: false });
                peer.send(`GET ${target} HTTP/1.1\r\nHost: x\r\n${FIELDS[one.fields]}\r\n`);
                break;
              }
              case "send":
                origins.send(one.peer, one.bytes);
                break;
              case "cut":
                origins.cut(one.peer);
                break;
              case "leave": {
                const client = clients[one.client];
                if (client !== undefined && client.peer.ended === "" && !client.left) client.peer.rst();
                if (client !== undefined) client.left = true;
                break;
              }
              case "slow":
                clients[one.client]?.peer.takeOnly(30_000);
                break;
              case "wait":
                gateway.advance(one.ms);
                break;
              case "purge":
                gateway.gateway.actions.purgeCache({ kind: "url", url: TARGETS[one.target] ?? "" });
                break;
              case "change":
                origins.versions[one.target] = (origins.versions[one.target] ?? 0) + 1;
            }
          }
          for (const { peer, left } of clients) if (!left) peer.takeAll();
          origins.settle();
          expect(gateway.faults).toEqual([]);
          for (const { peer, target } of clients) expect(wrongWith(peer, target)).toBe("");
          expect(gateway.gateway.view.status().exchangesActive).toBe(0);
          expect(gateway.records.filter((record) => record.cache !== "refresh")).toHaveLength(clients.length);
        },
      ),
      { numRuns: 15 },
    );
  },
);
