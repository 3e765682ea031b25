import { describe, expect, test } from "vitest";
import { settingsForOrigins } from "./defaults.ts";
import { loadSettings } from "./load.ts";

describe("a gateway without a file", () => {
  test("is what a file with nothing but origins gives, with the names of its service and pool", () => {
    const file = `services: { default: { pools: [{ name: default, origins: ["http://127.0.0.1:3000", "http://[::1]:3001/app"] }] } }`;
    expect(settingsForOrigins(["http://127.0.0.1:3000", "http://[::1]:3001/app"])).toEqual(loadSettings(file, "file"));
  });

  test("listens where it is told to", () => {
    const made = settingsForOrigins(["http://127.0.0.1:3000"], { bind: "127.0.0.1:0", admin: "localhost:9091" });
    expect(made).toMatchObject({
      ok: true,
      settings: {
        listeners: [{ name: "127.0.0.1:0", bind: { host: "127.0.0.1", port: 0 } }],
        admin: { bind: { host: "127.0.0.1", port: 9091 }, token: null },
      },
    });
  });

  test("tells every problem in terms of the command line", () => {
    const made = settingsForOrigins(["localhost:3000", "http://127.0.0.1:80", "http://127.0.0.1:80"], {
      bind: "0.0.0.0:80",
      admin: "0.0.0.0:9090",
    });
    const nowhere = { file: "command line", line: 0, column: 0 };
    expect(made.ok ? [] : made.problems).toEqual([
      { ...nowhere, path: "--to", message: '"localhost:3000" has no scheme.', hint: "Write http://localhost:3000." },
      {
        ...nowhere,
        path: "--admin",
        message: "The admin listener on 0.0.0.0:9090 can be reached from other machines and has no token.",
        hint: "Write a configuration file with admin.token, or bind it to 127.0.0.1.",
      },
      {
        ...nowhere,
        path: "--to",
        message: "The origin http://127.0.0.1 is this gateway's own --bind: requests would go round in circles.",
        hint: "Name the address that the application listens on.",
      },
      {
        ...nowhere,
        path: "--to",
        message: "The origin http://127.0.0.1 is in this service twice.",
        hint: "Give it once.",
      },
    ]);
  });

  test("needs an origin", () => {
    expect(settingsForOrigins([])).toEqual({
      ok: false,
      problems: [
        {
          file: "command line",
          line: 0,
          column: 0,
          path: "--to",
          message: "No origin is given.",
          hint: "Give at least one: --to http://127.0.0.1:3000.",
        },
      ],
    });
  });
});
