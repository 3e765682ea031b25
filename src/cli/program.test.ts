import { describe, expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";

const COMMANDS = ["run", "proxy", "check", "explain", "status", "doctor"];

async function help(...args: string[]): Promise<string> {
  const world = cliWorld();
  expect(await world.run(...args, "--help")).toBe(EXIT.ok);
  expect(world.err()).toBe("");
  return world.out();
}

describe("help", () => {
  test("names every command, the environment and every exit code", async () => {
    const text = await help();
    for (const command of COMMANDS) expect(text).toMatch(new RegExp(`^ +${command} .*[a-z]`, "m"));
    for (const name of ["GOODGATE_ADMIN", "GOODGATE_TOKEN", "NO_COLOR", "FORCE_COLOR"]) expect(text).toContain(name);
    for (const [code, meaning] of EXIT_MEANINGS) expect(text).toMatch(new RegExp(`^ +${code} +${meaning}$`, "m"));
  });

  test.each(COMMANDS)("of %s has an example that begins with goodgate, and offers --json", async (command) => {
    const text = await help(command);
    expect(text).toMatch(/^Examples?:\n {2}goodgate/m);
    expect(text).toContain("--json");
    expect(text).toMatch(new RegExp(`^Usage: goodgate ${command} `));
  });

  test("fits the window", async () => {
    for (const command of [[], ...COMMANDS.map((name) => [name])]) {
      for (const line of (await help(...command)).split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    }
  });

  test("is also a command", async () => {
    const world = cliWorld();
    expect(await world.run("help", "status")).toBe(EXIT.ok);
    expect(world.out()).toBe(await help("status"));
  });
});

test.each(["--version", "-V"])("%s prints the version alone", async (option) => {
  const world = cliWorld();
  expect(await world.run(option)).toBe(EXIT.ok);
  expect(world.out()).toBe("0.1.0\n");
});

describe("a command line that is not understood", () => {
  test.each([
    [["statsu"], "there is no command statsu", "Did you mean  goodgate status"],
    [["xyzzy"], "there is no command xyzzy", "All commands:  goodgate --help"],
    [["status", "--wathc"], "unknown option '--wathc'", "--watch"],
    [["proxy", "--tp", "http://a"], "unknown option '--tp'", "--to"],
    [["status", "now"], "too many arguments", ""],
    [["run", "goodgate.yaml"], "too many arguments", "\n  Did you mean  goodgate run -c goodgate.yaml\n"],
    [["run", "--json", "goodgate.yaml"], "too many arguments", "\n  Did you mean  goodgate run -c goodgate.yaml\n"],
    [["goodgate.yaml"], "there is no command goodgate.yaml", "Did you mean  goodgate run -c goodgate.yaml"],
    [["check", "-H"], "argument missing", ""],
  ])("%j is exit code 2 and offers the nearest", async (args, message, hint) => {
    const world = cliWorld();
    expect(await world.run(...args)).toBe(EXIT.usage);
    expect(world.err()).toContain(message);
    expect(world.err()).toContain(hint);
    expect(world.err()).toMatch(/^goodgate: /);
    expect(world.out()).toBe("");
  });
});

test.each([[["run", "-c", "one.yaml", "two.yaml"]], [["run", "one.yaml", "two.yaml"]], [["status", "one.yaml"]]])(
  "%j does not suggest -c",
  async (args) => {
    const world = cliWorld();
    expect(await world.run(...args)).toBe(EXIT.usage);
    expect(world.err()).not.toContain("Did you mean");
  },
);

test("colour is painted only by the terminal's own paint", async () => {
  const painted = cliWorld({ terminal: { paint: (style, text) => `<${style}>${text}</>` } });
  await painted.run("explain", "origin.refused");
  expect(painted.out()).toContain("<bold>origin.refused: ");
});
