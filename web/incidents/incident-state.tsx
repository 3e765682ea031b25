import type { JSX } from "preact";
import type { Incident } from "../../src/contract/incident.ts";
import { Tag } from "../parts/tag.tsx";
import type { Sign } from "../words/signs.ts";

const STATE_SIGNS: Readonly<Record<Incident["state"], Sign>> = {
  open: ["bad", "●"],
  recovering: ["info", "↗"],
  closed: ["good", "✓"],
  merged: ["quiet", "→"],
};

export function stateTag({ state }: Pick<Incident, "state">): JSX.Element {
  return <Tag sign={STATE_SIGNS[state]} word={state} />;
}
