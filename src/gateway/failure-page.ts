/**
 * The page a browser shows when the gateway has to answer itself: small, accessible, without anything fetched from
 * elsewhere. For requests that may be repeated it tries again by itself, later each time and never in step with
 * others, so that a recovering service does not meet all its visitors at once.
 */
import { escapeHtml } from "../kernel/escape-html.ts";
import { renderPage } from "./html-page.ts";

export interface FailurePage {
  readonly status: number;
  readonly phrase: string;
  readonly sentence: string;
  readonly requestId: string;
  /** The page reloads itself. */
  readonly retries: boolean;
  /** The earliest second at which a reload makes sense; 0: not known. */
  readonly retryAfterSeconds: number;
}

export function renderFailurePage(page: FailurePage): string {
  const title = `${page.status} ${page.phrase}`;
  const retry = page.retries
    ? `<p id="again">This page tries again by itself. <a href="">Try now</a></p>
<script>${retryScript(page.retryAfterSeconds)}</script>
<noscript><p>Reload the page to try again.</p></noscript>`
    : "";
  return renderPage({
    title,
    style: STYLE,
    head: "",
    main: `<p>${escapeHtml(page.sentence)}</p>
${retry}`,
    requestId: page.requestId,
  });
}

const STYLE = `body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto 0; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
.reference { opacity: .75; font-size: .875rem; overflow-wrap: anywhere; }`;

/** Waits what was asked for and then up to 5 s, doubling to 80 s over reloads, drawn from the upper half of that span. */
function retryScript(retryAfterSeconds: number): string {
  return (
    `(function(){var k="goodgate-tries",n=0;` +
    `try{n=Math.min(4,+sessionStorage.getItem(k)||0);sessionStorage.setItem(k,n+1)}catch(e){}` +
    `var s=${retryAfterSeconds}+5*Math.pow(2,n)*(0.5+Math.random()/2),a=document.getElementById("again");` +
    `a.firstChild.data="This page tries again by itself in "+Math.ceil(s)+" seconds. ";` +
    `setTimeout(function(){location.reload()},s*1000)})()`
  );
}
