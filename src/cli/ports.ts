/**
 * All that the commands know of the world. `main.ts` fills this in; a test hands in a small imitation and
 * reads what was printed. So no command touches a file, a socket or the process itself.
 */
import type { OriginTls } from "../kernel/socket.ts";
import type { Bind, DnsSettings, Settings } from "../config/settings.ts";
import type { Endpoint, ProbeRequest, Way } from "../contract/rungs.ts";
import type { SampleDesk } from "../contract/samples.ts";
import type { Revision } from "../contract/revision.ts";
import type { ConfigurationLeft } from "../contract/succession.ts";
import type { Incident } from "../contract/incident.ts";
import type { GatewayEvent } from "../contract/view.ts";
import type { Resolution } from "../kernel/resolver.ts";

export interface CliPorts {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of stdout. */
  readonly terminal: Terminal;
  /** Of stderr, which may be a file while stdout is a terminal. */
  readonly errorTerminal: Terminal;
  stdout(text: string): void;
  stderr(text: string): void;
  readFile(path: string): Promise<FileText>;
  /** Runs the recorded facts of a file past an engine of its own. Never rejects. */
  replayFacts(path: string): Promise<ReplayResult>;
  /** One request, GET unless said otherwise. Never rejects. */
  fetchJson(url: string, token: string | null, withinMs: number, method?: "POST", body?: unknown): Promise<Fetched>;
  /** It takes the place of another process. */
  readonly isSuccessor: boolean;
  /** What a process that this one follows was given to put into effect. Null: nothing. Asked once. */
  configurationLeft(): ConfigurationLeft | null;
  /** Starts everything and resolves when it serves, or says why it cannot. */
  startGateway(settings: Settings, options: StartOptions): Promise<StartResult>;
  startSamples(): Promise<SamplePools>;
  /** In this folder, for these names and this machine. */
  makeDevCertificate(directory: string, hosts: readonly string[]): Promise<DevCertificateResult>;
  /** Epoch ms. */
  wall(): number;
  /** False when the person asked to stop meanwhile. */
  pause(ms: number): Promise<boolean>;
  readonly machine: MachinePorts;
}

export interface Terminal {
  /** False for a file or a pipe. */
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Returns the text unchanged where colour is not wanted. */
  paint(style: PaintStyle, text: string): string;
}

export type PaintStyle = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export type FileText =
  | { readonly ok: true; readonly text: string }
  /** `code` is the system's word: ENOENT, EACCES, EISDIR. */
  | { readonly ok: false; readonly code: string };

export type ReplayResult =
  | {
      readonly ok: true;
      readonly incidents: readonly Incident[];
      readonly facts: number;
      readonly unread: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly ok: false; readonly code: string };

export type Fetched =
  | { readonly kind: "answer"; readonly status: number; readonly json: unknown }
  /** Something answered, but not with JSON. */
  | { readonly kind: "not json"; readonly status: number }
  | { readonly kind: "unreachable"; readonly code: string };

export interface StartOptions {
  /** Where the settings are from: read again when somebody asks for it. */
  readonly file?: string;
  /** Which configuration it is, where a predecessor was given it. */
  readonly revision?: Revision;
  /** The bundled origins behind it, which may be broken through its API. */
  readonly samples?: SamplePools;
}

export type DevCertificateResult =
  | {
      readonly ok: true;
      /** Files. */
      readonly authority: string;
      readonly cert: string;
      readonly key: string;
      readonly names: readonly string[];
      /** The authority was made just now. */
      readonly isNew: boolean;
      /** Epoch ms. */
      readonly notAfter: number;
    }
  | { readonly ok: false; readonly where: string; readonly code: string };

export type StartResult =
  | { readonly ok: true; readonly gateway: RunningGateway }
  | {
      readonly ok: false;
      /** What could not be opened. */
      readonly what: "listener" | "admin" | "access log" | "state directory" | "fallback" | "worker" | "certificate";
      /** The address or the file, as configured. */
      readonly where: string;
      /** Of a certificate: what is wrong with it, the rest of a sentence that begins with the file. */
      readonly code: string;
      /** What helps. Absent: who tells of it knows. */
      readonly hint?: string;
    };

export interface RunningGateway {
  readonly listeners: readonly Bind[];
  readonly admin: Bind | null;
  /** Hears what happens to origins, pools and the gateway itself until it stops; exchanges are left to the access log. */
  onEvent(listener: (event: GatewayEvent) => void): void;
  /** Resolves with the exit code once the gateway has stopped, by a signal or a fault. */
  readonly stopped: Promise<number>;
}

export interface SamplePools {
  readonly pools: readonly { readonly name: string; readonly urls: readonly string[] }[];
  readonly desk: SampleDesk;
  /** From now on a little traffic goes through the gateway at `url`. */
  visit(url: string): void;
  close(): Promise<void>;
}

/** The questions of `doctor`. None of them rejects. */
export interface MachinePorts {
  facts(): Promise<MachineFacts>;
  /** Whether the address could be listened on; it is released at once. Null: yes. Otherwise the system's code. */
  tryBind(bind: Bind): Promise<string | null>;
  /** With what leaves before all else there. */
  tryConnect(to: Endpoint, way: Way, timeoutMs: number): Promise<Reached>;
  /** A TLS handshake as the gateway makes it. `text`: what was shown, or what was wrong. */
  tryHandshake(
    to: Endpoint,
    tls: OriginTls,
    way: Omit<Way, "tls">,
    timeoutMs: number,
  ): Promise<{ readonly ok: boolean; readonly text: string }>;
  /** Where the gateway of these settings would keep what outlives it, and whether it could. Changes nothing. */
  tryState(settings: Settings): Promise<StatePlace>;
  /** Asks for a name with these settings, once. */
  resolve(name: string, dns: DnsSettings): Promise<Resolution>;
  /** The Date field (RFC 9110 §6.6.1) of a HEAD response as epoch ms, or null when there is none. */
  dateToldBy(
    to: Endpoint,
    request: Pick<ProbeRequest, "host" | "target" | "way">,
    timeoutMs: number,
  ): Promise<number | null>;
}

/** `directory`: null: none is known. `code`: null: it can be written. */
export interface StatePlace {
  readonly directory: string | null;
  readonly code: string | null;
}

export type Reached = { readonly ok: true; readonly tookMs: number } | { readonly ok: false; readonly code: string };

/** What the machine allows. Null: this system does not say. */
export interface MachineFacts {
  readonly descriptorsMax: number | null;
  readonly ephemeralPorts: { readonly low: number; readonly high: number } | null;
  readonly ephemeralPortsInUse: number | null;
  readonly somaxconn: number | null;
  /** The smaller of the machine's memory and the cgroup's limit. */
  readonly memoryBytes: number | null;
  /** That this process may use. */
  readonly cores: number;
}
