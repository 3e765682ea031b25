/** What `doctor` concludes about the state directory, where Idempotency-Keys and stored responses outlive a restart. */
import type { Settings } from "../config/settings.ts";
import type { Finding } from "./machine-findings.ts";
import { ok } from "./machine-findings.ts";
import type { StatePlace } from "./ports.ts";

export function stateFinding(settings: Settings, place: StatePlace): Finding {
  const id = "state";
  const requires = settings.services.some(({ routes }) =>
    routes.some((route) => route.idempotencyKey.mode === "required"),
  );
  const level = requires ? "bad" : "warn";
  const lost = requires
    ? "a route requires Idempotency-Key, so the gateway would not start"
    : "Idempotency-Key would not be honoured";
  if (!settings.state.use) return ok(id, "switched off: nothing outlives a restart.");
  if (place.directory === null) {
    return { id, level, says: `no place is known for it: ${lost}.`, todo: "Name a directory under state." };
  }
  if (place.code === null) return ok(id, `${place.directory} can be written.`);
  if (place.code === "ENOSPC") {
    const meanwhile = requires ? "routes that require Idempotency-Key refuse" : "Idempotency-Key is not honoured";
    return { id, level, says: `the disk of ${place.directory} is full: ${meanwhile}.`, todo: "Make room there." };
  }
  return {
    id,
    level,
    says: `${place.directory} cannot be written (${place.code}): ${lost}.`,
    todo: "Make it writable for this user (systemd: StateDirectory=goodgate), or name another one under state.",
  };
}
