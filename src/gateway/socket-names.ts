/**
 * A resolver that knows where Unix sockets are: a path is no name, leads where it says, and is never asked for. So
 * origins on sockets and origins with names are one kind of thing for the rest of the gateway.
 */
import { isUnix } from "../kernel/ip-text.ts";
import type { Resolution, Resolver } from "../kernel/resolver.ts";

export function withSocketNames(resolver: Resolver): Resolver {
  return {
    peek: (name) => (isUnix(name) ? itself(name) : resolver.peek(name)),
    resolve(name, done) {
      if (isUnix(name)) done(itself(name));
      else resolver.resolve(name, done);
    },
    watch(name, onChange) {
      if (!isUnix(name)) return resolver.watch(name, onChange);
      onChange(itself(name));
      return () => undefined;
    },
    close: () => resolver.close(),
  };
}

/** The dialler goes by the origin's transport; the address is there to be shown. */
function itself(name: string): Resolution {
  return { name, addresses: [{ ip: name, port: 0, family: 4 }], failure: null, learnedAt: 0 };
}
