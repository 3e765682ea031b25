/**
 * The public status page: how each service is, what is wrong in words that everybody understands, and what was. Pure.
 *
 * It is made of times, figures and words of its own and of the titles that the operator gave: never of the title, the
 * summary or the place of an incident, which name origins, pools and addresses. It has no script; the browser asks
 * again every minute. A page cannot know that it is old, so it says as of when it speaks.
 */
import type { Incident, Severity } from "../contract/incident.ts";
import { durationText } from "../contract/quantities.ts";
import type { ServiceHealth } from "../contract/series.ts";
import { escapeHtml } from "../kernel/escape-html.ts";

export interface StatusOptions {
  readonly title: string;
  /** Empty: not known. */
  readonly url: string;
  readonly services: readonly { readonly name: string; readonly title: string }[];
}

export interface StatusFacts {
  readonly health: readonly ServiceHealth[];
  readonly incidents: readonly Incident[];
  /** Epoch ms of what is known. */
  readonly at: number;
}

export interface StatusPage {
  readonly html: string;
  readonly rss: string;
}

/** What is older is not shown as what is. */
export const STALE_MS = 60_000;
const HISTORY_MS = 90 * 86_400_000;
const HISTORY_MAX = 50;

interface Disturbance {
  readonly severity: Severity;
  readonly services: readonly string[];
  readonly text: string;
  readonly from: number;
  readonly to: number | null;
}

/** `now` is when it is looked at; later than the facts when nothing more was heard. */
export function statusPage(facts: StatusFacts, options: StatusOptions, now: number): StatusPage {
  const disturbances = facts.incidents.flatMap((incident) => disturbanceOf(incident, options, now));
  const recent = disturbances
    .filter(({ to }) => to === null || to >= now - HISTORY_MS)
    .toSorted((one, other) => other.from - one.from)
    .slice(0, HISTORY_MAX);
  return { html: htmlOf(facts, options, recent, now), rss: rssOf(facts, options, recent) };
}

// -------------------------------------------------------------------- what is said

/** Nothing of what nobody felt, of what is part of something else, or of what clients did themselves. */
function disturbanceOf(incident: Incident, { services }: StatusOptions, now: number): Disturbance[] {
  const { severity, state, party, parent, firstFailureAt, recoveredAt, closedAt, acknowledged, owner } = incident;
  if (severity === "notice" || state === "merged" || parent !== "" || party === "client") return [];
  const touched = services.filter(({ name }) => incident.services.includes(name)).map(({ title }) => title);
  if (touched.length === 0) return [];
  const to = state === "open" ? null : (recoveredAt ?? closedAt ?? now);
  const isKnown = acknowledged !== null || owner !== "";
  const ending = isKnown ? "Somebody is working on it." : "It is being looked into.";
  return [
    {
      severity,
      services: touched,
      from: firstFailureAt,
      to,
      text: [harmText(incident, to === null), ...(to === null ? [ending] : [])].join(" "),
    },
  ];
}

function harmText({ severity, impact }: Incident, goesOn: boolean): string {
  const { failed, exchanges } = impact;
  const percent = exchanges === 0 ? 0 : (100 * failed) / exchanges;
  if (failed === 0)
    return goesOn ? "Requests are answered, some of them late." : "Requests were answered, some of them late.";
  if (percent >= 99.5) return `Nearly all requests ${goesOn ? "fail" : "failed"}.`;
  const part = percent < 1 ? "Less than one request in a hundred" : `About ${Math.round(percent)} of 100 requests`;
  const verb = goesOn ? (percent < 1 ? "fails" : "fail") : "failed";
  return `${part} ${verb}${severity === "critical" ? "" : "; a second try helps"}.`;
}

type Tone = "well" | "disturbed" | "failing" | "unknown";

