/**
 * What is a fault only at this hour of the day: it is as it was an hour ago, and as it has been in no earlier night at this time. Nights are
 * played in the part of them that says something; for the rest of the day nobody tells anything.
 */
import { fails, within } from "./disturbance.ts";
import type { Maker } from "./disturbance.ts";
import type { AttemptAsk, Fault } from "./model.ts";
import { EPOCH_MS } from "./model.ts";
import { mail, shop } from "./places.ts";

const of = within("load");
const DAY_S = 86_400;
const HOUR_S = 3_600;
/** As many as are needed to know what is usual; the next one is the one that is looked at. */
const NIGHTS = 3;
/** Seconds from the beginning of the night to its second hour, and to its end. */
const FIRST_S = 32 * 60;
const NIGHT_S = FIRST_S + 32 * 60;
/** What is a little late is not unusual yet. */
const LATE_S = 660;

/** The first hour after the epoch of the model of which something is told, in seconds from it. */
const TO_FULL_HOUR_S = HOUR_S - ((EPOCH_MS / 1000) % HOUR_S);
const BEGIN_S = TO_FULL_HOUR_S + HOUR_S - FIRST_S;
const WARM_UP_S = BEGIN_S + NIGHTS * DAY_S + FIRST_S + LATE_S;
/** After it, everything is told: what became of it. */
const HISTORY_S = BEGIN_S + NIGHTS * DAY_S;

/** Of a service without an objective: what fails every night spends a budget every night, and that is told. */
const isMail = ({ service }: AttemptAsk): boolean => service.name === "mail";

/** Into the night; negative: it is day. */
function intoNight(second: number): number {
  const into = (second - BEGIN_S) % DAY_S;
  return into < NIGHT_S ? into : -1;
}

function isDay(second: number): boolean {
  return second < BEGIN_S || (second < HISTORY_S + NIGHT_S && intoNight(second) < 0);
}

/** One hour in which five of a hundred fail, every night, and after it hardly any do. */
const NIGHTLY: Fault = {
  away: (second) => isDay(second + WARM_UP_S),
  habit: (ask) => {
    const into = intoNight(ask.second + WARM_UP_S);
    return fails("origin.app_5xx", 20, isMail, into >= 0 && into < FIRST_S ? 0.05 : 0.002)(ask);
  },
};

export const BY_THE_HOUR: readonly Maker[] = [
  of("what ends every night does not end", "gray", { parties: ["origin"], causes: ["origin.app_5xx"] }, (chance) => ({
    setup: { services: [mail(chance.pick([12, 16])), shop(3)], workers: 1, networks: 60 },
    fault: { ...NIGHTLY, attempt: fails("origin.app_5xx", 20, isMail, 0.05) },
    warmUpS: WARM_UP_S,
    historyS: HISTORY_S,
    lastsS: 120,
  })),
];
