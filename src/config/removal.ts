/**
 * A configuration that takes away sharply more than changes usually do is more often an accident than a wish: a file
 * cut off, a list that a script found empty, the file of another gateway. Obeyed at once, it ends what works. So it is
 * refused until somebody says that it is meant.
 */
import type { ServiceSettings, Settings } from "./settings.ts";

/** Of services, and of the origins of one service: more than this part gone is sharp. */
const GONE_RATIO_MAX = 0.5;

/** Why it has to be confirmed, a sentence for each reason; empty: it takes away no more than is usual. */
export function sharpRemovals(before: Settings, after: Settings): string[] {
  const left = new Map(after.services.map((service) => [service.name, service]));
  const gone = before.services.filter(({ name }) => !left.has(name));
  const found: string[] = [];
  if (gone.length > before.services.length * GONE_RATIO_MAX) {
    const names = gone.slice(0, 5).map(({ name }) => name);
    found.push(
      `${gone.length} of ${before.services.length} services would be gone: ${names.join(", ")}${gone.length > 5 ? ", …" : ""}.`,
    );
  }
  for (const service of before.services) {
    const wanted = left.get(service.name);
    if (wanted !== undefined) found.push(...originsLost(service, wanted));
  }
  return found;
}

function originsLost(before: ServiceSettings, after: ServiceSettings): string[] {
  const [known, wanted] = [originsOf(before), originsOf(after)];
  const stay = known.filter((url) => wanted.includes(url)).length;
  if (stay === 0) {
    const all = known.length === 1 ? "its only origin" : `any of its ${known.length} origins`;
    return [`${before.name} would not keep ${all}.`];
  }
  const isShrunk = wanted.length < known.length * (1 - GONE_RATIO_MAX);
  return isShrunk ? [`${before.name} would have ${wanted.length} of ${known.length} origins left.`] : [];
}

function originsOf({ pools }: ServiceSettings): string[] {
  return pools.flatMap((pool) => pool.origins.map(({ url }) => url));
}
