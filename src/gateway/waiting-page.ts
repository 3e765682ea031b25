/**
 * What a browser shows when there is no room: a page that waits and asks again by itself, without script, at a moment
 * that is drawn for each answer, so that those who were turned away together do not come back together. It names no
 * position, because there is no queue to have one in, and nothing to be reloaded faster for.
 */
import { renderPage } from "./html-page.ts";

export interface WaitingPage {
  readonly requestId: string;
  /** When it asks again. */
  readonly seconds: number;
}

export function renderWaitingPage({ requestId, seconds }: WaitingPage): string {
  return renderPage({
    title: "One moment, please",
    style: styleFor(seconds),
    head: `<meta http-equiv="refresh" content="${seconds}">\n`,
    main: `<p>More people are here right now than can be served at once. You do not have to do anything: this page asks again by itself in about ${secondsText(seconds)}, and whoever waits is let in before whoever comes new.</p>
<div class="bar" aria-hidden="true"></div>
<p>Asking sooner does not help, but <a href="">you can ask now</a>.</p>`,
    requestId,
  });
}

function styleFor(seconds: number): string {
  return `:root { --ink: #1d2733; --soft: #4a5a6a; --back: #f5f7f9; --card: #fff; --line: #d4dbe2; --go: #1a6e53; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6ebf0; --soft: #a9b6c3; --back: #12181e; --card: #1a222a; --line: #33404c; --go: #6fcfae; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--back); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 34rem; padding: clamp(1.25rem, 5vw, 2.5rem); background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1rem; }
.bar { height: .25rem; margin: 1.5rem 0; overflow: hidden; border-radius: .125rem; background: var(--line); }
.bar::before { content: ""; display: block; width: 100%; height: 100%; background: var(--go); transform-origin: left; animation: wait ${seconds}s linear forwards; }
@keyframes wait { from { transform: scaleX(0); } }
@media (prefers-reduced-motion: reduce) { .bar { display: none; } }
a { color: var(--go); }
.reference { margin: 0; color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }`;
}

function secondsText(seconds: number): string {
  return seconds === 1 ? "a second" : `${seconds} seconds`;
}
