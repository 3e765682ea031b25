/**
 * PagerDuty as its Events API v2 describes itself: takes events of the documented form and says of others what is wrong
 * with them, keeps one alert for a key, and ignores what is about none. Stricter than the real one in one thing: a field
 * that is not documented is refused, because it is a mistake of whoever sends it.
 */
import { pagerdutyEvent } from "./sink-forms.ts";
import type { TakenAnswer, TakenRequest } from "./http-receiver.ts";

const EVENT_BYTES_MAX = 512 * 1024;

export interface PagerdutyAlert {
  state: "triggered" | "acknowledged" | "resolved";
  /** As it was told last. */
  severity: string;
  summary: string;
  /** All that was sent about it, in order. */
  readonly actions: string[];
}

export interface Pagerduty {
  /** By their keys. */
  readonly alerts: ReadonlyMap<string, PagerdutyAlert>;
  /** How often somebody was called: for an alert that is new, or was resolved and came back. */
  readonly calls: number;
  /** What was refused, and why. */
  readonly refused: readonly string[];
  /** Actions about what is not open: taken, and without effect. */
  readonly ignored: readonly string[];
  answer(request: TakenRequest): TakenAnswer;
}

export function pagerduty(): Pagerduty {
  const alerts = new Map<string, PagerdutyAlert>();
  const refused: string[] = [];
  const ignored: string[] = [];
  let calls = 0;

  function refuse(...errors: readonly string[]): TakenAnswer {
    refused.push(...errors);
    const body = { status: "invalid event", message: "Event object is invalid", errors };
    return { status: 400, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  }

  function carryOut(action: "trigger" | "acknowledge" | "resolve", key: string): PagerdutyAlert | null {
    const known = alerts.get(key);
    const isOpen = known !== undefined && known.state !== "resolved";
    if (action !== "trigger") {
      if (!isOpen) {
        ignored.push(`${action} ${key}`);
        return null;
      }
      known.state = action === "resolve" ? "resolved" : "acknowledged";
      return known;
    }
    // One that goes on is neither opened nor told to anybody again.
    if (isOpen) return known;
    calls += 1;
    const alert: PagerdutyAlert = { state: "triggered", severity: "", summary: "", actions: known?.actions ?? [] };
    alerts.set(key, alert);
    return alert;
  }

  return {
    alerts,
    refused,
    ignored,
    get calls() {
      return calls;
    },
    answer({ method, headers, body }) {
      if (method !== "POST") return { status: 405 };
      if (headers["content-type"] !== "application/json") return refuse("Content-Type is not application/json");
      if (Buffer.byteLength(body) > EVENT_BYTES_MAX) return refuse("the event is larger than 512 KB");
      const read = pagerdutyEvent.safeParse(jsonOf(body));
      if (!read.success) return refuse(...read.error.issues.map(({ message }) => message));
      const { event_action: action, dedup_key: key = `chosen-${alerts.size}`, payload } = read.data;
      const alert = carryOut(action, key);
      alert?.actions.push(action);
      if (alert !== null && action === "trigger" && payload !== undefined) {
        alert.severity = payload.severity;
        alert.summary = payload.summary;
      }
      const taken = { status: "success", message: "Event processed", dedup_key: key };
      return { status: 202, headers: { "content-type": "application/json" }, body: JSON.stringify(taken) };
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
