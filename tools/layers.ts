/**
 * Which folder of src/, and web/, may import which: the architecture as a table, and a check of it. `npm run check` runs
 * it. A change of the table is a change of the architecture and deserves a page in docs/decisions/.
 *
 * Besides the direction it refuses what makes the direction hard to see or hard to keep: files that only pass
 * on other files' names, imports without `.ts`, circles of files at run time, packages in folders that should
 * not need any, and the operating system anywhere but in the three places that may touch it.
 */
import path from "node:path";
import { importsOf, sourceFiles } from "./imports.ts";
import type { Import, SourceFile } from "./imports.ts";

interface Layer {
  readonly imports: readonly string[];
  /** Packages from npm. */
  readonly packages: readonly string[];
  /** May import any module of Node. */
  readonly touchesSystem?: true;
}

const EVERYTHING = [
  "kernel",
  "http1",
  "http2",
  "policies",
  "config",
  "contract",
  "gateway",
  "net",
  "control",
  "store",
  "admin",
  "cli",
  "compose",
] as const;

const LAYERS: Readonly<Record<string, Layer>> = {
  kernel: { imports: [], packages: [] },
  http1: { imports: ["kernel"], packages: [] },
  http2: { imports: ["kernel", "http1"], packages: [] },
  policies: { imports: ["kernel"], packages: [] },
  config: { imports: ["kernel", "policies"], packages: ["ipaddr.js", "yaml", "zod"] },
  contract: { imports: ["kernel", "config"], packages: ["zod"] },
  gateway: {
    imports: ["kernel", "http1", "http2", "policies", "config", "contract"],
    packages: ["http-cache-semantics", "ipaddr.js"],
  },
  net: {
    imports: ["kernel", "http1", "http2", "contract"],
    packages: [
      "@peculiar/x509",
      "@opentelemetry/api",
      "@opentelemetry/exporter-metrics-otlp-http",
      "@opentelemetry/exporter-trace-otlp-http",
      "@opentelemetry/resources",
      "@opentelemetry/sdk-metrics",
      "@opentelemetry/sdk-trace",
      "ipaddr.js",
      "nodemailer",
      "standardwebhooks",
    ],
    touchesSystem: true,
  },
  control: { imports: ["kernel", "policies", "config", "contract"], packages: [] },
  store: { imports: ["kernel", "contract"], packages: ["pg"], touchesSystem: true },
  admin: { imports: ["kernel", "config", "contract", "control", "store"], packages: ["zod"] },
  cli: { imports: ["kernel", "config", "contract"], packages: ["commander"] },
  // What the roots have in common: the parts of the composition.
  compose: { imports: EVERYTHING, packages: [], touchesSystem: true },
  // The root of the control process: small, because it is started with each gateway.
  "controller.ts": {
    imports: ["kernel", "policies", "config", "contract", "control", "net", "store"],
    packages: [],
    touchesSystem: true,
  },
  // The root of a worker: it serves, and neither thinks nor shows.
  "worker.ts": {
    imports: ["kernel", "http1", "http2", "policies", "config", "contract", "gateway", "net", "store", "compose"],
    packages: [],
    touchesSystem: true,
  },
  web: { imports: ["kernel", "contract"], packages: ["preact", "@preact/signals"] },
  "main.ts": { imports: EVERYTHING, packages: ["commander"], touchesSystem: true },
};

/** What any folder may take from Node because it computes and does not look outside: all of a module, or names of it. */
const PURE_MODULES: Readonly<Record<string, "all" | readonly string[]>> = {
  "node:buffer": "all", // Bytes.
  "node:util": ["inspect", "isDeepStrictEqual", "stripVTControlCharacters", "styleText"], // Text from values.
  "node:crypto": ["createHash", "createHmac", "createPrivateKey", "timingSafeEqual", "KeyObject", "X509Certificate"], // Functions of their input; chance is handed in.
  "node:net": ["isIP", "isIPv4", "isIPv6"], // Tests of a string; the rest of it is sockets.
  "node:path": ["basename", "dirname", "extname", "isAbsolute", "join", "normalize"], // Not resolve: it reads the working directory.
};

