/** The listener of a port under test: what it heard, in order. */
import type { SocketListener } from "../../src/kernel/socket.ts";

/** What a port told, as text, with promises for what it will tell. */
export class Told implements SocketListener {
  readonly events: string[] = [];
  text = "";
  onBytes: (bytes: Buffer, start: number, end: number) => void = () => undefined;
  readonly #waiting: { readonly fits: () => boolean; readonly done: () => void }[] = [];

  until(fits: () => boolean): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push({ fits, done });
      this.#look();
    });
  }

  heard(event: string): Promise<void> {
    return this.until(() => this.events.includes(event));
  }

  #tell(event: string): void {
    this.events.push(event);
    this.#look();
  }

  #look(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.fits()) waiting.done();
      else this.#waiting.push(waiting);
    }
  }

  onConnect(): void {
    this.#tell("connect");
  }
  onData(bytes: Buffer, start: number, end: number): void {
    this.text += bytes.latin1Slice(start, end);
    this.onBytes(bytes, start, end);
    this.#look();
  }
  onDrain(): void {
    this.#tell("drain");
  }
  onFin(): void {
    this.#tell("fin");
  }
  onError({ code, syscall }: { code: string; syscall: string }): void {
    this.#tell(`error ${code} ${syscall}`);
  }
  onClose(): void {
    this.#tell("close");
  }
  onFault(error: unknown): void {
    this.#tell(`fault ${String(error)}`);
  }
}
