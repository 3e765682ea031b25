/**
 * Whether an address is who it is taken for. Addresses are rented: one that a name has left, or whose process is
 * gone, may be somebody else's in the next minute, and it answers 200. Where a check can ask for a sign (a field or a
 * word in the body that only the wanted origin has), an address is used only after it has shown it, is out at once
 * when it shows another, and has to show it again after nobody answered there: whoever listens next may be another.
 *
 * No amount of traffic outweighs this, and no lack of other origins does: a stranger's answer is worse than none.
 * Between two checks a stranger that took the place without a refused connection in between is not noticed.
 */
export type IdentityState =
  /** No sign is asked for. */
  | { readonly kind: "none" }
  | { readonly kind: "unproven"; readonly since: number; readonly because: string }
  | { readonly kind: "proven"; readonly since: number }
  | { readonly kind: "foreign"; readonly since: number; readonly because: string };

/** What a check saw of it. */
export interface IdentitySign {
  /** Undefined: it did not get so far. */
  readonly identity?: boolean;
  readonly detail: string;
}

export const NO_IDENTITY: IdentityState = { kind: "none" };

export function unproven(now: number): IdentityState {
  return { kind: "unproven", since: now, because: "it has not shown yet that it is the one that is wanted" };
}

/** `isDown`: checks have failed so often that the address counts as down. The same state when nothing changed. */
export function stepIdentity(state: IdentityState, sign: IdentitySign, isDown: boolean, now: number): IdentityState {
  if (state.kind === "none") return state;
  if (sign.identity === true) return state.kind === "proven" ? state : { kind: "proven", since: now };
  if (sign.identity === false) {
    return state.kind === "foreign"
      ? state
      : { kind: "foreign", since: now, because: `another tenant answers: ${sign.detail}` };
  }
  return isDown ? doubtIdentity(state, now) : state;
}

/** Nobody listened there: whoever does next has to show who it is. */
export function doubtIdentity(state: IdentityState, now: number): IdentityState {
  if (state.kind !== "proven") return state;
  return { kind: "unproven", since: now, because: "nobody answered there, so whoever does next has to show who it is" };
}

export function isStranger(state: IdentityState): boolean {
  return state.kind === "unproven" || state.kind === "foreign";
}
