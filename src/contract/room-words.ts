/** Room at the origins, in the words of the API (`waiting`, `shedding`, `held`, `limit`), for the page and the CLI alike. */
import type { OriginAddressView, ServiceStatusView } from "./view.ts";

/** Empty: nobody waits and nobody is turned away. */
export function roomInWords({ waiting, shedding }: Pick<ServiceStatusView, "waiting" | "shedding">): string {
  if (waiting === 0 && !shedding) return "";
  return `${waiting} waiting for room${shedding ? ", shedding" : ""}`;
}

/** What waits for its first byte, and how many may: `3 of 100`. */
export function heldInWords({ held, limit }: Pick<OriginAddressView, "held" | "limit">): string {
  return limit === 0 ? String(held) : `${held} of ${limit}`;
}
