/** Active checks of all that a gateway may pick. */
import { createHealthSchedule } from "../control/health-schedule.ts";
import type { CheckTarget } from "../gateway/check-targets.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";

/** Active checks under way at once, over all services. */
const CHECKS_AT_ONCE_MAX = 64;

export function startChecks(gateway: Gateway): { stop(): void } {
  const checks = createHealthSchedule<CheckTarget>({
    clock: systemClock,
    chance: systemChance,
    schedule: systemSchedule,
    probe: (target, done) => gateway.probe(target, done),
    onCheck: (target, result) => gateway.checked(target, result),
    atOnceMax: CHECKS_AT_ONCE_MAX,
  });
  const follow = (): void => checks.setTargets(gateway.checkTargets());
  gateway.onCheckTargets(follow);
  follow();
  return checks;
}
