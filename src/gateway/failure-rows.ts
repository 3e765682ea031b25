/**
 * What went wrong within a second, counted by all dimensions at once. Failures come in floods of few kinds, so the
 * kind before is asked first. Two bounds: past the first one clients' networks are no longer told apart, so that a
 * thousand clients do not hide a second fault; past the second one rows are lost, and that is counted.
 */
import type { FailureRow } from "../contract/facts.ts";
import { FAILURE_ROWS_MAX } from "../contract/facts.ts";
import type { AttemptRecord, ExchangeRecord, Outcome } from "../contract/record.ts";
import { CAUSES } from "../kernel/causes.ts";

/** Of them with a client network of their own. */
const ROWS_WITH_NETWORK_MAX = FAILURE_ROWS_MAX / 2;
const NO_NETWORK = "";

type Writable<Row> = { -readonly [Key in keyof Row]: Row[Key] };

export class FailureRows {
  /** Exchanges that found no row. */
  lost = 0;
  #rows = new Map<string, Writable<FailureRow>>();
  /** Without the networks. */
  #kinds = new Set<string>();

  /** Returns whether it is the first of its kind in this second. `routeClass`: empty when there was no route. */
  add(record: ExchangeRecord, outcome: Exclude<Outcome, "served">, routeClass: string, network: string): boolean {
    const attempt = tellingAttempt(record);
    const kind = kindOf(record, attempt);
    const rows = this.#rows;
    const withNetwork = `${kind}\n${network}`;
    const row = rows.get(withNetwork);
    if (row !== undefined) {
      row.count += 1;
      return false;
    }
    const isNew = !this.#kinds.has(kind);
    if (isNew && this.#kinds.size < FAILURE_ROWS_MAX) this.#kinds.add(kind);
    if (rows.size < ROWS_WITH_NETWORK_MAX) {
      rows.set(withNetwork, rowOf(record, attempt, outcome, routeClass, network));
      return isNew;
    }
    const others = rows.get(kind);
    if (others !== undefined) others.count += 1;
    else if (rows.size < FAILURE_ROWS_MAX) rows.set(kind, rowOf(record, attempt, outcome, routeClass, NO_NETWORK));
    else this.lost += 1;
    return isNew;
  }

  /** All of them; the next second begins with none. */
  take(): FailureRow[] {
    if (this.#rows.size === 0) return [];
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    this.#kinds = new Set();
    this.lost = 0;
    return rows;
  }
}

/** The one that says why: the last that failed, or the last one. A rescued exchange ended at an origin that did well. */
function tellingAttempt({ attempts }: ExchangeRecord): AttemptRecord | null {
  for (let index = attempts.length - 1; index >= 0; index -= 1) {
    const attempt = attempts[index];
    if (attempt !== undefined && attempt.cause !== null) return attempt;
  }
  return attempts[attempts.length - 1] ?? null;
}

function kindOf(record: ExchangeRecord, attempt: AttemptRecord | null): string {
  const cause = record.cause ?? attempt?.cause ?? "";
  const where = attempt === null ? "\n" : `${attempt.pool}\n${attempt.address}`;
  return `${record.outcome}\n${cause}\n${record.service}\n${record.route}\n${where}\n${innerGatewayOf(attempt)}`;
}

/** The mark that says most, without what is different in each answer. */
function innerGatewayOf(attempt: AttemptRecord | null): string {
  const mark = attempt?.signs?.marks[0];
  if (mark === undefined) return "";
  const { text, says } = mark;
  return `${says}: ${/^(?:server|via):/i.test(text) ? text : text.replace(/:.*/s, "")}`;
}

function rowOf(
  record: ExchangeRecord,
  attempt: AttemptRecord | null,
  outcome: Exclude<Outcome, "served">,
  routeClass: string,
  clientNetwork: string,
): Writable<FailureRow> {
  const cause = record.cause ?? attempt?.cause ?? null;
  return {
    outcome,
    cause,
    party: record.party ?? (cause === null ? null : CAUSES[cause].party),
    service: record.service,
    route: record.route,
    class: routeClass,
    pool: attempt?.pool ?? "",
    origin: attempt?.origin ?? "",
    address: attempt?.address ?? "",
    family: attempt === null || attempt.address === "" ? "" : attempt.address.startsWith("[") ? "IPv6" : "IPv4",
    clientNetwork,
    innerGateway: innerGatewayOf(attempt),
    count: 1,
  };
}
