/**
 * The part of the Reflect metadata proposal that @peculiar/x509 wants to find when it is loaded, for classes alone: it
 * asks nothing else, and the whole of it would be one more package that changes what everybody sees. Imported for what it does,
 * before that package.
 */
const known = new WeakMap<object, Map<unknown, unknown>>();

const additions = {
  defineMetadata(key: unknown, value: unknown, target: object): void {
    const own = known.get(target) ?? new Map<unknown, unknown>();
    known.set(target, own.set(key, value));
  },
  getOwnMetadata: (key: unknown, target: object): unknown => known.get(target)?.get(key),
  getMetadata(key: unknown, target: object): unknown {
    for (let one: object | null = target; one !== null; one = Object.getPrototypeOf(one) as object | null) {
      if (known.get(one)?.has(key) === true) return known.get(one)?.get(key);
    }
    return undefined;
  },
};

// Whoever brought all of it was first.
if (!("getMetadata" in Reflect)) Object.assign(Reflect, additions);
