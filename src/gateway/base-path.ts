/**
 * Origins with a base path (`http://10.0.0.1/shop`) serve what lies under it and nothing above. `/../admin` put
 * behind `/shop` is `/admin` to an origin that resolves dots (RFC 3986 §5.2.4), in whichever way it decodes them.
 */

/** Whether any reading of `path` leaves its own root. Encoded dots and slashes, backslashes and `;` parameters count. */
export function climbsAboveRoot(path: string): boolean {
  const plain = path.replace(/%2e/gi, ".").replace(/%2f|%5c|\\/gi, "/");
  let depth = 0;
  for (const segment of plain.split("/")) {
    const name = segment.split(";", 1)[0];
    if (name === "..") depth -= 1;
    else if (name !== "." && name !== "") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
