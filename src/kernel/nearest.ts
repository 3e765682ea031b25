/**
 * The known name that somebody most likely meant, for messages about an unknown key, route or cause.
 *
 * Distance is counted in single-letter edits and swaps of neighbours (restricted Damerau–Levenshtein), the
 * slips that fingers make. Case, `-` and `_` do not count, so `first_byte` finds `firstByte`. A guess that is
 * too far off is worse than none: a third of the letters may differ, at least one, and in words of one or
 * two letters nothing.
 */

/** Longer words are not typing errors, and the cost grows with the square of the length. */
const LETTERS_MAX = 64;

/** The nearest of `known`, or null when none is near enough. Of equally near ones the first wins. */
export function nearest(word: string, known: Iterable<string>): string | null {
  const wanted = folded(word);
  if (wanted.length === 0 || wanted.length > LETTERS_MAX) return null;
  let best: string | null = null;
  let bestDistance = allowedDistance(wanted) + 1;
  for (const name of known) {
    const candidate = folded(name);
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

function folded(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "");
}

function allowedDistance(word: string): number {
  return word.length <= 2 ? 0 : Math.max(1, Math.floor(word.length / 3));
}

/** Three rows of the usual table suffice: a swap looks two rows back. */
function editDistance(from: string, to: string): number {
  let twoBack: number[] = [];
  let above: number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      let cost = Math.min(at(above, column) + 1, at(current, column - 1) + 1, at(above, column - 1) + (isSame ? 0 : 1));
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) cost = Math.min(cost, at(twoBack, column - 2) + 1);
      current.push(cost);
    }
    twoBack = above;
    above = current;
  }
  return at(above, to.length);
}

/** Every place that is read has been filled; the fallback is for the compiler and would never win a minimum. */
function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
