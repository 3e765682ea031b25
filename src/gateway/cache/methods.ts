/** RFC 9110 §9.2.1: methods that change nothing at the origin. Any other, known or not, may. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

export function isSafe(method: string): boolean {
  return SAFE.has(method);
}
