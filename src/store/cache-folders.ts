/**
 * Where each process keeps its stored responses on disk, and which of what lies there must not come back. Several workers
 * have a folder each. A purge, and a request that changes something, reach the workers that serve at that moment: what
 * was written by one that had ended before may be what was to be forgotten. So only the first life of a place goes on
 * with what it finds; one that takes another's place begins empty, and after that nothing of that place is kept over a
 * restart.
 */
export interface CacheFolders {
  readonly use: string;
  /** Folders beside it that nobody may read again. */
  readonly remove: readonly string[];
}

/** `found`: names in the state directory. `worker` 0: the only process. `life`: 1, 2, … of this place. */
export function cacheFolders(
  found: readonly string[],
  { worker, workers, life }: { readonly worker: number; readonly workers: number; readonly life: number },
): CacheFolders {
  const known = found.flatMap((name) => {
    const parts = /^cache(?:-(\d+)(?:\.(\d+))?)?$/.exec(name);
    return parts === null ? [] : [{ name, place: Number(parts[1] ?? 0), life: Number(parts[2] ?? 1) }];
  });
  if (worker === 0) {
    return { use: "cache", remove: known.filter(({ place }) => place !== 0).map(({ name }) => name) };
  }
  const own = known.filter(({ place }) => place === worker);
  // The first looks after places that nobody has; later, one that has gone may still be finishing.
  const nobodys = worker === 1 && life === 1 ? known.filter(({ place }) => place === 0 || place > workers) : [];
  const wasReplaced = own.some((folder) => folder.life > 1);
  // The life before this one may still finish what it has.
  const over = life === 1 ? (wasReplaced ? own : []) : own.filter((folder) => folder.life < life - 1);
  const use = life === 1 ? `cache-${worker}` : `cache-${worker}.${life}`;
  return { use, remove: [...nobodys, ...over].map(({ name }) => name) };
}
