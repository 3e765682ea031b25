/**
 * Where the news of all workers of a node meets: what one says is handed to all others at once and kept for those that
 * begin later; turns are given; one worker does the active checks for all. It holds no request up: whatever it says
 * late or never, each worker goes on by what it sees itself.
 *
 * Beside the supervisor, in whichever process that is. It knows channels, not processes.
 */
import type { RateLimitSettings, Settings } from "../config/settings.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { Clock } from "../kernel/clock.ts";
import type { LedgerView } from "../kernel/ledger.ts";
import type { FromHub, KeyResult, News, RateBegin, RateGrant, ToHub } from "../contract/shared-knowledge.ts";
import { rateName } from "../contract/rate-names.ts";
import { KnowledgeBoard } from "./knowledge-board.ts";
import type { KeyMember, LedgerDesk } from "./ledger-desk.ts";
import { RateDesk } from "./rate-desk.ts";
import type { RateMember } from "./rate-desk.ts";
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

export interface HubParts {
  readonly clock: Clock;
  /** Of the whole node. */
  readonly settings: Settings;
  readonly workers: number;
  /** Of the one ledger of the node, which other hubs may have too. */
  readonly keys: LedgerDesk;
  /** Records that workers keep, as copies. */
  readonly onKept: (records: readonly ExchangeRecord[]) => void;
  /** What is known already, of workers that are not this hub's. Absent: nothing. */
  readonly known?: readonly News[];
}

class Member implements TurnHolder, RateMember, KeyMember {
  readonly worker: number;
  readonly id: string;
  readonly send: (message: FromHub) => void;
  greeted = false;
  retired = false;

  constructor(worker: number, id: string, send: (message: FromHub) => void) {
    this.worker = worker;
    this.id = id;
    this.send = send;
  }

  sendRates(rows: readonly RateGrant[]): void {
    this.send({ kind: "rates", rows });
  }

  answerKey(number: number, result: KeyResult, view: LedgerView): void {
    this.send({ kind: "ledger", number, result, view });
  }

  keyOver(id: string): void {
    this.send({ kind: "key over", id });
  }

  beginRates(begin: RateBegin): void {
    this.send({ kind: "rates begin", begin });
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
  readonly #board = new KnowledgeBoard<Member | null>();
  readonly #turns = new TurnDesk();
  readonly #rates: RateDesk;
  readonly keys: LedgerDesk;
  readonly #onKept: HubParts["onKept"];
  #joined = 0;
  #checker: Member | null = null;

  constructor({ clock, settings, workers, keys, onKept, known = [] }: HubParts) {
    this.#onKept = onKept;
    this.#clock = clock;
    this.keys = keys;
    this.#rates = new RateDesk(limitsIn(settings), workers);
    for (const news of known) this.#board.pin(news, null, clock.monotonic());
  }

  /** Another configuration, before any worker serves by it. */
  configure(settings: Settings): void {
    this.#rates.configure(limitsIn(settings));
  }

  /** What workers of another hub may begin with. */
  known(): News[] {
    return this.#board.read(this.#clock.monotonic());
  }

  /** `worker`: 1, 2, …; the same for whoever takes its place. */
  join(worker: number, send: (message: FromHub) => void): HubMember {
    this.#joined += 1;
    const member = new Member(worker, `${worker}.${this.#joined}`, send);
    this.#members.add(member);
    return {
      hear: (message) => this.#hear(member, message),
      retire: () => {
        member.retired = true;
        member.send({ kind: "rates end" });
        this.#electChecker();
      },
      leave: () => this.#leave(member),
    };
  }

  #hear(member: Member, message: ToHub): void {
    const now = this.#clock.monotonic();
    switch (message.kind) {
      case "hello":
        if (!member.greeted) this.#rates.join(member, now);
        member.greeted = true;
        member.send({ kind: "news", news: this.#board.read(now) });
        this.#electChecker();
        return;
      case "news":
        for (const news of message.news) this.#board.pin(news, member, now);
        // Who serves already knows better from its own part of the traffic.
        this.#spread(
          message.news.filter(({ kind }) => kind !== "load"),
          member,
        );
        return;
      case "turn wanted":
        this.#turns.want(message.turn, member, now);
        return;
      case "turn over":
        this.#turns.over(message.turn, member, now);
        return;
      case "rates":
        this.#rates.hear(member, message.rows, now);
        return;
      case "rates end":
        this.#rates.retire(member, message.levels, now);
        return;
      case "rates resume":
        if (!member.retired) this.#rates.resume(member, now);
        return;
      case "ledger":
        this.keys.perform(member, message.number, message.operation);
        return;
      case "key over":
        this.keys.over(message.id, member);
        return;
      case "kept":
        this.#onKept(message.records);
    }
  }

  #spread(news: readonly News[], author: Member | null): void {
    if (news.length === 0) return;
    for (const other of this.#members) if (other !== author) other.send({ kind: "news", news });
  }

  #leave(member: Member): void {
    const now = this.#clock.monotonic();
    this.#members.delete(member);
    // Before the turns go on: whoever gets one next must know that nothing is under way.
    const abandoned = this.#board.abandoned(member, now);
    if (abandoned.length > 0) this.#spread(abandoned, null);
    this.#turns.leave(member, now);
    this.#rates.leave(member, now);
    this.keys.leave(member);
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

function limitsIn({ services }: Settings): Map<string, RateLimitSettings> {
  const limits = new Map<string, RateLimitSettings>();
  for (const service of services) {
    for (const route of service.routes) {
      for (const limit of route.rateLimits) limits.set(rateName(service.name, route.name, limit), limit);
    }
  }
  return limits;
}
