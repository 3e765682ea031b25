/** The frame of all pages: where one is, whether what is shown may be believed, and the page itself. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ExchangePage } from "./exchanges/exchange-page.tsx";
import { ExchangesPage } from "./exchanges/exchanges-page.tsx";
import { IncidentPage } from "./incidents/incident-page.tsx";
import { IncidentsPage } from "./incidents/incidents-page.tsx";
import { NowPage } from "./now/now-page.tsx";
import { OriginsPage } from "./origins/origins-page.tsx";
import logo from "./favicon.svg";
import { Announcer } from "./parts/announcer.tsx";
import { Freshness } from "./parts/freshness.tsx";
import { Help, startShortcuts } from "./parts/shortcuts.tsx";
import { SignIn } from "./parts/sign-in.tsx";
import { access } from "./state/api.ts";
import { now, openIncidents } from "./state/facts.ts";
import { pageOf, place } from "./state/router.ts";
import { theme, zone } from "./state/settings.ts";
import type { Theme } from "./state/settings.ts";
import { zoneText } from "./words/moments.ts";

const PAGES = [
  { href: "/", name: "Now", pages: ["now"] },
  { href: "/incidents", name: "Incidents", pages: ["incidents", "incident"] },
  { href: "/exchanges", name: "Exchanges", pages: ["exchanges", "exchange"] },
  { href: "/origins", name: "Origins", pages: ["origins"] },
] as const;

const THEMES: readonly Theme[] = ["auto", "light", "dark"];

export function App(): JSX.Element {
  const isHelpShown = useRef(signal(false)).current;
  useEffect(() => startShortcuts(() => (isHelpShown.value = !isHelpShown.value)), []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header onHelp={() => (isHelpShown.value = true)} />
      {access.value === "granted" ? <Body /> : <SignIn />}
      <Announcer />
      {isHelpShown.value ? <Help onClose={() => (isHelpShown.value = false)} /> : null}
    </>
  );
}

function Header({ onHelp }: { onHelp: () => void }): JSX.Element {
  const { page } = pageOf(place.value.path);
  const open = openIncidents.value.length;
  return (
    <header class="top">
      <a href="/" class="name">
        <img src={logo} alt="" width="24" height="24" />
        Goodgate
      </a>
      <nav aria-label="Pages">
        {PAGES.map((one) => (
          <a
            href={one.href}
            key={one.href}
            aria-current={(one.pages as readonly string[]).includes(page) ? "page" : undefined}
          >
            {one.name}
            {one.name === "Incidents" && open > 0 ? (
              <span class="count">
                {open}
                <span class="unseen"> open</span>
              </span>
            ) : null}
          </a>
        ))}
      </nav>
      <Freshness />
      <button
        type="button"
        class="quiet help"
        onClick={onHelp}
        aria-label="Keys and settings"
        title="Keys and settings (?)"
      >
        ?
      </button>
    </header>
  );
}

function Body(): JSX.Element {
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const { path } = place.value;
  // Who goes to another page with a screen reader is taken there; who arrives is where the browser says.
  // Before the next key, which may be for what is on it.
  useLayoutEffect(() => {
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [path]);
  return (
    <>
      <main id="main" tabIndex={-1} ref={main}>
        <Page />
      </main>
      <Footer />
    </>
  );
}

function Page(): JSX.Element {
  const page = pageOf(place.value.path);
  switch (page.page) {
    case "now":
      return <NowPage />;
    case "incidents":
      return <IncidentsPage />;
    case "incident":
      return <IncidentPage id={page.id} key={page.id} />;
    case "exchanges":
      return <ExchangesPage />;
    case "exchange":
      return <ExchangePage id={page.id} key={page.id} />;
    case "origins":
      return <OriginsPage />;
    case "nowhere":
      return <h1>There is no such page</h1>;
  }
}

function Footer(): JSX.Element {
  return (
    <footer class="bottom">
      <p>
        Times in {zoneText(zone.value, now.value)}{" "}
        {zoneText("local", now.value) === "UTC" ? null : (
          <button type="button" class="quiet" onClick={() => (zone.value = zone.value === "UTC" ? "local" : "UTC")}>
            {zone.value === "UTC" ? "Show local times" : "Show UTC"}
          </button>
        )}
      </p>
      <label>
        Colours{" "}
        <select
          value={theme.value}
          onChange={(event) => (theme.value = THEMES.find((one) => one === event.currentTarget.value) ?? "auto")}
        >
          <option value="auto">as the system</option>
          <option value="light">light</option>
          <option value="dark">dark</option>
        </select>
      </label>
      <nav aria-label="For programs">
        <a href="/api/v1/openapi.json">API</a> <a href="/metrics">Metrics</a> <a href="/api/v1/causes">Causes</a>
      </nav>
    </footer>
  );
}
