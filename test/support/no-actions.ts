/** What a gateway can be told to do, for tests in which nobody tells it anything. */
import type { GatewayActions } from "../../src/contract/view.ts";

export const NO_ACTIONS: GatewayActions = {
  purgeCache: () => null,
  drainOrigin: () => ({ done: false, why: "unknown", detail: "There are no origins here." }),
  restoreOrigin: () => ({ done: false, why: "unknown", detail: "There are no origins here." }),
};