/** One sentence for each breach, with place; empty when all is well. */
export function breachesIn(files: readonly SourceFile[]): string[] {
  const breaches: string[] = [];
  const graph = new Map<string, string[]>();
  for (const file of files) {
    if (path.posix.basename(file.path) === "index.ts") {
      breaches.push(`${file.path}: no barrels: name the file for its idea and import it by that name`);
    }
    if (file.path.endsWith(".test.ts")) continue;
    const { layer, breach } = layerOf(file.path);
    if (layer === null) {
      breaches.push(`${file.path}: ${breach}`);
      continue;
    }
    const imports = importsOf(file.text);
    for (const one of imports) {
      const wrong = one.specifier.startsWith(".") ? ownFileBreach(file, one) : foreignBreach(file, layer, one);
      if (wrong !== null) breaches.push(`${file.path}:${one.line} imports ${one.specifier}: ${wrong}`);
    }
    const atRunTime = imports.filter((one) => !one.isType && one.specifier.startsWith("."));
    graph.set(
      file.path,
      atRunTime.map((one) => targetOf(file, one)),
    );
  }
  return [...breaches, ...circlesIn(graph)];
}

function folderOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "web" ? first : second;
}

function layerOf(file: string): { layer: Layer | null; breach: string } {
  const folder = folderOf(file);
  const layer = Object.hasOwn(LAYERS, folder) ? LAYERS[folder] : undefined;
  const known = Object.keys(LAYERS).join(", ");
  return { layer: layer ?? null, breach: `${folder} is not in the table of tools/layers.ts; src/ has ${known}` };
}

function targetOf(file: SourceFile, one: Import): string {
  return path.posix.join(path.posix.dirname(file.path), one.specifier);
}

function ownFileBreach(file: SourceFile, one: Import): string | null {
  if (one.isReexport) return "no barrels: let its readers import it from the file that defines it";
  const isBrowser = folderOf(file.path) === "web";
  if (isBrowser && /\.(?:css|svg)$/.test(one.specifier)) return null;
  if (!/\.tsx?$/.test(one.specifier)) return "write the whole file name with .ts";
  if (one.specifier.endsWith(".test.ts")) return "tests are imported by nothing";
  const target = targetOf(file, one);
  if (!target.startsWith("src/") && !(isBrowser && target.startsWith("web/")))
    return "the program imports nothing outside src/; only src/ is published";
  const [from, to] = [folderOf(file.path), folderOf(target)];
  const allowed = LAYERS[from]?.imports ?? [];
  if (from === to || allowed.includes(to)) return null;
  return `${from} may import ${allowed.length === 0 ? "nothing" : allowed.join(", ")}; not ${to}`;
}

function foreignBreach(file: SourceFile, layer: Layer, one: Import): string | null {
  if (one.specifier.startsWith("node:")) {
    if (layer.touchesSystem === true || one.isType || isPure(one)) return null;
    return "only net, store, compose and the roots touch the operating system; take what you need as an argument";
  }
  const name = packageOf(one.specifier);
  if (layer.packages.includes(name)) return null;
  const allowed = layer.packages.length === 0 ? "no packages" : `only ${layer.packages.join(", ")}`;
  return `${folderOf(file.path)} uses ${allowed}; modules of Node are written node:…`;
}

function isPure(one: Import): boolean {
  const pure = PURE_MODULES[one.specifier];
  if (pure === undefined) return false;
  return pure === "all" || (one.names?.every((name) => pure.includes(name)) ?? false);
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Files that need each other when they are loaded see each other half-made. Each circle is told once. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const way: string[] = [];
  function visit(file: string): void {
    const start = way.indexOf(file);
    if (start >= 0) {
      circles.push(`${[...way.slice(start), file].join(" → ")}: a circle; move what both need into a file of its own`);
      return;
    }
    if (done.has(file)) return;
    done.add(file);
    way.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    way.pop();
  }
  for (const file of graph.keys()) visit(file);
  return circles;
}

if (import.meta.main) {
  const root = path.join(import.meta.dirname, "..");
  const breaches = breachesIn([...sourceFiles(root, "src"), ...sourceFiles(root, "web")]);
  for (const breach of breaches) console.error(breach);
  if (breaches.length > 0) process.exitCode = 1;
}
