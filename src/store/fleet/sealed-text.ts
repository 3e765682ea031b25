/**
 * What must not be read by who can read the database (its operators, its backups, its replicas): AES-256-GCM with a key
 * that the nodes have and the database has not. Each text is bound to its row, so that nobody who can write the database
 * can have the key of one name used for another.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

export interface Seal {
  /** The same for nodes with the same key; says nothing of it. */
  readonly mark: string;
  close(text: string, row: string): string;
  /** Null: it was closed with another key, for another row, or changed. */
  open(sealed: string, row: string): string | null;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Null: this is not a key, which is 32 bytes in base64 or 64 hex digits. */
export function sealOf(text: string): Seal | null {
  const secret = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text, "base64");
  if (secret.length !== KEY_BYTES || !/^([0-9a-f]{64}|[A-Za-z0-9+/_-]{43}=?)$/i.test(text)) return null;
  const derive = (use: string): Buffer => createHmac("sha256", secret).update(`goodgate fleet, ${use}`).digest();
  const key = derive("rows");
  return {
    mark: derive("mark").toString("hex").slice(0, 16),
    close(plain, row) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(row));
      const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64");
    },
    open(sealed, row) {
      const bytes = Buffer.from(sealed, "base64");
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        })
          .setAAD(Buffer.from(row))
          .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch {
        return null;
      }
    },
  };
}
