/**
 * An answer at hand on its way to the client: pulled as the client takes it, until it ends or breaks.
 */
import type { Outcome } from "../contract/record.ts";
import type { ClientSide } from "./absent-client.ts";
import type { ClientResponse } from "./client-response.ts";
import type { Core } from "./core.ts";
import type { Judgement } from "./judge.ts";
import { serveSome } from "./stored-answer.ts";
import type { AnswerBody } from "./stored-answer.ts";

/** The exchange that is answered so. */
export interface ServingHost {
  readonly client: ClientSide;
  readonly response: ClientResponse;
  /** It has ended, with its record. */
  readonly over: boolean;
  later(step: (now: number) => void): void;
  /** The client has got all of it. `outcome`: what the exchange counts as then. */
  onServed(outcome: Outcome, now: number): void;
  /** The rest of it will not come. */
  onBroken(judgement: Judgement): void;
}

export class Serving {
  readonly #core: Core;
  readonly #host: ServingHost;
  readonly #body: AnswerBody;
  readonly #outcome: Outcome;
  #over = false;

  constructor(core: Core, host: ServingHost, body: AnswerBody, outcome: Outcome) {
    this.#core = core;
    this.#host = host;
    this.#body = body;
    this.#outcome = outcome;
    body.onMore = () => host.later((now) => this.goOn(now));
  }

  goOn(now: number): void {
    const { client, response, over } = this.#host;
    if (this.#over || over) return;
    const served = serveSome(this.#body, response, () => {
      this.#core.gather.flush();
      return client.socket.writing;
    });
    switch (served) {
      case "full":
        client.waitForWrite(now);
        return;
      case "later":
        return;
      case "end":
        this.#over = true;
        this.#host.onServed(this.#outcome, now);
        return;
      case "broken":
        this.#host.onBroken(this.#body.failure ?? UNREADABLE);
    }
  }

  /** Nobody wants the rest. */
  close(): void {
    if (!this.#over) this.#body.close();
    this.#over = true;
  }
}

const UNREADABLE: Judgement = {
  cause: "gw.internal",
  evidence: "the stored answer could not be read to its end",
};
