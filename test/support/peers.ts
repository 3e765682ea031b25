/**
 * Real origins as processes: nginx, Python's file server and a Node application. What is not installed is
 * said in a line that names the Debian package, and the tests that need it are skipped.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild, type Child } from "./child.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

export interface Peer {
  readonly port: number;
  readonly url: string;
  readonly child: Child;
  /** Files below this folder are served (nginx, Python). */
  readonly root: string;
  stop(): Promise<void>;
}

const PACKAGES = {
  nginx: "nginx",
  haproxy: "haproxy",
  caddy: "caddy",
  python3: "python3",
  curl: "curl",
  chromium: "chromium",
  pebble: "pebble",
  nghttp: "nghttp2-client",
} as const;
const NODE_APP = fileURLToPath(new URL("node-app.ts", import.meta.url));

/** True when `command` can be run; otherwise prints once why the tests that need it are skipped. */
export function installed(command: keyof typeof PACKAGES): boolean {
  try {
    execFileSync("/bin/sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    process.stderr.write(`skipped: ${command} is not installed (apt-get install ${PACKAGES[command]})\n`);
    return false;
  }
}

/** `fixed` keeps the port of a peer that is started again. */
export async function startNodeApp(name = "app", options: { port?: number; host?: string } = {}): Promise<Peer> {
  const host = options.host ?? "127.0.0.1";
  const port = options.port ?? (await freePort(host));
  const child = await startChild(process.execPath, [NODE_APP, String(port), name, host]);
  await child.printed(/listening on \d+/);
  return peer(child, port, "", host);
}

/** nginx with one worker, serving the files below `root`; `server` adds directives to its server block. */
export async function startNginx(server = ""): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-nginx-"));
  const root = join(folder, "www");
  // nginx gives up root for its workers, and they must be able to read here.
  await chmod(folder, 0o755);
  await mkdir(root);
  const port = await freePort();
  const config = join(folder, "nginx.conf");
  await writeFile(
    config,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr;
     events { worker_connections 1024; }
     http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
       uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
       server { listen 127.0.0.1:${port}; root ${root}; ${server} } }`,
  );
  const child = await startChild("nginx", ["-p", folder, "-c", config]);
  await answers(child, port);
  return peer(child, port, root, "127.0.0.1", folder);
}

/** HAProxy in front of one server. `binds`: more lines of its frontend. */
export async function startHaproxy(server: string, binds = ""): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-haproxy-"));
  const port = await freePort();
  const config = join(folder, "haproxy.cfg");
  await writeFile(
    config,
    `defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend in
  bind 127.0.0.1:${port}
  ${binds}
  default_backend out
backend out
  server only ${server}
`,
  );
  const child = await startChild("haproxy", ["-db", "-q", "-f", config]);
  await answers(child, port);
  return peer(child, port, "", "127.0.0.1", folder);
}

/** Caddy, which speaks HTTP/2 in the clear as well; serves the files below `root`. */
export async function startCaddy(): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-caddy-"));
  const port = await freePort();
  const config = join(folder, "Caddyfile");
  await writeFile(
    config,
    `{
  admin off
  auto_https off
  servers {
    protocols h1 h2 h2c
  }
}
http://:${port} {
  bind 127.0.0.1
  root * ${folder}
  file_server
}
`,
  );
  const child = await startChild("caddy", ["run", "--adapter", "caddyfile", "--config", config], {
    env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  await answers(child, port);
  return peer(child, port, folder, "127.0.0.1", folder);
}

/** `python3 -m http.server`: HTTP/1.0, closes after every response. */
export async function startPythonServer(): Promise<Peer> {
  const root = mkdtempSync(join(tmpdir(), "goodgate-python-"));
  const port = await freePort();
  const child = await startChild("python3", ["-u", "-m", "http.server", String(port), "--bind", "127.0.0.1"], {
    cwd: root,
  });
  await answers(child, port);
  return peer(child, port, root, "127.0.0.1", root);
}

function peer(child: Child, port: number, root: string, host: string, folder?: string): Peer {
  return {
    port,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    child,
    root,
    async stop(): Promise<void> {
      await child.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when something answers on `port`; otherwise ends the child before it rejects. */
async function answers(child: Child, port: number): Promise<void> {
  const answered = until(`a server on port ${port}`, async () => {
    if (!child.running) throw new Error(`it ended while starting:\n${child.stderr()}`);
    try {
      await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
      return true;
    } catch {
      return null;
    }
  });
  await answered.catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
}
