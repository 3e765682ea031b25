/** An objective that is about to be missed: at the pace of the last hour its budget of 30 days is gone before they are. */
import type { Forecaster } from "./forecaster.ts";
import { DAY } from "./forecaster.ts";

const PERIOD_MS: number = 30 * DAY;
/** Further ahead the pace of one hour says nothing. */
const AHEAD_MS: number = 7 * DAY;
/** Slower than this it is spent as it is meant to be. */
const BURN_MIN = 1.5;

export function foreseeObjective(): Forecaster {
  return {
    hear: () => undefined,
    look({ now, services }) {
      return services.flatMap(({ service, objective }) => {
        if (objective === null) return [];
        const { budgetLeft, burn1h, burn5m, from } = objective;
        const leftMs = (budgetLeft * PERIOD_MS) / Math.max(burn1h, 1e-9);
        const isMissed = budgetLeft <= 0;
        // The short pace says whether it still goes on.
        if (!isMissed && (burn1h < BURN_MIN || burn5m < 1 || leftMs > AHEAD_MS)) return [];
        const where = { service };
        const percent = Math.round(budgetLeft * 1000) / 10;
        return [
          {
            id: `objective/${service}`,
            kind: "objective" as const,
            severity: isMissed || leftMs < DAY ? ("warning" as const) : ("notice" as const),
            title: isMissed ? `The objective of ${service} is missed` : `The objective of ${service} will be missed`,
            where,
            when: isMissed ? null : Math.round(now + leftMs),
            confidence: isMissed ? 1 : Math.min(0.9, 0.4 + Math.min(burn5m, burn1h) / 20),
            evidence: [
              {
                text: isMissed
                  ? `${-percent} % more than the budget of 30 days is spent.`
                  : `${percent} % of the budget is left, and it burns ${Math.round(burn1h * 10) / 10} times as fast as it may.`,
                cites: [
                  {
                    kind: "figure" as const,
                    figure: "error budget left",
                    where,
                    from,
                    to: now,
                    value: budgetLeft,
                    usual: null,
                    unit: "ratio",
                  },
                ],
              },
            ] as const,
            advice:
              "Hold back changes to this service until it is steady, and look at its latest incidents: goodgate incidents.",
          },
        ];
      });
    },
  };
}
