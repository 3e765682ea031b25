/**
 * The handles of the system that lie under Node's streams, used without a stream: an accepted connection is read into
 * the shared buffer, written to by calls that say how it went, and closed. Two stream objects with their listeners,
 * for each connection with TLS, cost a tenth of a whole handshake
 * (docs/decisions/0085-accepted-connections-have-no-streams.md).
 *
 * Node has no public way to them. All that is used of its insides is named here and in secure-socket.ts; where a
 * version of Node has it no more, the program does not start and says so, and the tests fail before that.
 */
import { getSystemErrorName } from "node:util";

/** Of a TCP connection, of a pipe, or of TLS on one of them. */
export interface StreamHandle {
  /** Heard of what was read, or of its end; `bytesRead` says which. */
  onread: (this: StreamHandle) => void;
  /** Ours, so that no handle needs a closure. */
  owner: HandleOwner | null;
  /** Bytes that were given to it and have not left. */
  readonly writeQueueSize: number;
  useUserBuffer(view: Buffer): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
  /** 0: its request will hear; otherwise it is done already, or cannot be. */
  shutdown(request: ShutdownRequest): number;
}

/** The one that has a descriptor. */
export interface SystemHandle extends StreamHandle {
  readonly fd: number;
  close(done: (this: StreamHandle) => void): void;
  /** Not of pipes; nor does the system allow it while a shutdown is under way, and then nothing can close it any more. */
  reset?(done: (this: StreamHandle) => void): number;
  setNoDelay?(isOn: boolean): number;
  getpeername?(out: Partial<Ends>): number;
  getsockname?(out: Partial<Ends>): number;
  setKeepAlive?(isOn: boolean, afterSeconds: number): number;
}

/** One end of a connection. */
export interface Ends {
  address: string;
  port: number;
}

export interface HandleOwner {
  /** Bytes are at the beginning of the shared buffer's read view. */
  read(length: number): void;
  readEnded(): void;
  readFailed(status: number): void;
  written(status: number): void;
  shutdownDone(): void;
  handleClosed(): void;
}

export interface WriteRequest {
  owner: HandleOwner | null;
  /** So that they live as long as they are needed. */
  bytes: Buffer | null;
  oncomplete: (this: WriteRequest, status: number) => void;
}

export interface ShutdownRequest {
  owner: HandleOwner | null;
  oncomplete: (this: ShutdownRequest, status: number) => void;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  /** What the call that is under way has to say besides. */
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

/** UV_EOF. */
const END = -4095;

const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = bindingOf<StreamBinding>(
  "stream_wrap",
  ["WriteWrap", "ShutdownWrap", "streamBaseState", "kReadBytesOrError", "kLastWriteWasAsync"],
);

/** What Node's own streams are made with. */
export function bindingOf<Binding extends object>(name: string, wanted: readonly (keyof Binding & string)[]): Binding {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<Binding> };
  // That it is deprecated is known (0085); said to who runs a gateway it helps nobody, and thrown it would end the process.
  const before = process.noDeprecation ?? false;
  process.noDeprecation = true;
  const found: Partial<Binding> = binding?.(name) ?? {};
  process.noDeprecation = before;
  const missing = wanted.filter((one) => found[one] === undefined);
  if (missing.length > 0) {
    throw new Error(`Node ${process.versions.node} has no ${name} with ${missing.join(", ")}, which sockets need here`);
  }
  return found as Binding;
}

/** From now on the owner hears of the handle, which reads into `view` once it is started. */
export function own(handle: StreamHandle, owner: HandleOwner, view: Buffer): void {
  handle.owner = owner;
  handle.onread = onRead;
  handle.useUserBuffer(view);
}

/** Hands bytes over. Negative: the system's number of what went wrong; 0: all have left; 1: `written` will be heard. */
export function give(handle: StreamHandle, owner: HandleOwner, bytes: Buffer): number {
  const request = new WriteWrap();
  request.owner = owner;
  request.bytes = bytes;
  request.oncomplete = onWritten;
  const status = handle.writeBuffer(request, bytes);
  return status === 0 ? (streamBaseState[kLastWriteWasAsync] ?? 0) : status;
}

/** FIN behind all that was handed over; `shutdownDone` says when. */
export function shutDown(handle: StreamHandle, owner: HandleOwner): void {
  const request = new ShutdownWrap();
  request.owner = owner;
  request.oncomplete = onShutDown;
  // Not connected any more, or done at once: there is nothing to wait for.
  if (handle.shutdown(request) !== 0) process.nextTick(tellShutDown, owner);
}

/** Nothing is heard any more but that it is closed. */
export function closeHandle(handle: SystemHandle, byReset: boolean): void {
  handle.onread = ignore;
  if (!byReset || handle.reset === undefined) handle.close(onClosed);
  else handle.reset(onClosed);
}

/** `ECONNRESET`, as the system's errors are named everywhere. */
export function nameOf(status: number): string {
  return getSystemErrorName(status);
}

function onRead(this: StreamHandle): void {
  const length = streamBaseState[kReadBytesOrError] ?? 0;
  const { owner } = this;
  if (owner === null || length === 0) return;
  if (length > 0) owner.read(length);
  else if (length === END) owner.readEnded();
  else owner.readFailed(length);
}

function onWritten(this: WriteRequest, status: number): void {
  const { owner } = this;
  this.owner = null;
  this.bytes = null;
  owner?.written(status);
}

function onShutDown(this: ShutdownRequest): void {
  const { owner } = this;
  this.owner = null;
  owner?.shutdownDone();
}

function tellShutDown(owner: HandleOwner): void {
  owner.shutdownDone();
}

function onClosed(this: StreamHandle): void {
  const { owner } = this;
  this.owner = null;
  owner?.handleClosed();
}

export function ignore(): void {
  // It is being closed.
}
