// What the views share.

import type { Map as GlMap } from "maplibre-gl";
import type { CaseFacts, FootageList, LonLat, Me, QueueColumns } from "./api.js";
import type { LayerChoice } from "./map.js";
import type { Outbox } from "./outbox.js";
import type { Solid } from "./solid.js";

export interface BuildingFeature {
  id: number;
  properties: {
    source_id: string;
    grade?: string | null;
    confidence?: number | null;
    area_m2?: number | null;
    sample?: number | null;
    graders?: number | null;
    at: LonLat;
    possible?: number | null;
    adopted_grade?: string | null;
  };
}

export function buildingsOf({ id, ...columns }: QueueColumns): BuildingFeature[] {
  const names: [string, unknown[]][] = Object.entries(columns);
  return id.map((one, i) => ({
    id: one,
    properties: Object.fromEntries(
      names.map(([name, column]) => [name, column[i]]),
    ) as BuildingFeature["properties"],
  }));
}

export interface Bench {
  facts: CaseFacts;
  map: GlMap;
  solid: Solid;
  choices: LayerChoice[];
  me: Me;
  side: HTMLElement;
  outbox: Outbox;
  buildings: BuildingFeature[];
  /** Building -> reviewer -> grade, null being not assessed. */
  grades: Map<string, Map<string, string | null>>;
  footage: FootageList;
  go: (view: ViewName) => void;
  showClip: (sha256: string, time_s: number | null) => void;
  showPhotograph: (sha256: string) => void;
  refreshFootage: () => Promise<void>;
}

export type ViewName = "map" | "buildings" | "footage" | "place" | "compare" | "totals";

export interface View {
  open: () => void;
  close: () => void;
  /** A click on the map; true where the view took it. */
  mapClick?: (at: LonLat, point: { x: number; y: number }) => boolean;
}
