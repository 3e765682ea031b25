/** A second with traffic for tests of the engine: what matters to them in a line. */
import type { SecondFact } from "../../src/contract/facts.ts";
import { sampleSecond } from "./sample-facts.ts";

export interface TrafficOfTest {
  readonly service: string;
  readonly route: string;
  readonly served?: number;
  readonly failed?: number;
  /** Bucket of all durations. */
  readonly bucket?: number;
}

export function secondFact(at: number, traffic: readonly TrafficOfTest[]): SecondFact {
  return sampleSecond(at, {
    traffic: traffic.map(({ service, route, served = 0, failed = 0, bucket = 44 }) => ({
      service,
      route,
      class: "normal",
      byOutcome: { served, failed, rescued: 0, aborted: 0, refused: 0 },
      byCause: {},
      duration: [[bucket, served + failed]],
      durationSumUs: 0,
      retries: 0,
      retriesRefusedByBudget: 0,
    })),
  });
}
