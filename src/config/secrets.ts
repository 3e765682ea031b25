/** What of the settings must stay unknown: shown instead of it is that it is there. */
import type { AlertSettings, HiddenText, Settings, SinkSettings } from "./settings.ts";

export const HIDDEN = "(hidden)";

/** `instead`: what is shown for a secret. */
export function maskSecrets(settings: Settings, instead: (secret: string) => string = () => HIDDEN): Settings {
  const { admin, waiting, otlp, alerts, fleet } = settings;
  const text = (secret: string | null): string | null => (secret === null ? null : instead(secret));
  return {
    ...settings,
    admin: admin && { ...admin, token: text(admin.token) },
    waiting: { ...waiting, secret: text(waiting.secret) },
    otlp: otlp && {
      ...otlp,
      headers: Object.fromEntries(Object.entries(otlp.headers).map(([name, value]) => [name, instead(value)])),
    },
    alerts: alerts && maskSinks(alerts, instead),
    fleet: fleet && { ...fleet, database: hidden(fleet.database, instead) },
  };
}

function maskSinks(alerts: AlertSettings, instead: (secret: string) => string): AlertSettings {
  const hide = (one: HiddenText): HiddenText => hidden(one, instead);
  const sinks = alerts.sinks.map((sink): SinkSettings => {
    switch (sink.kind) {
      case "webhook":
        return { ...sink, url: hide(sink.url), secret: sink.secret && hide(sink.secret) };
      case "slack":
      case "alertmanager":
        return { ...sink, url: hide(sink.url) };
      case "pagerduty":
        return { ...sink, url: hide(sink.url), key: hide(sink.key) };
      case "email":
        return { ...sink, password: sink.password && hide(sink.password) };
    }
  });
  return { ...alerts, sinks };
}

/** Where it lies is no secret, only what is written out. */
function hidden(one: HiddenText, instead: (secret: string) => string): HiddenText {
  return one.from === "text" ? { ...one, name: instead(one.name) } : one;
}
