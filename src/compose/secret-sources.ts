/** Where secrets are kept that the configuration only names: whether they are there. What they are nobody here looks at. */
import { accessSync, constants } from "node:fs";
import type { HiddenText, Settings, SinkSettings } from "../config/settings.ts";
import { codeOf } from "./error-text.ts";

/** A sentence about the first that cannot be had; null: all can. */
export function missingSecret({ alerts, fleet }: Settings): string | null {
  for (const key of ["database", "key"] as const) {
    const why = fleet === null ? null : whyMissing(fleet[key]);
    if (why !== null) return `fleet.${key}: ${why}`;
  }
  for (const sink of alerts?.sinks ?? []) {
    for (const hidden of hiddenOf(sink)) {
      const why = whyMissing(hidden);
      if (why !== null) return `alerts.sinks.${sink.name}: ${why}`;
    }
  }
  return null;
}

function whyMissing({ from, name }: HiddenText): string | null {
  switch (from) {
    case "text":
      return null;
    case "env":
      return process.env[name] === undefined ? `the environment has no ${name}` : null;
    case "file":
      try {
        accessSync(name, constants.R_OK);
        return null;
      } catch (error) {
        return `${name} cannot be read (${codeOf(error)})`;
      }
  }
}

function hiddenOf(sink: SinkSettings): HiddenText[] {
  switch (sink.kind) {
    case "webhook":
      return sink.secret === null ? [sink.url] : [sink.url, sink.secret];
    case "slack":
    case "alertmanager":
      return [sink.url];
    case "pagerduty":
      return [sink.url, sink.key];
    case "email":
      return sink.password === null ? [] : [sink.password];
  }
}
