/**
 * Puts settings into effect in all workers of a node, one after the other. What the first of them refuses no other hears
 * of; what a later one refuses is taken back where it has been made, so that all serve by the same. A worker that begins
 * meanwhile is asked last, whatever it began with.
 */
import type { Settings } from "../config/settings.ts";
import type { PutResult } from "../contract/config-desk.ts";
import type { Revision } from "../contract/revision.ts";
import type { WorkerChannel } from "../contract/worker-messages.ts";
import type { Schedule } from "../kernel/clock.ts";

/** What is to be in effect. */
export interface Put {
  readonly settings: Settings;
  readonly revision: Revision;
}

interface Member {
  readonly channel: WorkerChannel;
  /** Of what it serves by. */
  hash: string;
  /** Waits for its answer. */
  answered: ((result: PutResult) => void) | null;
}

/** Names are resolved and files read before a worker answers. */
const ANSWER_MS = 30_000;
/** Workers that begin while others are asked are asked in further rounds; a node that crashes all over has other troubles. */
const ROUNDS_MAX = 10;
const GONE: PutResult = { kind: "refused", why: "draining", detail: "the worker has ended" };

export class WorkerPuts {
  readonly #members = new Set<Member>();
  readonly #schedule: Schedule;
  #numbers = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** `hash`: of the revision that it begins with. */
  follow(channel: WorkerChannel, hash: string): void {
    const member: Member = { channel, hash, answered: null };
    this.#members.add(member);
    channel.onMessage((message) => {
      if (message.kind === "put" && message.number === this.#numbers) member.answered?.(message.result);
    });
    const leave = (): void => {
      this.#members.delete(member);
      member.answered?.(GONE);
    };
    // One that finishes what it has need not learn anything new.
    channel.onRetire(leave);
    channel.onEnd(leave);
  }

  /** Whether it could be put into effect. One worker knows as well as another. */
  async look(settings: Settings): Promise<PutResult> {
    const [member] = this.#members;
    return member === undefined ? GONE : this.#ask(member, settings, null);
  }

  /** `before`: what is in effect, for when it has to be taken back. */
  async put(next: Put, before: Put): Promise<PutResult> {
    let isChanged = false;
    for (const member of this.#others(next)) {
      const result = await this.#ask(member, next.settings, next.revision);
      if (result.kind === "refused" && this.#members.has(member)) {
        await this.#bring(before);
        return result;
      }
      if (result.kind === "refused") continue;
      member.hash = next.revision.hash;
      isChanged ||= result.kind === "applied";
    }
    await this.#bring(next);
    return isChanged ? { kind: "applied" } : { kind: "unchanged" };
  }

  /** All to the same, as far as they can. */
  async #bring(put: Put): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const others = [...this.#members].filter(({ hash }) => hash !== put.revision.hash);
      if (others.length === 0) return;
      for (const member of others) {
        await this.#ask(member, put.settings, put.revision);
        member.hash = put.revision.hash;
      }
    }
  }

  /** The same settings again are asked of all: files that they name may be others. */
  #others(next: Put): readonly Member[] {
    return next.revision.changes.length === 0
      ? [...this.#members]
      : [...this.#members].filter(({ hash }) => hash !== next.revision.hash);
  }

  #ask(member: Member, settings: Settings, revision: Revision | null): Promise<PutResult> {
    this.#numbers += 1;
    const { channel } = member;
    channel.send({ kind: "put", number: this.#numbers, settings, revision });
    return new Promise((resolve) => {
      const cancel = this.#schedule(ANSWER_MS, () => {
        // It may have taken them all the same.
        member.hash = "";
        const detail = `worker ${channel.worker} did not answer within ${ANSWER_MS / 1000} s`;
        answered({ kind: "refused", why: "unusable", detail });
      });
      const answered = (result: PutResult): void => {
        member.answered = null;
        cancel();
        resolve(result);
      };
      member.answered = answered;
    });
  }
}
