/** What the gateway's own pages have in common: nothing that is fetched from elsewhere, nothing for search engines. */
import { escapeHtml } from "../kernel/escape-html.ts";

export interface HtmlPage {
  readonly title: string;
  readonly style: string;
  /** Further lines of the head, complete. */
  readonly head: string;
  /** What is in `main`, complete. */
  readonly main: string;
  readonly requestId: string;
}

export function renderPage({ title, style, head, main, requestId }: HtmlPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${head}<title>${escapeHtml(title)}</title>
<style>
:root { color-scheme: light dark; }
${style}
</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${main}
<p class="reference">Reference for support: <code>${escapeHtml(requestId)}</code></p>
</main>
</body>
</html>
`;
}
