/** Bounds on heads and what else comes around bodies; the same for clients and for origins. */
import { z } from "zod";
import { count, size } from "./fields.ts";

export const headsSchema = z.strictObject({
  head: size("256B", "1MiB").prefault("32KiB").describe("A whole head: start line and fields."),
  fields: count("fields", 1, 10_000).prefault(100).describe("Fields of a head."),
  line: size("64B", "1MiB").prefault("16KiB").describe("The start line alone."),
  chunkExtension: size("0B", "64KiB").prefault("1KiB").describe("The extensions of one chunk."),
  trailer: size("0B", "1MiB").prefault("8KiB").describe("All trailer fields."),
});
