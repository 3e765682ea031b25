/** Whether all checks of a service fail while its traffic goes well: then it is the checks that something is wrong with. */
import type { SecondFact } from "../contract/facts.ts";
import type { Anomaly } from "./anomaly.ts";
import { failuresOf } from "./fact-sums.ts";

const CHECKS_S = 3;
const FAILED_RATIO = 0.05;

export class CheckWatches {
  /** Seconds in a row, by service. */
  readonly #wrong = new Map<string, { seconds: number; since: number }>();

  look(facts: readonly SecondFact[], at: number): void {
    const sums = new Map<string, { checked: number; fails: number; attempts: number; failures: number }>();
    for (const fact of facts) {
      for (const row of fact.origins) {
        const sum = sums.get(row.service) ?? { checked: 0, fails: 0, attempts: 0, failures: 0 };
        if (row.checkOk !== null) sum.checked += 1;
        if (row.checkOk === false) sum.fails += 1;
        sum.attempts += row.attempts;
        sum.failures += failuresOf(row);
        sums.set(row.service, sum);
      }
    }
    for (const [service, { checked, fails, attempts, failures }] of sums) {
      if (fails < 2 || fails < checked || failures > attempts * FAILED_RATIO) {
        this.#wrong.delete(service);
        continue;
      }
      const before = this.#wrong.get(service) ?? { seconds: 0, since: at };
      this.#wrong.set(service, { seconds: before.seconds + (attempts > 0 ? 1 : 0), since: before.since });
    }
  }

  /** Services that are there. */
  keep(there: ReadonlySet<string>): void {
    for (const service of this.#wrong.keys()) if (!there.has(service)) this.#wrong.delete(service);
  }

  anomalies(): Anomaly[] {
    const found: Anomaly[] = [];
    for (const [service, { seconds, since }] of this.#wrong)
      if (seconds >= CHECKS_S) found.push({ key: `checks\n${service}`, kind: "checks", service, where: {}, since });
    return found;
  }

  /** The clock was set back. */
  goBack(byMs: number): void {
    for (const [service, { seconds, since }] of this.#wrong) this.#wrong.set(service, { seconds, since: since - byMs });
  }
}
