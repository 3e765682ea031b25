/** The access log of a gateway, with what happens to it in sentences. */
import type { Settings } from "../config/settings.ts";
import { systemSchedule } from "../net/clock.ts";
import { openAccessLog } from "../store/access-log.ts";
import type { AccessLogEvent } from "../store/access-log.ts";
import type { Events } from "./events.ts";

export function openLog(
  accessLog: NonNullable<Settings["accessLog"]>,
  tell: Events["tell"],
): ReturnType<typeof openAccessLog> {
  const onEvent = (event: AccessLogEvent): void =>
    tell(`access-log.${event.kind.replaceAll(" ", "-")}`, accessLogText(event));
  return openAccessLog({ ...accessLog, schedule: systemSchedule, onEvent });
}

function accessLogText(event: AccessLogEvent): string {
  switch (event.kind) {
    case "failing":
      return `writing fails (${event.code}) and is tried again; requests are served all the same`;
    case "dropping":
      return "its buffer is full: lines are being lost";
    case "recovered":
      return `writing works again; ${event.dropped} lines were lost`;
    case "not reopened":
      return `the file could not be opened again (${event.code}); the old one stays in use`;
  }
}
