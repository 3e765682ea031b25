/**
 * Where a request that may not be sent twice does not go: to an origin whose last request got no answer, while another
 * one's did. One failure is no reason to take an origin out, and for what can be repeated none is needed: a repeat costs
 * milliseconds. What cannot be repeated is lost with the first failure that it meets, so a breath of doubt is enough
 * for it to go elsewhere.
 *
 * The doubt ends with the next request that succeeds there. It lasts longer than a failure keeps an origin from being
 * chosen at all (peak-ewma.ts), so that whoever goes there next and finds out can be repeated; and it ends by itself,
 * because where nothing but such requests is asked for, one of them has to find out. At most half of a pool is doubted:
 * more is no accident of one origin, and the rest would have to carry all of it.
 *
 * A 5xx is an answer: an application that has one for each payment has it everywhere, and would be driven from origin to
 * origin for nothing.
 */
export interface Doubted {
  /** Monotonic ms when a request got no answer, with none since that succeeded; -1: none. */
  readonly brokenAt: number;
}

const DOUBT_MS = 10_000;

export function isDoubtful({ brokenAt }: Doubted, now: number): boolean {
  return brokenAt >= 0 && now - brokenAt < DOUBT_MS;
}

/** Of those that may be used, whom to spare; null: nobody, as usual. Nothing is allocated then. */
export function doubtedOf<Member extends Doubted>(usable: readonly Member[], now: number): readonly Member[] | null {
  let doubted: Member[] | null = null;
  for (const member of usable) if (isDoubtful(member, now)) (doubted ??= []).push(member);
  return doubted !== null && doubted.length * 2 <= usable.length ? doubted : null;
}
