/**
 * How long to wait before origins that were all tried are tried again.
 *
 * Full jitter: anything between nothing and a bound that doubles with each pass. Waiting exactly the bound would
 * bring everybody who failed at one moment back at one moment; half of it fixed would still leave a wave. Between
 * different origins nothing is waited for: the second did not fail yet.
 */

/** Part of the shape of `RetrySettings` in config/settings.ts. */
export interface BackoffOptions {
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

/** `pass`: how often all origins have been tried, from 1. `roll` in [0, 1). */
export function backoffMs(options: BackoffOptions, pass: number, roll: number): number {
  // The bound keeps the power finite, whatever `pass` is.
  const bound = options.backoffBaseMs * 2 ** Math.min(Math.max(pass, 1) - 1, 30);
  return roll * Math.min(options.backoffMaxMs, bound);
}
