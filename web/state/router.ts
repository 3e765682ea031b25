/** Which page an address means. Pages have paths, and what a page shows is in its query: any state can be shared. */
import { signal } from "@preact/signals";

export type Page =
  | { readonly page: "now" }
  | { readonly page: "incidents" }
  | { readonly page: "incident"; readonly id: string }
  | { readonly page: "exchanges" }
  | { readonly page: "exchange"; readonly id: string }
  | { readonly page: "origins" }
  | { readonly page: "nowhere" };

export function pageOf(path: string): Page {
  const [, first = "", id, ...more] = path.replace(/(.)\/$/, "$1").split("/");
  if (more.length > 0) return { page: "nowhere" };
  if (id === undefined) {
    switch (first) {
      case "":
        return { page: "now" };
      case "incidents":
      case "exchanges":
      case "origins":
        return { page: first };
      default:
        return { page: "nowhere" };
    }
  }
  if (first === "incidents") return { page: "incident", id: decoded(id) };
  if (first === "exchanges") return { page: "exchange", id: decoded(id) };
  return { page: "nowhere" };
}

export const exchangeHref = (id: string): string => `/exchanges/${encodeURIComponent(id)}`;
export const incidentHref = (id: string): string => `/incidents/${encodeURIComponent(id)}`;

/** Filters as a query, empty ones left out: `?cause=origin.refused`. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") query.set(name, value);
  return query.size === 0 ? "" : `?${query.toString()}`;
}

/** Path and query as shown now. */
export const place = signal({ path: "/", query: "" });

export function startRouter(): void {
  const read = (): void => {
    place.value = { path: location.pathname, query: location.search };
  };
  read();
  addEventListener("popstate", read);
  // One listener for every link, so that a link is an ordinary link: it can be opened in a new tab and copied.
  document.addEventListener("click", (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target !== "" || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || pageOf(url.pathname).page === "nowhere") return;
    // A place on the page that is shown is the browser's business.
    if (url.hash !== "" && url.pathname === location.pathname && url.search === location.search) return;
    event.preventDefault();
    navigate(url.pathname + url.search + url.hash);
  });
}

export function navigate(href: string): void {
  history.pushState(null, "", href);
  place.value = { path: location.pathname, query: location.search };
  scrollTo(0, 0);
}

/** Changes the query without a new entry in the history: for filters that are being typed. */
export function replaceQuery(query: string): void {
  history.replaceState(null, "", location.pathname + query);
  place.value = { path: location.pathname, query: location.search };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
