/** What is worth writing on an exchange's record about how its origin was picked. */
import type { DecisionCode } from "../kernel/decisions.ts";

export interface PickNote {
  readonly code: DecisionCode;
  readonly reason: string;
}
