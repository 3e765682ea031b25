/**
 * The frame of the pages: one self-contained document each, readable without script, in light and dark, on a
 * phone and on a wall. No framework and no build: the dashboard proper is another part of the product, and
 * this must work when nothing else does.
 *
 * The style and the script are allowed by their digests, so that even a mistake in escaping could not run
 * anything. The script only makes the status page renew itself; without it the page does so every 30 s.
 */
import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";

export interface Page {
  readonly title: string;
  readonly main: Html;
  /** True: what it shows changes, so it renews itself. */
  readonly isLive: boolean;
}

export function renderPage(page: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title}</title>
        <link rel="icon" href="data:," />
        ${STYLE_ELEMENT} ${page.isLive ? LIVE_ELEMENTS : null}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
          <a href="/" class="name">Goodgate</a>
          <nav aria-label="Other views">
            <a href="/metrics">metrics</a> <a href="/api/v1/status">status as JSON</a>
            <a href="/api/v1/causes">causes</a> <a href="/api/v1/openapi.json">API</a>
          </nav>
        </header>
        <main id="main" tabindex="-1">${page.main}</main>
      </body>
    </html> `.text;
}

/**
 * Renews the content in place every 5 s, and at once when an origin or a pool changes. Not while the page is
 * hidden, paused, or while somebody selects text or works with the keyboard in it: content must not move
 * under a reader (WCAG 2.2.2). The sentence at the top is announced to screen readers when it changes.
 */
const SCRIPT = `
addEventListener("DOMContentLoaded", () => {
  const main = document.getElementById("main");
  const header = document.querySelector("header");
  const button = document.createElement("button");
  const note = document.createElement("span");
  let paused = false, asking = false, failed = false;
  button.type = "button";
  note.setAttribute("role", "status");
  header.append(button, note);
  const show = () => {
    button.textContent = paused ? "Go on renewing" : "Stop renewing";
    note.textContent = failed ? "The gateway does not answer; this is what it last said." : "";
    document.body.classList.toggle("stale", failed);
  };
  const busy = () => paused || document.hidden || asking || main.contains(document.activeElement) && document.activeElement !== main
    || !getSelection().isCollapsed;
  const renew = async () => {
    if (busy()) return;
    asking = true;
    try {
      const answer = await fetch("/", { headers: { accept: "text/html" }, signal: AbortSignal.timeout(4000) });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.getElementById("main");
      const sentence = main.querySelector("h1"), nextSentence = next.querySelector("h1");
      const open = [...main.querySelectorAll("details[open]")].map((one) => one.id);
      for (const id of open) next.querySelector("#" + CSS.escape(id))?.setAttribute("open", "");
      if (sentence.outerHTML === nextSentence.outerHTML) nextSentence.replaceWith(sentence);
      if (!paused) main.replaceChildren(...next.childNodes);
      document.title = page.title;
      failed = false;
    } catch {
      failed = true;
    }
    asking = false;
    show();
  };
  button.addEventListener("click", () => { paused = !paused; show(); renew(); });
  show();
  setInterval(renew, 5000);
  const events = new EventSource("/api/v1/events?kind=origin,pool,spill,fail-open,disagreement,resolution,gateway");
  let soon = 0;
  const atOnce = () => { clearTimeout(soon); soon = setTimeout(renew, 200); };
  for (const kind of ["origin", "pool", "spill", "fail-open", "disagreement", "resolution", "gateway"]) events.addEventListener(kind, atOnce);
});
`;

const STYLE = `
:root { --ink: #1c2024; --soft: #5b6570; --paper: #fbfbfa; --card: #fff; --line: #d9dde1; --link: #0b57b0;
  --good: #17693a; --warn: #8a5300; --bad: #b3261e; --goodbg: #e5f3ea; --warnbg: #fdf0d8; --badbg: #fce8e6; --quiet: #eef0f2;
  --bar1: #8fb3d9; --bar2: #3f78b5; --bar3: #6aa584; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #a3adb8; --paper: #14171a; --card: #1c2024; --line: #363d45; --link: #8ab8f0;
  --good: #7fd3a0; --warn: #f0bf6b; --bad: #ff9d94; --goodbg: #16301f; --warnbg: #37290f; --badbg: #401b18; --quiet: #262c32;
  --bar1: #45627f; --bar2: #79ace0; --bar3: #5f9f7b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .5rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding: .6rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
header .name { font-weight: 700; color: inherit; text-decoration: none; } header nav { display: flex; flex-wrap: wrap; gap: 0 .9rem; font-size: 14px; }
header button { margin-left: auto; font: inherit; font-size: 14px; color: inherit; background: var(--quiet); border: 1px solid var(--line); border-radius: 6px; padding: .15rem .6rem; cursor: pointer; }
header [role=status]:not(:empty) { color: var(--bad); font-weight: 600; width: 100%; }
main { max-width: 76rem; margin: 0 auto; padding: 1.25rem; outline: none; } .stale main { opacity: .6; }
h1 { font-size: 1.45rem; line-height: 1.3; margin: .2rem 0 .4rem; text-wrap: balance; }
h1.healthy { color: var(--good); } h1.degraded { color: var(--warn); } h1.down { color: var(--bad); }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .3rem 0; max-width: 65rem; } .soft { color: var(--soft); }
.box { background: var(--card); border: 1px solid var(--line); border-left: .35rem solid var(--soft); border-radius: 6px; padding: .7rem 1rem; margin: .9rem 0; }
.box h2 { margin: 0 0 .2rem; } .box.bad { border-left-color: var(--bad); } .box.warn { border-left-color: var(--warn); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: .8rem; margin: 0; padding: 0; list-style: none; }
.cards > li { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .7rem 1rem; }
.cards h3 { margin: 0; display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; } .cards ul { margin: .3rem 0 0; padding-left: 1.2rem; }
.tag { display: inline-block; white-space: nowrap; border-radius: 4px; padding: 0 .45rem; font-size: 13px; font-weight: 600; background: var(--quiet); }
.tag.good { color: var(--good); background: var(--goodbg); } .tag.warn { color: var(--warn); background: var(--warnbg); } .tag.bad { color: var(--bad); background: var(--badbg); }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 6px; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding: 0 0 .3rem; } th, td { text-align: left; vertical-align: top; padding: .4rem .7rem; border-top: 1px solid var(--line); }
thead th { font-size: 13px; color: var(--soft); font-weight: 600; border-top: 0; } tbody th { font-weight: 600; min-width: 15rem; } table.two tbody th { min-width: 0; width: 8rem; white-space: nowrap; } td.n, th.n { text-align: right; } td.n, thead th, time { white-space: nowrap; overflow-wrap: normal; }
td small, th small { display: block; font-weight: 400; color: var(--soft); font-size: 13px; } code { font: 13px/1.5 ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: .4rem 0; } dt { color: var(--soft); } dd { margin: 0; }
svg.bar { display: block; width: 100%; height: 1.1rem; background: var(--quiet); border-radius: 3px; }
.s1 { fill: var(--bar1); } .s2 { fill: var(--bar2); } .s3 { fill: var(--bar3); } .sx { fill: var(--bad); }
.key { display: inline-block; width: .8rem; height: .8rem; vertical-align: -.05rem; margin-right: .3rem; border-radius: 2px; } .part { white-space: nowrap; margin-right: 1rem; }
@media (max-width: 46rem) {
  main { padding: .9rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .4rem; } header button { margin-left: 0; }
  table.list, .list tbody, .list tr, .list td, .list tbody th, .list caption { display: block; width: auto; min-width: 0; } .list thead { position: absolute; left: -99rem; }
  .list caption { padding: .5rem .7rem 0; } .list tr { border-top: 1px solid var(--line); padding: .5rem .7rem; } .list caption + thead + tbody tr:first-child { border-top: 0; }
  .list td, .list tbody th { border: 0; padding: .1rem 0; } .list td.n { display: inline-block; text-align: left; margin-right: 1.2rem; } .list td.n small { display: inline; }
  .list td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
}
`;

// Whole, because their digests are of every character between the tags.
const STYLE_ELEMENT: Html = new Html(`<style>${STYLE}</style>`);
const LIVE_ELEMENTS: Html = new Html(
  `<noscript><meta http-equiv="refresh" content="30"></noscript><script>${SCRIPT}</script>`,
);

/** The fields of a page's answer that differ from those of other answers. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    `style-src '${digest(STYLE)}'`,
    `script-src '${digest(SCRIPT)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
};

function digest(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}
