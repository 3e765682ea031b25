import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { onStopSignal } from "./stop-signals.ts";

function listening(): {
  send: (signal: string, at: number) => void;
  heard: string[];
  release: () => void;
  listeners: () => number;
} {
  const source = new EventEmitter();
  let now = 0;
  const heard: string[] = [];
  const clock = { monotonic: () => now, wall: () => 0 };
  const release = onStopSignal(source, clock, (signal, again) => heard.push(`${signal}${again ? " again" : ""}`));
  return {
    send: (signal, at) => {
      now = at;
      source.emit(signal, signal);
    },
    heard,
    release,
    listeners: () => source.eventNames().length,
  };
}

describe("signals to stop", () => {
  test("the first asks for a graceful end and a later one for an end at once", () => {
    const { send, heard } = listening();
    send("SIGTERM", 1000);
    send("SIGTERM", 2000);
    expect(heard).toEqual(["SIGTERM", "SIGTERM again"]);
  });

  test("signals within half a second of the first are one, whatever their names", () => {
    const { send, heard } = listening();
    send("SIGINT", 0);
    send("SIGINT", 3);
    send("SIGHUP", 499);
    expect(heard).toEqual(["SIGINT"]);
    send("SIGINT", 500);
    expect(heard).toEqual(["SIGINT", "SIGINT again"]);
  });

  test("after the release nothing is listened to", () => {
    const { listeners, release } = listening();
    expect(listeners()).toBe(3);
    release();
    expect(listeners()).toBe(0);
  });
});
