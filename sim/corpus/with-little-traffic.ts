/**
 * What happens to services that are asked once a second or less. Where so little comes, "outright" is what one request in a second
 * can show within ten; below that a minute is asked for, as for what fails in part.
 */
import { A1, atA1, fails, isShop, within } from "./disturbance.ts";
import type { Maker } from "./disturbance.ts";
import { one, two } from "./places.ts";

const of = within("little traffic");
/** Long enough to know what is usual there. */
const WARM_UP_S = 900;

export const WITH_LITTLE_TRAFFIC: readonly Maker[] = [
  of("a small service fails", "outright", { parties: ["origin"], causes: ["origin.app_5xx"] }, () => ({
    setup: two(1),
    fault: { attempt: fails("origin.app_5xx", 20, isShop) },
    warmUpS: WARM_UP_S,
  })),
  of("a very small service fails", "gray", { parties: ["origin"], causes: ["origin.app_5xx"] }, (chance) => ({
    setup: two(chance.pick([0.2, 0.4])),
    fault: { attempt: fails("origin.app_5xx", 20, isShop) },
    warmUpS: WARM_UP_S,
    lastsS: 120,
  })),
  of(
    "everything of a small service refuses",
    "outright",
    { parties: ["origin"], causes: ["origin.refused", "origin.down"] },
    () => ({
      setup: one(1),
      fault: { attempt: fails("origin.refused", 1, () => true), check: () => false },
      warmUpS: WARM_UP_S,
    }),
  ),
  of(
    "one origin of a small service crashes",
    "outright",
    { parties: ["origin"], causes: ["origin.down", "origin.refused"] },
    () => ({
      setup: two(1),
      fault: { attempt: fails("origin.refused", 1, atA1), check: ({ origin }) => origin !== A1 },
      warmUpS: WARM_UP_S,
    }),
  ),
  of(
    "one origin of a small service answers errors",
    "gray",
    { parties: ["origin"], causes: ["origin.down", "origin.gray", "origin.app_5xx"] },
    () => ({
      setup: two(1),
      fault: { attempt: fails("origin.app_5xx", 5, atA1) },
      warmUpS: WARM_UP_S,
      lastsS: 120,
    }),
  ),
  of("a small service is slow", "gray", { parties: ["origin"], causes: ["origin.slow"] }, () => ({
    setup: two(1),
    fault: { attempt: (ask) => (isShop(ask) ? { slow: 20 } : null) },
    warmUpS: WARM_UP_S,
    lastsS: 120,
  })),
];
