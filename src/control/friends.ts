/** Client networks with a history of being served well: a defence that turns them away may be a fault of ours. */
import type { SecondFact } from "../contract/facts.ts";

const EXCHANGES = 50;
const NETWORKS_MAX = 2_000;

export class Friends {
  /** How often they were served; faded. */
  readonly #served = new Map<string, number>();

  has(network: string): boolean {
    return (this.#served.get(network) ?? 0) >= EXCHANGES;
  }

  /** One second in which all services are as usual. */
  look({ failures, clients }: SecondFact): void {
    // Who is being refused makes no friends by it.
    if (failures.some(({ outcome }) => outcome === "refused")) return;
    for (const { network, exchanges, failed } of clients) {
      const before = this.#served.get(network);
      if (before === undefined && this.#served.size >= NETWORKS_MAX) this.#fade();
      this.#served.set(network, (before ?? 0) + exchanges - failed);
    }
  }

  #fade(): void {
    for (const [network, count] of this.#served) {
      if (count < 2) this.#served.delete(network);
      else this.#served.set(network, count / 2);
    }
  }
}
