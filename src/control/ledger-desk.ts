/**
 * The ledger of keys of a node, for its workers: one book, and who works on which key. Of two workers that get the same
 * key at once the second is told that the first is at it, and hears when it is not any more; so a request is carried out
 * once whichever worker it comes to.
 *
 * A worker that dies leaves keys behind that were recorded as started. Nobody knows what became of those, which is
 * recorded at once: a restart of the gateway is not what it takes.
 */
import type { KeyOperation, KeyResult } from "../contract/shared-knowledge.ts";
import type { Begun, Ledger, LedgerAnswer, LedgerFailure, LedgerView } from "../kernel/ledger.ts";

export interface KeyMember {
  answerKey(number: number, result: KeyResult, view: LedgerView): void;
  keyOver(id: string): void;
}

interface Flight {
  readonly id: string;
  readonly fingerprint: string;
  /** Null: a person settles it. */
  readonly member: KeyMember | null;
  /** `beginning`: the ledger has not said yet. `started`: it is recorded, and how it ended is not. */
  state: "beginning" | "started" | "concluded";
  readonly waiting: Set<KeyMember>;
  /** Nobody in the other process asks for them: those of a person's flight. */
  readonly waiters: Set<{ woken(answer: LedgerAnswer | null): void }>;
}

/** As gateway/key-desk.ts wants them. */
export interface KeyFlights {
  readonly ledger: Ledger;
  flightOf(id: string): Flight | null;
  begin(id: string, fingerprint: string): Flight;
  settle(flight: { readonly id: string }): void;
}

const NO_LEDGER: LedgerFailure = {
  kind: "failed",
  code: "closed",
  detail: "there is no state directory to keep keys in",
};
const NOTHING: LedgerView = { keys: 0, bytes: 0 };
const INTERRUPTED = "the worker was interrupted after it had begun to send the request";

export class LedgerDesk {
  readonly #ledger: Ledger | null;
  readonly #flights = new Map<string, Flight>();

  constructor(ledger: Ledger | null) {
    this.#ledger = ledger;
  }

  perform(member: KeyMember, number: number, operation: KeyOperation): void {
    const ledger = this.#ledger;
    const reply = (result: KeyResult): void => member.answerKey(number, result, ledger?.view() ?? NOTHING);
    if (ledger === null) {
      reply(NO_LEDGER);
      return;
    }
    const done = (failure: LedgerFailure | null): void => reply(failure ?? { kind: "done" });
    switch (operation.op) {
      case "begin": {
        const { entry } = operation;
        const flight = this.#flights.get(entry.id);
        if (flight !== undefined && flight.member !== member) {
          flight.waiting.add(member);
          reply({ kind: "under way", fingerprint: flight.fingerprint });
          return;
        }
        const own = flight ?? this.#fly(entry.id, entry.fingerprint, member);
        own.state = "beginning";
        ledger.begin(entry, (begun) => this.#begun(own, begun, reply));
        return;
      }
      case "again":
        this.#stateOf(operation.id, member, "started");
        ledger.again(operation.id, operation.requestId, done);
        return;
      case "answer":
        this.#stateOf(operation.id, member, "concluded");
        ledger.answer(operation.id, operation.answer, done);
        return;
      case "mark":
        this.#stateOf(operation.id, member, "concluded");
        ledger.mark(operation.id, operation.state, done);
        return;
      case "forget":
        this.#stateOf(operation.id, member, "concluded");
        ledger.forget(operation.id, done);
        return;
      case "find":
        ledger.find(operation.filter, (found) => reply("kind" in found ? found : { kind: "entries", entries: found }));
    }
  }

  over(id: string, member: KeyMember): void {
    const flight = this.#flights.get(id);
    if (flight?.member === member) this.#land(flight);
  }

  /** It is gone. What it had begun, nobody can tell the end of. */
  leave(member: KeyMember): void {
    for (const flight of this.#flights.values()) {
      flight.waiting.delete(member);
      if (flight.member !== member) continue;
      const { id, state } = flight;
      if (state === "started") this.#ledger?.mark(id, { kind: "uncertain", because: INTERRUPTED }, nothing);
      // Calls take effect in their order: whoever asks now hears of it.
      if (state !== "beginning") this.#land(flight);
      else flight.waiting.add(GONE);
    }
  }

  // ------------------------------------------------------------------ what a person does (gateway/key-desk.ts)

  /** Null: there is no ledger. */
  flights(): KeyFlights | null {
    const ledger = this.#ledger;
    if (ledger === null) return null;
    return {
      ledger,
      flightOf: (id) => this.#flights.get(id) ?? null,
      begin: (id, fingerprint) => this.#fly(id, fingerprint, null),
      settle: (flight) => {
        const known = this.#flights.get(flight.id);
        if (known?.member === null) this.#land(known);
      },
    };
  }

  #fly(id: string, fingerprint: string, member: KeyMember | null): Flight {
    const flight: Flight = {
      id,
      fingerprint,
      member,
      state: "beginning",
      waiting: new Set(),
      waiters: new Set(),
    };
    this.#flights.set(id, flight);
    return flight;
  }

  #begun(flight: Flight, begun: Begun, reply: (result: KeyResult) => void): void {
    const isGone = flight.waiting.delete(GONE);
    if (begun.kind === "under way" && flight.member !== null && !isGone) {
      // At a predecessor, whose place this process takes: all hear when that is over.
      flight.waiting.add(flight.member);
      this.#ledger?.whenOver?.(flight.id, () => this.#land(flight));
      reply(begun);
      return;
    }
    if (begun.kind === "begun") {
      flight.state = "started";
      // It died before it heard that it may send: nothing of the request has left.
      if (isGone) this.#ledger?.forget(flight.id, nothing);
    } else flight.state = "concluded";
    if (isGone) this.#land(flight);
    else reply(begun);
  }

  #stateOf(id: string, member: KeyMember, state: Flight["state"]): void {
    const flight = this.#flights.get(id);
    if (flight?.member === member) flight.state = state;
  }

  #land(flight: Flight): void {
    if (this.#flights.get(flight.id) !== flight) return;
    this.#flights.delete(flight.id);
    this.#ledger?.over?.(flight.id);
    for (const member of flight.waiting) member.keyOver(flight.id);
    flight.waiting.clear();
  }
}

/** Stands among those who wait for a flight whose worker has died while the ledger was being asked. */
const GONE: KeyMember = { answerKey: nothing, keyOver: nothing };

function nothing(): void {
  // Nobody is there to hear it.
}
