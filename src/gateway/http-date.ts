/** The current date as RFC 9110 §5.6.7 wants it, made once a second at most. */
let second = -1;
let text = "";

/** `wallMs`: epoch ms. */
export function httpDate(wallMs: number): string {
  const current = Math.floor(wallMs / 1000);
  if (current !== second) {
    second = current;
    text = new Date(current * 1000).toUTCString();
  }
  return text;
}
