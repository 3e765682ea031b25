/**
 * The page of a sample origin: who answered, what reached it, and what to try next. One file without outside
 * parts, readable in light and dark. Everything that came with the request is escaped.
 */
import type http from "node:http";

interface TryOut {
  readonly path: string;
  readonly text: string;
}

const TRY_OUTS: readonly TryOut[] = [
  { path: "/", text: "load this page again: another origin may answer" },
  { path: "/slow?ms=3000", text: "an answer that takes three seconds" },
  { path: "/status/503", text: "an error of the origin's own, passed on untouched" },
  { path: "/crash?on=blue-1", text: "only blue-1 resets the connection: another origin rescues the request" },
  { path: "/crash", text: "every origin does: the gateway gives up and says why" },
  { path: "/truncate", text: "a body that is cut, and never looks complete" },
  { path: "/events", text: "server-sent events, one each second" },
  { path: "/big?mb=100", text: "a hundred MiB" },
  { path: "/healthz", text: "what health checks ask for" },
];

export function samplePage(
  origin: { readonly name: string; readonly pool: string; readonly answered: number },
  request: http.IncomingMessage,
): string {
  const rows = Object.entries(request.headers)
    .map(([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(String(value))}</td></tr>`)
    .join("\n");
  const links = TRY_OUTS.map(
    (item) => `<li><a href="${escaped(item.path)}">${escaped(item.path)}</a> ${escaped(item.text)}</li>`,
  ).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(origin.name)} answered</title>
<style>
:root { --pool: ${origin.pool === "green" ? "#1a7f4b" : "#2458c5"}; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { border-left: .5rem solid var(--pool); padding-left: .75rem; line-height: 1.2; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid #8884; overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; }
@media (max-width: 30rem) { th { white-space: normal; } }
</style>
</head>
<body>
<h1>${escaped(origin.name)} answered</h1>
<p>This is a sample origin of pool <strong>${escaped(origin.pool)}</strong>. It has answered ${origin.answered}
${origin.answered === 1 ? "request" : "requests"}. Between you and it stands the gateway.</p>
<h2>Try</h2>
<ul>
${links}
</ul>
<h2>What reached the origin</h2>
<table>
<caption>${escaped(request.method ?? "")} ${escaped(request.url ?? "")}, with these fields:</caption>
<tbody>
${rows}
</tbody>
</table>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
