/**
 * Connections that came to nothing before their first request: no header of the PROXY protocol, no TLS. Each counts, and
 * leaves a record like a request's, without a method; but no more of them in a second than somebody would read, because
 * whoever can open connections can make them by the thousand.
 */
import { CAUSES } from "../kernel/causes.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Unbegun } from "../kernel/socket.ts";
import { newExchangeRecord } from "./new-record.ts";
import type { RecordBook } from "./record-book.ts";
import type { Telemetry } from "./telemetry.ts";
import { countCause } from "./telemetry.ts";

const RECORDS_PER_SECOND = 10;
const SECOND_MS = 1_000;

export interface UnbegunPorts {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly book: RecordBook;
  readonly telemetry: Telemetry;
}

/** Of one listener. */
export function createUnbegun(
  listener: string,
  { clock, newId, book, telemetry }: UnbegunPorts,
): (of: Unbegun) => void {
  let since = -Infinity;
  let recorded = 0;
  return ({ cause, evidence, remoteAddress, remotePort }) => {
    const now = clock.monotonic();
    if (now - since >= SECOND_MS) {
      since = now;
      recorded = 0;
    }
    recorded += 1;
    if (recorded > RECORDS_PER_SECOND) {
      countCause(telemetry.unrouted.byCause, cause);
      return;
    }
    const record = newExchangeRecord(newId(), Math.round(clock.wall()), listener);
    const address = remoteAddress.startsWith("::ffff:") ? remoteAddress.slice(7) : remoteAddress;
    record.peerAddress = address;
    record.clientAddress = address;
    record.peerPort = remotePort;
    record.outcome = "refused";
    record.cause = cause;
    record.party = CAUSES[cause].party;
    record.evidence = evidence;
    record.step = "receive";
    record.doneUs = 0;
    telemetry.unrouted.add(record);
    book.add(record, now);
  };
}
