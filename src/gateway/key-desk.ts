/**
 * Where people ask about keys and settle what is uncertain. While a key is being settled it counts as under way, so
 * that a request which comes with it in that moment waits for the outcome.
 */
import type { KeyDesk, KeySettled, KeyView } from "../contract/keys.ts";
import type { GatewayEvent } from "../contract/view.ts";
import type { Clock } from "../kernel/clock.ts";
import type { LedgerEntry, LedgerFailure, LedgerFilter } from "../kernel/ledger.ts";
import type { KeyBook } from "./key-book.ts";

/** What is known of keys that are being worked on: in this process, or in all workers of a node. */
export type KeyFlights = Pick<KeyBook, "ledger" | "flightOf" | "begin" | "settle">;

export function createKeyDesk(book: KeyFlights, clock: Clock, publish: (event: GatewayEvent) => void): KeyDesk {
  const { ledger } = book;

  function look(filter: LedgerFilter): Promise<readonly LedgerEntry[] | LedgerFailure> {
    return new Promise((resolve) => ledger.find(filter, resolve));
  }

  async function settleEntry(entry: LedgerEntry, executed: boolean): Promise<KeySettled> {
    const because = "a person said that it was carried out";
    const failure = await new Promise<LedgerFailure | null>((resolve) => {
      if (executed) ledger.mark(entry.id, { kind: "answered", status: 0, kept: false, because }, resolve);
      else ledger.forget(entry.id, resolve);
    });
    if (failure !== null) return { kind: "failed", detail: failure.detail };
    publish({
      kind: "gateway",
      at: clock.wall(),
      code: "keys.settled",
      detail: `a person said that ${entry.method} ${entry.target} with the key "${entry.key}" (${entry.requestId}) was ${executed ? "" : "not "}carried out`,
    });
    const state = executed ? ({ kind: "answered", status: 0, kept: false, because } as const) : entry.state;
    return { kind: "settled", key: viewOf({ ...entry, state }) };
  }

  return {
    async find(filter) {
      const found = await look(filter);
      return "kind" in found ? found.detail : found.map(viewOf);
    },

    async settle(id, executed) {
      if (book.flightOf(id) !== null) return { kind: "not uncertain", detail: "a request with this key is under way" };
      const flight = book.begin(id, "");
      try {
        const found = await look({ id, limit: 1 });
        if ("kind" in found) return { kind: "failed", detail: found.detail };
        const [entry] = found;
        if (entry === undefined) return { kind: "unknown" };
        const { state } = entry;
        // "Started" without anybody at work on it is what an exchange leaves that could not say how it ended.
        if (state.kind !== "answered") return await settleEntry(entry, executed);
        return { kind: "not uncertain", detail: `the request was answered with ${state.status}` };
      } finally {
        book.settle(flight, null);
      }
    },
  };
}

function viewOf(entry: LedgerEntry): KeyView {
  const { id, key, service, route, method, target, requestId, startedAt, expiresAt, state } = entry;
  const isAnswered = state.kind === "answered";
  return {
    id,
    key,
    service,
    route,
    method,
    target,
    requestId,
    startedAt,
    expiresAt,
    state: state.kind,
    status: isAnswered ? state.status : 0,
    kept: isAnswered && state.kept,
    because: state.kind === "started" ? "" : state.because,
  };
}
