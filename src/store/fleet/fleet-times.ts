/** How long what takes that has to do with the database of a fleet. Tests have shorter ones. */

export interface FleetTimes {
  /** How long a lease lasts that nobody renews. */
  readonly leaseMs: number;
  readonly pollMs: number;
  /** What a question may take. */
  readonly timeoutMs: number;
  readonly retryMs: { readonly base: number; readonly max: number };
  /** How long others may take to have what was written. */
  readonly spreadMs: number;
}

export const FLEET_TIMES: FleetTimes = {
  leaseMs: 30_000,
  pollMs: 10_000,
  timeoutMs: 5_000,
  retryMs: { base: 1_000, max: 60_000 },
  spreadMs: 10_000,
};
