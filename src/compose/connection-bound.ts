/** How many connections the descriptors of this process allow. */
import { connectionsWithin, isWorthTelling } from "../cli/machine-findings.ts";
import type { Settings } from "../config/settings.ts";
import { countText } from "../contract/quantities.ts";
import type { Events } from "./events.ts";

/** More connections than there are descriptors for would end in EMFILE in the middle of an exchange; a bound ends in a clear answer. */
export function boundByDescriptors(settings: Settings, descriptorsMax: number, tell: Events["tell"]): Settings {
  const { connectionsMax } = settings.limits;
  const fit = descriptorsMax <= 0 ? connectionsMax : connectionsWithin(descriptorsMax);
  if (fit >= connectionsMax) return settings;
  if (isWorthTelling(connectionsMax, fit)) {
    tell(
      "limits.connections.lowered",
      `${descriptorsMax} descriptors allow ${countText(fit, "client connection")}, not ${connectionsMax}; goodgate doctor tells more`,
    );
  }
  return { ...settings, limits: { ...settings.limits, connectionsMax: fit } };
}
