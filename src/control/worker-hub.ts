/**
 * Where the news of all workers of a node meets: what one says is handed to all others at once and kept for those that
 * begin later; turns are given; one worker does the active checks for all. It holds no request up: whatever it says
 * late or never, each worker goes on by what it sees itself.
 *
 * Beside the supervisor, in whichever process that is. It knows channels, not processes.
 */
import type { Clock } from "../kernel/clock.ts";
import type { FromHub, News, ToHub } from "../contract/shared-knowledge.ts";
import { KnowledgeBoard } from "./knowledge-board.ts";
import { TurnDesk } from "./turn-desk.ts";
import type { TurnHolder } from "./turn-desk.ts";

/** One worker, for as long as its process lives. */
export interface HubMember {
  hear(message: ToHub): void;
  /** It takes no more connections: what is done for all goes to another. */
  retire(): void;
  /** It is gone. */
  leave(): void;
}

class Member implements TurnHolder {
  readonly send: (message: FromHub) => void;
  retired = false;

  constructor(send: (message: FromHub) => void) {
    this.send = send;
  }

  give(turn: string): void {
    this.send({ kind: "turn", turn });
  }

  recall(turn: string): void {
    this.send({ kind: "turn recalled", turn });
  }
}

export class WorkerHub {
  readonly #clock: Clock;
  /** In the order in which they joined. */
  readonly #members = new Set<Member>();
  readonly #board = new KnowledgeBoard<Member>();
  readonly #turns = new TurnDesk();
  #checker: Member | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(send: (message: FromHub) => void): HubMember {
    const member = new Member(send);
    this.#members.add(member);
    return {
      hear: (message) => this.#hear(member, message),
      retire: () => {
        member.retired = true;
        this.#electChecker();
      },
      leave: () => this.#leave(member),
    };
  }

  #hear(member: Member, message: ToHub): void {
    const now = this.#clock.monotonic();
    switch (message.kind) {
      case "hello":
        member.send({ kind: "news", news: this.#board.read(now) });
        this.#electChecker();
        return;
      case "news":
        for (const news of message.news) this.#board.pin(news, member, now);
        this.#spread(message.news, member);
        return;
      case "turn wanted":
        this.#turns.want(message.turn, member, now);
        return;
      case "turn over":
        this.#turns.over(message.turn, member, now);
        return;
      case "rates":
      case "ledger":
      case "kept":
    }
  }

  #spread(news: readonly News[], author: Member | null): void {
    for (const other of this.#members) if (other !== author) other.send({ kind: "news", news });
  }

  #leave(member: Member): void {
    const now = this.#clock.monotonic();
    this.#members.delete(member);
    // Before the turns go on: whoever gets one next must know that nothing is under way.
    const abandoned = this.#board.abandoned(member, now);
    if (abandoned.length > 0) this.#spread(abandoned, null);
    this.#turns.leave(member, now);
    this.#electChecker();
  }

  /** The one that has been there longest, so that checks move as seldom as possible. */
  #electChecker(): void {
    const known = this.#checker;
    if (known !== null && !known.retired && this.#members.has(known)) return;
    const next = [...this.#members].find(({ retired }) => !retired) ?? null;
    if (known !== null && this.#members.has(known)) known.send({ kind: "checker", on: false });
    this.#checker = next;
    next?.send({ kind: "checker", on: true });
  }
}
