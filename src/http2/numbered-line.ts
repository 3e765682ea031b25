/** Streams of one connection in the order in which they began, which is that of their numbers (RFC 9113 §5.1.1). */
import { Line } from "../kernel/line.ts";
import type { InLine } from "../kernel/line.ts";

export interface Numbered<T> extends InLine<T> {
  readonly id: number;
}

export class NumberedLine<T extends Numbered<T>> extends Line<T> {
  /** Frames are nearly always about one of the last. */
  get(id: number): T | null {
    let member = this.newest;
    while (member !== null && member.id > id) member = member.older;
    return member !== null && member.id === id ? member : null;
  }
}
