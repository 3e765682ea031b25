/** Starts the dashboard. */
import "./app.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { startFacts } from "./state/facts.ts";
import { startRouter } from "./state/router.ts";
import { startSettings } from "./state/settings.ts";

startSettings();
startRouter();
startFacts();
const root = document.getElementById("app");
// What was there is for the moment until this runs.
root?.replaceChildren();
if (root !== null) render(<App />, root);
