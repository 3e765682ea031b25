/**
 * Certificates that are obtained by themselves (ACME, RFC 8555): what whoever decides about them, in one place, tells the
 * processes that serve, and what people see of it. Told whole each time: it is small, changes seldom, and a process that
 * has just started needs all of it.
 */

import type { FleetView } from "./fleet.ts";

/** What a process needs to answer the questions of an authority, and to serve. */
export interface AcmeMaterial {
  /** http-01 (RFC 8555 §8.3): what is asked for, and what is answered. */
  readonly tokens: readonly { readonly token: string; readonly answer: string }[];
  /** tls-alpn-01 (RFC 8737): what is shown to who asks for the name and for nothing but that. */
  readonly proofs: readonly KeyPair[];
  readonly certificates: readonly KeyPair[];
}

/** PEM. The certificate has its chain behind it. */
export interface KeyPair {
  readonly name: string;
  readonly cert: string;
  readonly key: string;
}

/** With an authority. */
export interface AcmeAccount {
  /** The authority's directory. */
  readonly directory: string;
  /** PEM. */
  readonly key: string;
  /** What the authority calls it; empty: not registered yet. */
  readonly url: string;
}

export const NO_MATERIAL: AcmeMaterial = { tokens: [], proofs: [], certificates: [] };

/** What whoever serves answers to an authority that asks by http-01. Null: it knows nothing of that. */
export interface Challenges {
  answerTo(token: string): string | null;
}

export type ChallengeKind = "http-01" | "tls-alpn-01";

/** What an authority is asked for. */
export interface IssueOrder {
  readonly name: string;
  readonly challenges: readonly ChallengeKind[];
  /** The certificate that is replaced; null: none of this authority is. */
  readonly replaces: string | null;
  present(proof: Proof | null): Promise<void>;
}

/** What an authority will ask a process that serves for. */
export type Proof =
  | { readonly kind: "http-01"; readonly token: string; readonly answer: string }
  | ({ readonly kind: "tls-alpn-01" } & KeyPair);

/** What came of an order. */
export type Issued =
  | {
      readonly ok: true;
      readonly cert: string;
      readonly key: string;
      readonly notBefore: number;
      readonly notAfter: number;
    }
  | {
      readonly ok: false;
      /** Whose doing it is: the next authority would fare better, or none would. */
      readonly fault: "authority" | "name";
      readonly detail: string;
      /** -1: nothing was said. */
      readonly retryAfterMs: number;
    };

/** One name for which a certificate is wanted. */
export interface AcmeCertificateView {
  readonly name: string;
  /** `missing`: there never was one. `failing`: the last try came to nothing. */
  readonly state: "good" | "missing" | "ordering" | "failing" | "expired";
  /** Epoch ms; 0: there is none. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The directory of who issued it; empty: nobody has. */
  readonly authority: string;
  /** When it is ordered (again), epoch ms, and why then. */
  readonly nextAt: number;
  readonly because: string;
  /** Of the last try; empty: it went well, or there was none. */
  readonly lastError: string;
  /** Obtained in the last seven days. */
  readonly lately: number;
}

/** What the admin API asks; null where nothing is obtained by itself. */
export interface AcmeDesk {
  list(): readonly AcmeCertificateView[];
  /** Null: there is no fleet. */
  fleet(): FleetView | null;
  /** Orders it now, whatever its time; a text says why that cannot be. */
  renew(name: string): string | null;
}
