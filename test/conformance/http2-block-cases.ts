/** What RFC 7541 demands of a server that reads header blocks, and writes them. */
import { FRAME, PREFACE, SETTING } from "../../src/http2/frames.ts";
import { block, frame, GET, request, settings } from "../support/h2-frames.ts";
import type { Pair } from "../support/h2-frames.ts";
import { COMPRESSION_ERROR, connection, one, raw, response, twice, whole, WHOLE } from "./http2-case.ts";
import type { Case } from "./http2-case.ts";

const { HEADERS } = FRAME;

export const BLOCK_CASES: readonly Case[] = [
  one("RFC 7541 §2.3.3", "an index behind both tables", connection(COMPRESSION_ERROR), raw("ff00")),
  one("RFC 7541 §4.2", "a change of the table's size at the end of a block", connection(COMPRESSION_ERROR), raw("20")),
  one(
    "RFC 7541 §4.2",
    "a table larger than was allowed",
    connection(COMPRESSION_ERROR),
    frame(HEADERS, WHOLE, 1, Buffer.concat([Buffer.from("3fe21f", "hex"), block(GET)])),
  ),
  one(
    "RFC 7541 §5.2",
    "Huffman's code with more than seven bits left over",
    connection(COMPRESSION_ERROR),
    raw("0081788494e7ffff"),
  ),
  one(
    "RFC 7541 §5.2",
    "Huffman's code that is filled up with zeros",
    connection(COMPRESSION_ERROR),
    raw("0081788294e0"),
  ),
  one("RFC 7541 §5.2", "Huffman's code with its end symbol", connection(COMPRESSION_ERROR), raw("00817884ffffffff")),
  one("RFC 7541 §6.1", "index 0", connection(COMPRESSION_ERROR), raw("80")),
  one(
    "RFC 7541 §6.3",
    "a change of the table's size at the beginning of a block is taken",
    response(),
    frame(HEADERS, WHOLE, 1, Buffer.concat([Buffer.from("20", "hex"), block(GET)])),
  ),
  one(
    "RFC 7541",
    "all kinds of fields are taken: indexed, kept, not kept, never kept",
    response(),
    frame(
      HEADERS,
      WHOLE,
      1,
      Buffer.concat([
        Buffer.from("828684", "hex"),
        block(GET.slice(3)),
        Buffer.from("400178017910017801790001780179be", "hex"),
      ]),
    ),
  ),
  one(
    "RFC 7541 §2.3.3",
    "a field whose name stands behind both tables",
    connection(COMPRESSION_ERROR),
    raw("7fff000178"),
  ),
  one("RFC 7541 §5.1", "a number without an end", connection(COMPRESSION_ERROR), raw("ffffffffffffffff7f")),
  one("RFC 7541 §5.2", "a text that is longer than its block", connection(COMPRESSION_ERROR), raw("0001787f20")),
  twice(
    "RFC 7541 §2.2",
    "a table lasts from block to block",
    response(3),
    // `:path: /`, kept, is the newest of the table.
    frame(
      HEADERS,
      WHOLE,
      1,
      Buffer.concat([block(GET.slice(0, 2)), Buffer.from("44012f", "hex"), block(GET.slice(3))]),
    ),
    [frame(HEADERS, WHOLE, 3, Buffer.concat([block(GET.slice(0, 2)), Buffer.from("be", "hex"), block(GET.slice(3))]))],
  ),
  one(
    "RFC 9113 §10.5.1",
    "a head with too many fields is answered, and its block counts for the table",
    response(3, 200),
    frame(
      HEADERS,
      WHOLE,
      1,
      Buffer.concat([
        block([...GET, ...Array.from({ length: 200 }, (_, index): Pair => [`x-${index}`, ""])]),
        // `x: y`, kept.
        Buffer.from("4001780179", "hex"),
      ]),
    ),
    frame(HEADERS, WHOLE, 3, Buffer.concat([block(GET), Buffer.from("be", "hex")])),
  ),
  whole(
    "RFC 9113 §4.3.1",
    "a smaller table is agreed to at the beginning of the next block",
    { kind: "block", stream: 1, begins: "20" },
    PREFACE,
    settings([SETTING.HEADER_TABLE_SIZE, 0]),
    request(1),
  ),
  whole(
    "RFC 7541 §4.2",
    "of several changes of the table's size the smallest and the last are told",
    { kind: "block", stream: 1, begins: "203fe10f" },
    PREFACE,
    settings([SETTING.HEADER_TABLE_SIZE, 0]),
    settings([SETTING.HEADER_TABLE_SIZE, 2048]),
    request(1),
  ),
];