/** Never better than what is told of it below. */
function toneOf(
  { name, title }: StatusOptions["services"][number],
  { health }: StatusFacts,
  current: readonly Disturbance[],
  isStale: boolean,
): Tone {
  const worst = current.filter(({ services }) => services.includes(title)).map(({ severity }) => severity);
  const state = health.find((one) => one.service === name)?.state;
  if (!isStale && worst.includes("critical")) return "failing";
  if (isStale || state === undefined || state === "no data" || state === "silent") return "unknown";
  return state === "well" && worst.length > 0 ? "disturbed" : state;
}

const TONE_WORDS: Readonly<Record<Tone, string>> = {
  well: "Works",
  disturbed: "Disturbed",
  failing: "Fails",
  unknown: "Not known",
};

function glanceText(tones: readonly Tone[]): { readonly tone: Tone; readonly text: string } {
  if (tones.includes("failing")) return { tone: "failing", text: "There is an outage" };
  if (tones.includes("disturbed")) return { tone: "disturbed", text: "There is a disturbance" };
  if (tones.includes("unknown")) return { tone: "unknown", text: "Not everything is known at the moment" };
  return { tone: "well", text: "Everything works" };
}

// -------------------------------------------------------------------- as a page

function htmlOf(facts: StatusFacts, options: StatusOptions, all: readonly Disturbance[], now: number): string {
  const isStale = now - facts.at > STALE_MS;
  const [current, past] = [all.filter(({ to }) => to === null), all.filter(({ to }) => to !== null)];
  const rows = options.services.map((one) => ({ title: one.title, tone: toneOf(one, facts, current, isStale) }));
  const glance = glanceText(rows.map(({ tone }) => tone));
  // Disturbed by its figures, before anything of it is worth telling by itself.
  const troubled = isStale
    ? []
    : rows.filter(({ tone }) => tone === "disturbed" || tone === "failing").map(({ title }) => title);
  const untold = troubled.filter((title) => !current.some(({ services }) => services.includes(title)));
  const isQuiet = current.length === 0 && untold.length === 0;
  const going = [
    ...current.map((one) => articleOf(one, now)),
    ...(untold.length === 0
      ? []
      : [`<p class="quiet">${escapeHtml(untold.join(", "))}: not all requests go well just now.</p>`]),
  ];
  const stale = isStale
    ? `<p class="stale" role="status">Nothing new is known since ${timeTag(facts.at)}. What follows may not be so any more.</p>`
    : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="60">
<title>${escapeHtml(glance.text)} – ${escapeHtml(options.title)}</title>
<link rel="alternate" type="application/rss+xml" title="${escapeHtml(options.title)}" href="feed.xml">
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(options.title)}</h1></header>
<main>
${stale}<p class="glance ${glance.tone}"><span class="mark" aria-hidden="true"></span>${escapeHtml(glance.text)}</p>
<section aria-labelledby="services"><h2 id="services">Services</h2>
<ul class="services">
${rows.map(({ title, tone }) => `<li><span>${escapeHtml(title)}</span><span class="state ${tone}"><span class="mark" aria-hidden="true"></span>${TONE_WORDS[tone]}</span></li>`).join("\n")}
</ul></section>
${isQuiet ? "" : `<section aria-labelledby="now"><h2 id="now">Now</h2>\n${going.join("\n")}\n</section>\n`}<section aria-labelledby="history"><h2 id="history">The last 90 days</h2>
${past.length === 0 ? `<p class="quiet">${isQuiet ? "No disturbance." : "No other disturbance."}</p>` : past.map((one) => articleOf(one, now)).join("\n")}
</section>
</main>
<footer><p>As of ${timeTag(facts.at)}. If that is more than a few minutes ago, this page is not being kept up to date. Times are UTC. <a href="feed.xml">Feed (RSS)</a></p></footer>
</body>
</html>
`;
}

function articleOf({ severity, services, text, from, to }: Disturbance, now: number): string {
  const tone = severity === "critical" ? "failing" : "disturbed";
  const lasted =
    to === null
      ? `for ${spanText(from, now)}, since ${timeTag(from)}`
      : `${timeTag(from)}, lasted ${spanText(from, to)}`;
  return `<article class="${tone}"><h3>${escapeHtml(services.join(", "))}: ${titleText(severity, to)}</h3><p>${escapeHtml(text)}</p><p class="when">${lasted}</p></article>`;
}

function titleText(severity: Severity, to: number | null): string {
  const what = severity === "critical" ? "outage" : "disturbance";
  return to === null ? what : `${what}, over`;
}

function timeTag(at: number): string {
  const iso = new Date(at).toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")}</time>`;
}

