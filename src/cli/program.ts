/**
 * The commands of `goodgate`, their options and their help. Parsing is commander's; what a command does is
 * in its own file. Nothing here ends the process: `runCli` resolves with the exit code.
 */
import { Command, CommanderError, Option } from "commander";
import { OUTAGE_KINDS } from "../contract/samples.ts";
import { nearest } from "../kernel/nearest.ts";
import { alertsCommand, silenceCommand } from "./alerts-command.ts";
import { cacheCommand } from "./cache-command.ts";
import { certificateCommand } from "./certificate-command.ts";
import { checkCommand } from "./check-command.ts";
import { configCommand, reloadCommand, upgradeCommand } from "./config-command.ts";
import { complain } from "./context.ts";
import { demoCommand } from "./demo-command.ts";
import { doctorCommand } from "./doctor-command.ts";
import { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";
import { explainCommand } from "./explain-command.ts";
import { forecastCommand } from "./forecast-command.ts";
import { incidentsCommand } from "./incidents-command.ts";
import { keysCommand } from "./keys-command.ts";
import { originsCommand } from "./origins-command.ts";
import { pageWidth, plain } from "./page.ts";
import type { CliPorts } from "./ports.ts";
import { probeCommand } from "./probe-command.ts";
import { replayCommand } from "./replay-command.ts";
import { proxyCommand, runCommand } from "./start-command.ts";
import { statusCommand } from "./status-command.ts";

/** `args`: what follows the program's name. */
export async function runCli(args: readonly string[], ports: CliPorts): Promise<number> {
  // `run` is the default command, so commander would take a misspelt command for an argument of it.
  const word = args[0];
  const program = createProgram(ports);
  const commands = [...program.commands.map((command) => command.name()), "help"];
  if (word !== undefined && !word.startsWith("-") && !commands.includes(word)) {
    return complain(ports, unknownCommand(word, commands), false);
  }
  let code: number = EXIT.ok;
  for (const command of program.commands) {
    command.action(async (...given: unknown[]) => {
      code = await perform(command, given, ports);
    });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.excessArguments") hintAtConfig(program, ports);
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  return code;
}

function perform(command: Command, given: readonly unknown[], ports: CliPorts): Promise<number> {
  const argument = typeof given[0] === "string" ? given[0] : undefined;
  switch (command.name()) {
    case "proxy":
      return proxyCommand(ports, command.opts());
    case "check":
      return checkCommand(ports, argument, command.opts());
    case "explain":
      return explainCommand(ports, argument, command.opts());
    case "status":
      return statusCommand(ports, command.opts());
    case "demo":
      return demoCommand(ports, argument, command.opts());
    case "incidents":
      return incidentsCommand(ports, argument, command.opts());
    case "forecast":
      return forecastCommand(ports, command.opts());
    case "alerts":
      return alertsCommand(ports, command.args, command.opts());
    case "silence":
      return silenceCommand(ports, command.args, command.opts());
    case "cache":
      return cacheCommand(ports, argument, command.opts());
    case "keys":
      return keysCommand(ports, command.args, command.opts());
    case "certificate":
      return certificateCommand(ports, command.args, command.opts());
    case "config":
      return configCommand(ports, command.args, command.opts());
    case "reload":
      return reloadCommand(ports, command.opts());
    case "upgrade":
      return upgradeCommand(ports, command.opts());
    case "origins":
      return originsCommand(ports, command.args, command.opts());
    case "probe":
      return probeCommand(ports, argument, command.opts());
    case "replay":
      return replayCommand(ports, argument, command.opts());
    case "doctor":
      return doctorCommand(ports, command.opts());
    default:
      return runCommand(ports, command.opts());
  }
}

/** A file behind `run` is the likeliest thing to be written without its option. */
function hintAtConfig(program: Command, ports: CliPorts): void {
  const run = program.commands.find((command) => command.name() === "run");
  const [word, ...more] = run?.args ?? [];
  if (word === undefined || more.length > 0 || run?.opts()["config"] !== undefined) return;
  ports.stderr(`  Did you mean  goodgate run -c ${plain(word)}\n`);
}

function unknownCommand(word: string, commands: readonly string[]): Parameters<typeof complain>[1] {
  const near = /\.(ya?ml|json)$/i.test(word) ? `run -c ${plain(word)}` : nearest(word, commands);
  const hints = near === null ? [] : [`Did you mean  goodgate ${near}`];
  return {
    code: "usage",
    exit: EXIT.usage,
    message: `there is no command ${plain(word)}.`,
    hints: [...hints, "All commands:  goodgate --help"],
  };
}

function createProgram(ports: CliPorts): Command {
  const program = new Command("goodgate");
  program
    .description("An HTTP gateway that keeps answering, and says why when it cannot.")
    .version(ports.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => ports.stdout(text),
      writeErr: (text) => ports.stderr(text),
      getOutHelpWidth: () => pageWidth(ports.terminal),
      getErrHelpWidth: () => pageWidth(ports.errorTerminal),
      outputError: (text, write) =>
        write(`${ports.errorTerminal.paint("red", text.replace(/^error: /, "goodgate: ").trimEnd())}\n`),
    })
    .configureHelp({ styleTitle: (text) => ports.terminal.paint("bold", text), showGlobalOptions: false });
  const json = (): Option => new Option("--json", "answer with JSON on stdout");
  const admin = (): Option =>
    new Option("--admin <url>", "where the gateway's admin API is (default: http://127.0.0.1:9090)");
  const headed = (name: string, summary: string, examples: readonly Example[]): Command =>
    program
      .command(name, name === "run" ? { isDefault: true } : {})
      .summary(summary)
      .description(`${summary[0]?.toUpperCase() ?? ""}${summary.slice(1)}.`)
      .allowExcessArguments(false)
      .addHelpText("after", examplesText(examples));

  headed("run", "start the gateway (also what goodgate does without a command)", [
    ["goodgate run -c goodgate.yaml", "with a configuration"],
    ["goodgate", "with ./goodgate.yaml, or in front of bundled sample origins when there is none"],
  ])
    .option("-c, --config <file>", "the configuration (default: ./goodgate.yaml if it exists)")
    .option("--bind <host:port>", "where the sample gateway listens (default: 127.0.0.1:8080)")
    .option("--admin <host:port>", "where its admin API listens (default: 127.0.0.1:9090)")
    .addOption(json());

  headed("proxy", "front one or more origins without a file", [
    ["goodgate proxy --to http://127.0.0.1:3000", "one origin"],
    ["goodgate proxy --to http://10.0.0.1:80 --to http://10.0.0.2:80 --bind 0.0.0.0:80", "two, on port 80"],
  ])
    .option("--to <url>", "an origin; repeat it for more", (url: string, earlier: string[] | undefined) => [
      ...(earlier ?? []),
      url,
    ])
    .option("--bind <host:port>", "where to listen (default: 0.0.0.0:8080, every IPv4 address)")
    .option("--admin <host:port>", "where the admin API listens (default: 127.0.0.1:9090)")
    .option("--tls", "speak TLS, with the certificate of  goodgate certificate dev")
    .addOption(json());

  headed("demo", "start a gateway in front of sample origins, or break one of them", [
    ["goodgate demo", "a gateway, two sample providers, a little traffic and the dashboard"],
    ["goodgate demo outage", "at that gateway: the first provider crashes for 30 s"],
    ["goodgate demo outage --kind slow --pool green --for 2m", "another way to fail, elsewhere, for longer"],
  ])
    .argument("[action]", "outage, or nothing to start")
    .option("--bind <host:port>", "where the sample gateway listens (default: 127.0.0.1:8080)")
    .option("--kind <kind>", `of the outage: ${OUTAGE_KINDS.join(", ")} (default: crash)`)
    .option("--pool <pool>", "which sample pool breaks (default: the first)")
    .option("--for <duration>", "how long (default: 30s)")
    .option("--admin <address>", "where its admin API listens, or where it is (default: 127.0.0.1:9090)")
    .addOption(json());

  headed("check", "check a configuration, or say which route a request takes", [
    ["goodgate check goodgate.yaml", "every error with its place"],
    ["goodgate check --explain GET https://shop.example.com/api/cart", "which route, and why not the others"],
  ])
    .argument("[file]", "the configuration (default: ./goodgate.yaml)")
    .option("--explain <method-and-urls...>", "METHOD URL… (GET when no method is given)")
    .option(
      "-H, --header <name: value>",
      "a field of the explained request; repeat it for more",
      (field: string, earlier: string[] | undefined) => [...(earlier ?? []), field],
    )
    .addOption(json());

  headed("explain", "tell the story of one exchange, or what a cause means", [
    ["goodgate explain 4f1c0a9be27d4c55a1f0c3d2e4b59687", "by its id (X-Request-Id, error page, access log)"],
    ["goodgate explain --last", "the latest exchange that failed or was rescued"],
    ["goodgate explain origin.refused", "a cause; needs no gateway"],
    ["goodgate explain --code UC", "what a code of Envoy, HAProxy, nginx, Cloudflare, AWS … can be here"],
  ])
    .argument("[id]", "the id of an exchange, or a cause")
    .option("--last", "the latest exchange that failed or was rescued")
    .option("--cause <cause>", "a row of the table of causes or of conclusions")
    .option("--code <code>", "a code, a status or a line of a log of another gateway")
    .addOption(admin())
    .addOption(json());

  headed("status", "show the gateway, its services and its origins", [
    ["goodgate status", ""],
    ["goodgate status --watch", "again every two seconds, until Ctrl-C"],
  ])
    .option("-w, --watch", "again every two seconds, until Ctrl-C")
    .addOption(admin())
    .addOption(json());

  headed("incidents", "what is broken, for whom and why, and what was done", [
    ["goodgate incidents", "all that are remembered, newest first; --open for those that go on"],
    ["goodgate incidents inc-1795297646-1", "one: causes with their evidence, what happened, the next step"],
    ["goodgate incidents inc-1795297646-1 --acknowledge", "you have seen it: nobody is told again"],
    ['goodgate incidents inc-1795297646-1 --note "restarted a1"', "onto its timeline"],
  ])
    .argument("[id]", "the id of an incident")
    .option("--open", "only those that go on")
    .option("-w, --watch", "again every two seconds, until Ctrl-C")
    .option("--acknowledge", "say that somebody has seen it")
    .option("--take-over", "say that you work on it")
    .option("--note <text>", "write onto its timeline")
    .option("--merge <id>", "it is part of that one")
    .option("--close <why>", "close it by hand")
    .option("--by <name>", "who you are (default: $USER)")
    .addOption(admin())
    .addOption(json());

  headed("forecast", "what is going to happen unless somebody acts", [
    ["goodgate forecast", "the soonest first, with evidence and what to do"],
  ])
    .addOption(admin())
    .addOption(json());

  headed("alerts", "who was told of what, how the sinks are, and a test of them", [
    ["goodgate alerts", "sinks, silences, and what was told"],
    ["goodgate alerts test pager", "a marked message to one sink; without a name to all"],
  ])
    .argument("[test]", "send a marked message")
    .argument("[sink]", "to this sink (default: all)")
    .option("--by <name>", "who you are (default: $USER)")
    .addOption(admin())
    .addOption(json());

  headed("silence", "keep alerts about something back for a while, with a reason", [
    ['goodgate silence --where service=shop --for 2h --reason "moving house"', "what is over is told all the same"],
    ["goodgate silence end sil-1795297646-1", "before its time"],
  ])
    .argument("[end]", "end one")
    .argument("[id]", "the silence")
    .option(
      "--where <name=value>",
      "service, severity, party, cause, or a place of incidents; repeat it: all must match",
      (pair: string, earlier: string[] | undefined) => [...(earlier ?? []), pair],
    )
    .option("--for <duration>", "how long, 1m to 30d (default: 1h)")
    .option("--reason <text>", "why; others read it")
    .option("--by <name>", "who you are (default: $USER)")
    .addOption(admin())
    .addOption(json());

  headed("cache", "show what the cache holds, or purge it", [
    ["goodgate cache", "what it holds, and how often it answered"],
    ["goodgate cache purge --url http://shop.example.com/things/42", "one URL, all variants"],
    ["goodgate cache purge --prefix /things/", "every URL that begins so, under every host"],
    ["goodgate cache purge --tag product-42", "every response with that word in Cache-Tag or Surrogate-Key"],
  ])
    .argument("[action]", "purge, or nothing to look")
    .option("--url <url>", "a URL, or a path for every host")
    .option("--prefix <prefix>", "what URLs begin with")
    .option("--tag <tag>", "a word in Cache-Tag or Surrogate-Key")
    .addOption(admin())
    .addOption(json());

  headed("keys", "look at Idempotency-Keys, and settle what is uncertain", [
    ["goodgate keys --uncertain", "requests that were sent and of which nobody knows what became"],
    ["goodgate keys 8e03978e-40d5", "one key, as its client writes it"],
    ["goodgate keys resolve 8e03978e-40d5 --executed", "you looked: it was carried out, and is not to be again"],
    ["goodgate keys resolve 8e03978e-40d5 --not-executed", "it was not: the key may be used anew"],
  ])
    .argument("[key]", "a key, or resolve")
    .argument("[key-to-resolve]", "the key, or its id, that is to be resolved")
    .option("--uncertain", "only what is uncertain")
    .option("--executed", "the request was carried out")
    .option("--not-executed", "the request was not carried out")
    .addOption(admin())
    .addOption(json());

  const change = (command: Command): Command =>
    command
      .option("--reason <text>", "why; others read it")
      .option("--by <name>", "who does it (default: $USER)")
      .option("--dry-run", "check everything and change nothing")
      .option("--allow-removal", "it is meant that most services, or most origins of one, would be gone")
      .addOption(admin())
      .addOption(json());

  change(
    headed("config", "give a running gateway another configuration, or show the one in effect", [
      ['goodgate config apply goodgate.yaml --reason "a third origin"', "nothing that is under way is dropped"],
      ["goodgate config apply goodgate.yaml --dry-run", "what it would change"],
      ["goodgate config show", "every setting as it is now; secrets are hidden"],
    ])
      .argument("<apply|show>", "what to do")
      .argument("[file]", "the configuration (default: ./goodgate.yaml)"),
  );

  change(
    headed("reload", "have a running gateway read its file again", [
      ["goodgate reload", "the file that goodgate run was given, with the files that it names"],
    ]),
  );

  headed("upgrade", "have another process take the place of a running gateway", [
    ["goodgate upgrade", "with the program and the file that are there now; says when it serves, or why not"],
  ])
    .addOption(admin())
    .addOption(json());

  headed("origins", "take an origin out by hand, with a reason and an end, and give it back", [
    ['goodgate origins drain http://10.0.0.7:3000 --for 30m --reason "new kernel"', "no new requests for half an hour"],
    ['goodgate origins restore http://10.0.0.7:3000 --reason "done early"', "its share grows back"],
  ])
    .argument("<drain|restore>", "what to do")
    .argument("<url>", "the origin, as configured")
    .option("--reason <text>", "why; others read it")
    .option("--for <duration>", "how long it stays out, 1s to 7d (default: 1h)")
    .option("--by <name>", "who does it (default: $USER)")
    .option("--service <name>", "whose origin, where several services have it")
    .addOption(admin())
    .addOption(json());

  headed("probe", "climb the probe ladder at an origin: name, connection, request, health path", [
    ["goodgate probe http://10.0.0.7:3000", "which rung holds, which breaks, and what that says"],
  ])
    .argument("<url>", "the origin, as configured")
    .option("--service <name>", "whose origin, where several services have it")
    .option("--by <name>", "who asks (default: $USER)")
    .addOption(admin())
    .addOption(json());

  headed("certificate", "make one for this machine; see and renew those that a gateway obtains by itself", [
    ["goodgate certificate dev", "for localhost, 127.0.0.1 and ::1"],
    ["goodgate certificate dev shop.localhost --dir ./certificates", "for another name too, kept elsewhere"],
    ["goodgate certificate list", "obtained from whom, until when, what is next and what failed"],
    ["goodgate certificate renew shop.example.com", "another one now"],
  ])
    .argument("<what>", "dev: for development, trusted by whoever is told to; list; renew")
    .argument("[hosts...]", "names and addresses besides this machine's own; the name to renew")
    .option("--dir <folder>", "where they are kept (default: goodgate/dev under $XDG_DATA_HOME or ~/.local/share)")
    .addOption(admin())
    .addOption(json());

  headed("replay", "tell the incidents that recorded facts make", [
    ["goodgate replay facts.jsonl", "one fact to a line; the same facts give the same incidents"],
    ["goodgate replay facts.jsonl.gz --json", "packed, and for programs"],
    ["goodgate replay STATE/control.sqlite", "what a gateway's control process wrote down, also while it runs"],
  ])
    .argument("<facts>", "a file of facts, plain or .gz, or control.sqlite of a state directory")
    .addOption(json());

  headed("doctor", "check this machine: limits, ports, resolvers, origins, clock", [
    ["goodgate doctor", "with ./goodgate.yaml if it exists"],
    ["goodgate doctor -c /etc/goodgate.yaml --json", ""],
  ])
    .option("-c, --config <file>", "the configuration to judge by (default: ./goodgate.yaml if it exists)")
    .addOption(admin())
    .addOption(json());

  program.addHelpText("after", closing(ports));
  return program;
}

type Example = readonly [command: string, says: string];

function examplesText(examples: readonly Example[]): string {
  const lines = examples.flatMap(([command, says]) =>
    says === "" ? [`  ${command}`] : [`  ${command}`, `      ${says}`],
  );
  return `\n${examples.length === 1 ? "Example" : "Examples"}:\n${lines.join("\n")}\n`;
}

function closing(ports: CliPorts): string {
  const { paint } = ports.terminal;
  const codes = EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(3)} ${meaning}`);
  return [
    "",
    paint("bold", "Start here:"),
    "  goodgate                                    a gateway in front of sample origins",
    "  goodgate proxy --to http://127.0.0.1:3000   a gateway in front of yours",
    "",
    paint("bold", "Environment:"),
    "  GOODGATE_ADMIN  where the admin API is, for all that ask a running gateway",
    "  GOODGATE_TOKEN  its token, when it asks for one",
    "  NO_COLOR, FORCE_COLOR  switch colour off or on",
    "",
    paint("bold", "Exit codes:"),
    ...codes,
    "",
  ].join("\n");
}
