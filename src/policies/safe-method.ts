/** Methods that ask for nothing but an answer (RFC 9110 §9.2.1). Case matters (§9.1). */
export function isSafe(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "TRACE":
      return true;
    default:
      return false;
  }
}
