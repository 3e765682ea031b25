/**
 * The number that a route has at its service: what an address has learned of its routes lies under it, and an exchange
 * that is under way carries it. So it must not change its meaning while anybody uses it: a route keeps its number for as
 * long as it is configured under the same name, wherever it moves in the list, and the number of one that is gone is
 * given away only when no attempt of it waits any more.
 */
import type { RouteSettings } from "../config/settings.ts";

/** Null: no route has this number now. */
export type RoutesByNumber = readonly (RouteSettings | null)[];

/** `before`: the names by number, null: free, as far as numbers were given. The numbers of `names`, in their order. */
export function numberRoutes(names: readonly string[], before: readonly (string | null)[]): number[] {
  const taken = new Set(before.flatMap((name, number) => (name === null ? [] : [number])));
  let next = 0;
  const free = (): number => {
    while (taken.has(next)) next += 1;
    taken.add(next);
    return next;
  };
  return names.map((name) => {
    const known = before.indexOf(name);
    return known === -1 ? free() : known;
  });
}
