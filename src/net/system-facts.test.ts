import fs from "node:fs";
import { afterEach, expect, test } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { descriptorsMax, descriptorsOpen, descriptorShortage } from "./descriptors.ts";
import { localPorts, readMachineFacts } from "./machine-facts.ts";
import { createSystemFacts } from "./system-facts.ts";

const opened: number[] = [];
afterEach(() => {
  for (const descriptor of opened.splice(0)) fs.closeSync(descriptor);
});

test("every figure about the process is there and plausible", () => {
  const time = manualSchedule();
  const facts = createSystemFacts(time.clock, time.schedule);
  const view = facts.process();
  expect(view.cpuSeconds).toBeGreaterThan(0);
  expect(view.residentBytes).toBeGreaterThan(view.heapBytes / 10);
  expect(view.heapBytes).toBeGreaterThan(1024 * 1024);
  expect(view.uptimeSeconds).toBeGreaterThan(0);
  expect(view.loopUtilisation).toBeGreaterThanOrEqual(0);
  expect(view.loopUtilisation).toBeLessThanOrEqual(1);
  expect(view.loopDelayMaxMs).toBe(0);
  facts.close();
  expect(time.waiting()).toBe(0);
});

test.runIf(process.platform === "linux")("open descriptors are counted as they are opened", () => {
  const before = descriptorsOpen();
  for (let count = 0; count < 10; count += 1) opened.push(fs.openSync("/dev/null", "r"));
  expect(descriptorsOpen() - before).toBe(10);
  expect(descriptorsMax()).toBeGreaterThan(descriptorsOpen());
  expect(descriptorShortage()).toBe(null);
});

test.runIf(process.platform === "linux")("the machine's limits are read", async () => {
  const facts = await readMachineFacts();
  expect(facts.memoryBytes).toBeGreaterThan(64 * 1024 * 1024);
  expect(facts.descriptorsMax).toBe(descriptorsMax());
  if (facts.ephemeralPorts !== null) {
    expect(facts.ephemeralPorts.low).toBeLessThan(facts.ephemeralPorts.high);
    expect(facts.ephemeralPortsInUse).toBeGreaterThanOrEqual(0);
  }
});

test("local ports are read from the system's table of connections, heading left out", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1",
    "  11: 0100007F:9C40 0100007F:1F90 06 00000000:00000000 03:000004D2 00000000     0        0 0 3",
    "   0: 00000000000000000000000001000000:C350 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0 0 0 0 1",
  ].join("\n");
  expect(localPorts(table)).toEqual([8080, 40_000, 50_000]);
});
