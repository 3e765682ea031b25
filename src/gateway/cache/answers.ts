/** Stored responses as a client gets them: whole, a part, or only the word that it has it already. */
import type { StoredAnswer } from "../stored-answer.ts";
import { isUnmodified, rangeOf } from "./conditions.ts";
import type { Conditions } from "./conditions.ts";
import type { Entry, EntryFacts } from "./entry.ts";
import type { StoredBody } from "./stored-body.ts";

/** `lines`: what the gateway adds. Null conditions: the client has none. `nowWall`: epoch ms. */
export function answerFrom(
  entry: Entry,
  body: StoredBody,
  isHead: boolean,
  conditions: Conditions | null,
  nowWall: number,
  lines: string,
): StoredAnswer {
  const { facts } = entry;
  if (conditions !== null && facts.status === 200) {
    if (isUnmodified(conditions, facts, nowWall)) return notModified(facts, lines);
    const part = isHead || body.state !== "complete" ? null : partOf(facts, body, conditions, lines);
    if (part !== null) return part;
  }
  const length = body.state === "complete" ? body.length : body.expected;
  const hasBody = !isHead && facts.status !== 204;
  return { head: headBytes(facts, length), lines, body: hasBody ? body.read() : null };
}

function partOf(facts: EntryFacts, body: StoredBody, conditions: Conditions, lines: string): StoredAnswer | null {
  const range = rangeOf(conditions, facts, body.length);
  switch (range.kind) {
    case "whole":
      return null;
    case "unsatisfiable":
      return {
        head: bytesOf(
          `HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */${body.length}\r\nContent-Length: 0\r\n\r\n`,
        ),
        lines,
        body: null,
      };
    case "part": {
      const { first, last } = range;
      const head =
        `HTTP/1.1 206 Partial Content\r\n${without(facts.fields, RANGE_FIELDS)}` +
        `Content-Range: bytes ${first}-${last}/${body.length}\r\nContent-Length: ${last - first + 1}\r\n\r\n`;
      return { head: bytesOf(head), lines, body: body.read(first, last + 1) };
    }
  }
}

/** RFC 9110 §15.4.5: what describes the content that is not sent stays out. */
function notModified(facts: EntryFacts, lines: string): StoredAnswer {
  const head = `HTTP/1.1 304 Not Modified\r\n${without(facts.fields, CONTENT_FIELDS)}\r\n`;
  return { head: bytesOf(head), lines, body: null };
}

/** `length`: -1: not known yet, so that the body goes in chunks. */
function headBytes(facts: EntryFacts, length: number): Buffer {
  const { status, reason, fields } = facts;
  const framing =
    status === 204 ? "" : length === -1 ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${length}\r\n`;
  return bytesOf(`HTTP/1.1 ${status} ${reason}\r\n${fields}${framing}\r\n`);
}

const RANGE_FIELDS = /^content-range:/i;
const CONTENT_FIELDS = /^content-(?:encoding|language|length|md5|range|type):/i;

function without(fields: string, names: RegExp): string {
  return fields
    .split("\r\n")
    .filter((line) => !names.test(line))
    .join("\r\n");
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
