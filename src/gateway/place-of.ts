/** An address by the names of the configuration, as workers and successors call it to each other. */
import type { Place } from "../contract/shared-knowledge.ts";
import type { OriginAddress } from "./origin-address.ts";

export function placeOf(service: string, pool: string, { origin, text }: OriginAddress): Place {
  return { service, pool, origin: origin.url, address: text };
}
