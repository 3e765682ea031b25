/**
 * Feeds bytes to a parser in pieces and writes down what it reports, in words that do not depend on how the
 * pieces were cut. On the way it checks what must hold of every head, whatever is in it.
 */
import { FIELD, FIELD_NAMES } from "../../src/http1/field-ids.ts";
import type { MessageHead } from "../../src/http1/head.ts";
import { RequestParser, ResponseParser } from "../../src/http1/parser.ts";
import type { MessageEvents, MessageLimits } from "../../src/http1/parser.ts";
import type { RefusalId } from "../../src/http1/refusals.ts";
import { escaped } from "./notation.ts";

/** Small, so that cases about limits can be read and every split point of every case can be tried. */
export const CORPUS_LIMITS: MessageLimits = {
  headBytes: 1024,
  fields: 16,
  lineBytes: 256,
  chunkExtensionBytes: 32,
  trailerBytes: 128,
};

const SHOWN_MAX = 60;

export interface Wire {
  readonly kind: "request" | "response";
  readonly methods: readonly string[];
  readonly bytes: string;
}

/** `cuts`: ascending offsets at which the input is cut. `limits` default to the corpus's. */
export function logOf(wire: Wire, cuts: readonly number[], limits: MessageLimits = CORPUS_LIMITS): string[] {
  const log = new EventLog();
  const methods = [...wire.methods];
  const parser = wire.kind === "request" ? new RequestParser(limits, log) : new ResponseParser(limits, log);
  log.trailersOf = () => parser.trailers;
  const expectNext = (): boolean => {
    const method = methods.shift();
    if (method !== undefined && method !== "-" && parser instanceof ResponseParser) parser.expect(method);
    return method !== undefined;
  };
  let due = expectNext() || wire.kind === "request" || wire.methods.length === 0;
  const whole = Buffer.from(wire.bytes, "latin1");
  let left = 0;
  for (let piece = 0; piece <= cuts.length; piece += 1) {
    const from = piece === 0 ? 0 : (cuts[piece - 1] ?? 0);
    const to = cuts[piece] ?? whole.length;
    // Each piece comes in a buffer of its own that is overwritten afterwards, as a socket's is.
    const shared = Buffer.from(whole.subarray(from, to));
    let at = 0;
    let calls = 0;
    // A message without content ends only when the parser is called again: a handler may have stopped it.
    while (due && !log.refused && !parser.tunnel && at < shared.length) {
      const ends = log.ends;
      const before = at;
      at = parser.execute(shared, at, shared.length);
      if (at < before || at > shared.length) throw new Error(`consumed ${before} to ${at} of ${shared.length}`);
      calls += 1;
      if (calls > shared.length + 8) throw new Error("the parser does not get on");
      if (log.ends > ends && wire.kind === "response") due = expectNext();
    }
    left += shared.length - at;
    shared.fill(0x5a);
  }
  if (!log.refused) {
    if (parser.tunnel) log.line(`tunnel, ${left} bytes left`);
    else {
      if (left > 0) log.line(`${left} bytes left`);
      const truncated = due ? parser.finish() : null;
      log.line(truncated === null ? "finish clean" : `finish ${truncated}`);
    }
  }
  return log.lines();
}

class EventLog implements MessageEvents {
  refused = false;
  ends = 0;
  trailersOf: () => readonly { readonly name: string; readonly value: string }[] | null = () => null;
  readonly #lines: string[] = [];
  #body = "";

  onHead(head: MessageHead): void {
    this.line(headLine(head));
    for (let index = 0; index < head.fieldCount; index += 1) {
      const hop = head.hopByHop(index) ? "  (this hop only)" : "";
      this.line(`  ${head.name(index)}: ${escaped(head.value(index))}`.trimEnd() + hop);
    }
    checkHead(head);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    if (start >= end || end > bytes.length) throw new Error(`a body slice from ${start} to ${end} of ${bytes.length}`);
    this.#body += bytes.toString("latin1", start, end);
  }

  onEnd(): void {
    this.ends += 1;
    for (const { name, value } of this.trailersOf() ?? []) this.line(`trailer ${name}: ${escaped(value)}`);
    this.line("end");
  }

  onRefusal(id: RefusalId): void {
    if (this.refused) throw new Error("refused twice");
    this.refused = true;
    this.line(`refused ${id}`);
  }

  line(text: string): void {
    if (this.#body !== "") {
      const shown = this.#body.length > SHOWN_MAX ? `${this.#body.length} bytes` : `"${escaped(this.#body)}"`;
      this.#lines.push(`body ${shown}`);
      this.#body = "";
    }
    this.#lines.push(text);
  }

  lines(): string[] {
    return this.#lines;
  }
}

function headLine(head: MessageHead): string {
  const content = {
    none: head.contentLength >= 0 ? `no content of ${head.contentLength}` : "no content",
    length: `content of ${head.contentLength}`,
    chunked: "chunked",
    close: "content until close",
  }[head.framing];
  const parts = [startLine(head), content, head.keepAlive ? "keep-alive" : "close"];
  if (head.upgrade) parts.push("upgrade");
  if (head.expectContinue) parts.push("expects 100");
  return parts.join(", ");
}

function startLine(head: MessageHead): string {
  const text = (start: number, end: number): string => escaped(head.bytes.toString("latin1", start, end));
  if (head.status > 0)
    return `HTTP/1.${head.minorVersion} ${head.status} ${text(head.reasonStart, head.reasonEnd)}`.trimEnd();
  const target = text(head.targetStart, head.targetEnd);
  const path = `path ${text(head.pathStart, head.pathEnd)}`.trimEnd();
  const authority = text(head.authorityStart, head.authorityEnd);
  const where = {
    origin: head.pathEnd < head.targetEnd ? ` (${path})` : "",
    absolute: ` (absolute: ${authority}, ${path})`,
    asterisk: " (asterisk)",
    authority: ` (authority: ${authority})`,
  }[head.targetForm];
  return `${head.method} ${target}${where} HTTP/1.${head.minorVersion}`;
}

/** What holds of every head: lines are adjacent, names are what their ids say, `find` and `next` agree with a search. */
function checkHead(head: MessageHead): void {
  let at = head.fieldsStart;
  const seen = new Set<number>();
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (
      head.lineStart(index) !== at ||
      head.bytes.toString("latin1", head.lineEnd(index) - 2, head.lineEnd(index)) !== "\r\n"
    ) {
      throw new Error(`line ${index} does not follow the one before it`);
    }
    at = head.lineEnd(index);
    const id = head.id(index);
    const name = head.name(index).toLowerCase();
    const known = FIELD_NAMES.indexOf(name, 1);
    if (id !== (known < 0 ? FIELD.OTHER : known)) throw new Error(`${name} has id ${id}`);
    if (id !== FIELD.OTHER && !seen.has(id) && head.find(id) !== index)
      throw new Error(`find does not find the first ${name}`);
    seen.add(id);
    if (!head.named(index, name)) throw new Error(`${name} is not named ${name}`);
    const next = Array.from({ length: head.fieldCount }, (_, other) => other).find(
      (other) => other > index && head.id(other) === id,
    );
    if (head.next(index) !== (next ?? -1)) throw new Error(`next after ${index} is ${head.next(index)}`);
  }
  if (at !== head.fieldsEnd || head.headEnd !== at + 2) throw new Error("the fields do not end where the head does");
  for (let id = 1; id < FIELD_NAMES.length; id += 1) {
    if (!seen.has(id) && head.find(id) !== -1) throw new Error(`${FIELD_NAMES[id]} is found but not there`);
  }
}