function spanText(from: number, to: number): string {
  return durationText(Math.max(1, Math.round((to - from) / 1000)) * 1_000_000);
}

const STYLE = `:root{color-scheme:light dark;--back:#f7f7f8;--card:#fff;--text:#1b1d22;--soft:#5a6070;--line:#dfe1e6;--well:#18794e;--disturbed:#8a5a00;--failing:#c62828;--unknown:#5a6070}
@media (prefers-color-scheme:dark){:root{--back:#111317;--card:#1a1d23;--text:#e8eaee;--soft:#a2a9b8;--line:#2d323c;--well:#4cc38a;--disturbed:#f0b44c;--failing:#ff7b72;--unknown:#a2a9b8}}
*{box-sizing:border-box}body{margin:0 auto;max-width:46rem;padding:1.5rem 1rem;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0 0 1rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:0}
.glance,.services,article,.stale{background:var(--card);border:1px solid var(--line);border-radius:.6rem}
.glance{font-size:1.25rem;font-weight:600;padding:1rem;margin:0;border-left:.4rem solid currentColor}
.services{list-style:none;margin:0;padding:0}.services li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.25rem 1rem;padding:.7rem 1rem}.services li+li{border-top:1px solid var(--line)}
.state{font-weight:600}.mark{display:inline-block;width:.7em;height:.7em;margin-right:.5em;border-radius:50%;background:currentColor}
.failing>.mark{border-radius:0}.disturbed>.mark{border-radius:0;transform:rotate(45deg)}.unknown>.mark{background:none;border:.15em solid currentColor}
.well{color:var(--well)}.disturbed{color:var(--disturbed)}.failing{color:var(--failing)}.unknown{color:var(--unknown)}
article{padding:.8rem 1rem;margin:.6rem 0;border-left:.4rem solid currentColor}article p{margin:.25rem 0 0;color:var(--text)}article .when,.quiet,footer{color:var(--soft);font-size:.9rem}
.stale{padding:.8rem 1rem;margin:0 0 1rem;border-left:.4rem solid var(--disturbed)}
a{color:inherit}a:focus-visible{outline:.15rem solid;outline-offset:.15rem}footer{margin-top:2rem}`;

// -------------------------------------------------------------------- as a feed

function rssOf({ at }: StatusFacts, { title, url }: StatusOptions, all: readonly Disturbance[]): string {
  const items = all.map(({ severity, services, text, from, to }) => {
    const name = `${services.join(", ")}: ${titleText(severity, to)}`;
    const lasted = to === null ? "It goes on." : `It lasted ${spanText(from, to)}.`;
    // Its end is news of its own, so that readers show it.
    const guid = `${new Date(from).toISOString()} ${services.join(", ")}${to === null ? "" : " over"}`;
    return `<item><title>${escapeHtml(name)}</title><description>${escapeHtml(`${text} ${lasted}`)}</description><guid isPermaLink="false">${escapeHtml(guid)}</guid><pubDate>${new Date(to ?? from).toUTCString()}</pubDate>${linkTag(url)}</item>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>${escapeHtml(title)}</title>${url === "" ? BESIDE : linkTag(url)}<description>Disturbances of the last 90 days, and their ends.</description><lastBuildDate>${new Date(at).toUTCString()}</lastBuildDate>
${items.join("\n")}
</channel></rss>
`;
}

/** RSS demands a link; readers resolve this one by where they have the feed from, and the page lies beside that. */
const BESIDE = "<link>./</link>";

function linkTag(url: string): string {
  return url === "" ? "" : `<link>${escapeHtml(url)}</link>`;
}
