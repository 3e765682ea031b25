/** The lines of a text file, one after the other, without holding the file: recorded facts may be larger than memory. A name that ends in `.gz` is unpacked. */
import fs from "node:fs";
import readline from "node:readline";
import { pipeline } from "node:stream";
import zlib from "node:zlib";

/** Rejects with the system's error when the file cannot be read, or is no gzip though it is called so. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const file = fs.createReadStream(path);
  let failure: Error | null = null;
  // `pipeline` destroys both ends when one of them fails; readline alone would wait for ever.
  const input = path.endsWith(".gz")
    ? pipeline(file, zlib.createGunzip(), (error) => {
        // Undefined when all went well, and that may be said before the last line is taken.
        failure ??= error ?? null;
      })
    : file;
  input.on("error", (error: Error) => {
    failure ??= error;
  });
  const lines = readline.createInterface({ input, crlfDelay: Infinity });
  yield* lines;
  if (failure !== null) throw failure;
}
