/** Rows of the fleet's store as what they are about, and back. What another version writes and is none of it is not read. */
import type { AcmeAccount, KeyPair, Proof } from "../../contract/acme.ts";
import type { SharedRow } from "../../contract/fleet.ts";
import type { AuthorityState, NameState } from "./order-plan.ts";
import { newName } from "./order-plan.ts";

/** As much of it as was heard. */
export class SharedRows {
  readonly certificates = new Map<string, KeyPair>();
  readonly names = new Map<string, NameState>();
  readonly authorities = new Map<string, AuthorityState>();
  readonly accounts = new Map<string, AcmeAccount>();
  readonly proofs = new Map<string, Proof>();

  clear(): void {
    for (const rows of [this.certificates, this.names, this.authorities, this.accounts, this.proofs]) rows.clear();
  }

  /** Only the answers to authorities are ever taken back: what else vanishes, or cannot be read, stays as it was. */
  learn({ kind, id, body }: SharedRow): void {
    const value = body === null ? null : parsed(body);
    switch (kind) {
      case "certificate":
        return put(this.certificates, id, isPair(value) ? value : null);
      case "name":
        return put(this.names, id, isName(value) ? { ...newName(id), ...value } : null);
      case "authority":
        return put(this.authorities, id, isAuthority(value) ? value : null);
      case "account":
        return put(this.accounts, id, isAccount(value) ? value : null);
      case "proof":
        if (isProof(value)) this.proofs.set(id, value);
        else this.proofs.delete(id);
    }
  }
}

export function rowOf(kind: SharedRow["kind"], id: string, value: object | null): SharedRow {
  return { kind, id, body: value === null ? null : JSON.stringify(value) };
}

function put<Value>(rows: Map<string, Value>, id: string, value: Value | null): void {
  if (value !== null) rows.set(id, value);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function isPair(value: unknown): value is KeyPair {
  return has(value, { name: "string", cert: "string", key: "string" });
}

function isName(value: unknown): value is NameState {
  if (!has(value, { name: "string", failures: "number", waitUntil: "number", lastError: "string" })) return false;
  const { obtained, held } = value as Partial<NameState>;
  const isList = Array.isArray(obtained) && obtained.every((at) => typeof at === "number");
  return isList && (held === null || has(held, { notBefore: "number", notAfter: "number", authority: "string" }));
}

function isAuthority(value: unknown): value is AuthorityState {
  return has(value, { url: "string", failures: "number", waitUntil: "number" });
}

function isAccount(value: unknown): value is AcmeAccount {
  return has(value, { directory: "string", key: "string", url: "string" });
}

function isProof(value: unknown): value is Proof {
  if (!has(value, { kind: "string" })) return false;
  const { kind } = value as { readonly kind: string };
  return kind === "http-01"
    ? has(value, { token: "string", answer: "string" })
    : kind === "tls-alpn-01" && isPair(value);
}

function has(value: unknown, types: Readonly<Record<string, "string" | "number">>): boolean {
  if (typeof value !== "object" || value === null) return false;
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.entries(types).every(([name, type]) => typeof fields[name] === type);
}
