/**
 * What the exit code of every command means. Scripts depend on these numbers: they are a promise, listed
 * in `goodgate --help`, and a new meaning gets a new number.
 */
export const EXIT = {
  ok: 0,
  /** The command worked and its answer is no: the file has errors, the exchange is not kept, a finding is bad, a service is down. */
  no: 1,
  /** The command line was not understood. */
  usage: 2,
  /** No gateway answered at the admin address, or it did not let us in. */
  unreachable: 3,
  /** The gateway could not start: a port is taken, an address is not ours, a file cannot be opened. */
  cannotStart: 4,
  /** A fault in Goodgate itself; the number is sysexits' EX_SOFTWARE. */
  internal: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [EXIT.ok, "fine"],
  [EXIT.no, "the answer is no, or a problem was found"],
  [EXIT.usage, "the command line was not understood"],
  [EXIT.unreachable, "no gateway answered, or it refused the token"],
  [EXIT.cannotStart, "the gateway could not start"],
  [EXIT.internal, "a fault in Goodgate itself"],
];
