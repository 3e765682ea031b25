/** The line of a record as text. */
import type { ExchangeRecord } from "../../src/contract/record.ts";
import { writeAccessLine } from "../../src/store/access-line.ts";
import { JsonLine } from "../../src/store/json-line.ts";

/** One for all, as in the log: a line must not depend on the one before. */
const line = new JsonLine();

export function accessLine(record: ExchangeRecord): string {
  writeAccessLine(line, record);
  return line.bytes.toString("utf8", 0, line.length);
}
