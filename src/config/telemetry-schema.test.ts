import { expect, it } from "vitest";
import { loadSettings } from "./load.ts";

function loaded(telemetry: string, rest = ""): ReturnType<typeof loadSettings> {
  return loadSettings(
    `services: { app: { pools: [{ origins: ["http://127.0.0.1:1"] }] } }\ntelemetry: ${telemetry}\n${rest}`,
    "file.yaml",
  );
}

function problems(telemetry: string, rest = ""): Extract<ReturnType<typeof loadSettings>, { ok: false }>["problems"] {
  const result = loaded(telemetry, rest);
  return result.ok ? [] : result.problems;
}

it("tells nobody anything unless a collector is named, and then with defaults that fit most", () => {
  const none = loaded("{}");
  expect(none.ok && none.settings.otlp).toBe(null);
  const some = loaded('{ otlp: { url: "http://127.0.0.1:4318/" } }');
  expect(some.ok && some.settings.otlp).toEqual({
    url: "http://127.0.0.1:4318",
    headers: {},
    traces: true,
    tracesPerSecondMax: 1000,
    metrics: true,
    intervalMs: 15_000,
    queries: false,
  });
});

it.each([
  ["{ otlp: {} }", "telemetry.otlp"],
  ['{ otlp: { url: "collector:4318" } }', "telemetry.otlp.url"],
  ['{ otlp: { url: "http://c:4318/v1/traces" } }', "telemetry.otlp.url"],
  ['{ otlp: { url: "http://me:secret@c:4318" } }', "telemetry.otlp.url"],
  ['{ otlp: { url: "http://c:4318", headers: { "a b": "x" } } }', "telemetry.otlp.headers"],
  ['{ otlp: { url: "http://c:4318", headers: { token: "a\\nb: c" } } }', "telemetry.otlp.headers.token"],
  ['{ otlp: { url: "http://c:4318", every: 1ms } }', "telemetry.otlp.every"],
  ['{ otlp: { url: "http://c:4318", tracesPerSecond: 0 } }', "telemetry.otlp.tracesPerSecond"],
])("refuses %s at its place, and says what would be right", (text, path) => {
  const [problem] = problems(text);
  expect(problem?.path.startsWith(path), JSON.stringify(problem)).toBe(true);
  expect(`${problem?.message} ${problem?.hint}`).toMatch(/Write|Put|missing|1s|1 to 100000/);
});

it("never repeats what may be a secret", () => {
  const text = JSON.stringify([
    ...problems('{ otlp: { url: "http://me:hunter2@c:4318" } }'),
    ...problems('{ otlp: { url: "http://c:4318", headers: { token: "hunter2\\u0001" } } }'),
  ]);
  expect(text).not.toContain("hunter2");
});

it("needs the control process, which is who tells it", () => {
  const [problem] = problems('{ otlp: { url: "http://c:4318" } }', "control: false");
  expect(problem).toMatchObject({ path: "telemetry.otlp" });
  expect(problem?.hint).toContain("control");
});
