// 3-D: the mesh on the map instead of flat pictures, with grades and lines laid over it.

import type { GeoJSONSource, Map as GlMap } from "maplibre-gl";
import type { CaseFacts, LonLat } from "./api.js";
import { tell } from "./dom.js";
import { isShown, type LayerChoice, opacityOf, setOpacity, setShown } from "./map.js";
import type { MeshLayer } from "./mesh.js";
import { texts } from "./texts.js";
import { GRADE_COLOURS, PASSAGE_COLOURS } from "./words.js";

const DRAPE_PX = 2048;
const LINES: Record<string, [colour: string, width_px: number]> = {
  photo_footprints: ["#f2f2f2", 2],
  clip_footprints: ["#ffd36b", 2],
  tracks: ["#ffb000", 3],
  streets: ["#8a8f94", 5],
  live: ["#ffffff", 4],
};

/** The 3-D view of a case: the map is tilted, its pictures make room for the mesh. */
export class Solid {
  private layer: MeshLayer | null = null;
  private isLoading = false;
  private isUp = false;
  private drawn = "";
  private readonly shapes = new Map<string, GeoJSON.Feature[]>();

  constructor(
    private readonly map: GlMap,
    private readonly facts: CaseFacts,
    private readonly choices: LayerChoice[],
  ) {
    map.on("idle", () => void this.redrape());
  }

  /** Whether the mesh is what is seen. */
  get isOn(): boolean {
    return this.isUp;
  }

  async toggle(): Promise<void> {
    if (this.map.getPitch() !== 0 || this.isUp) {
      this.end();
      return;
    }
    if (!this.facts.mesh) {
      tell(texts.solid.noMesh, "wrong");
      return;
    }
    if (this.isLoading) return;
    try {
      this.layer ??= await this.loaded();
    } catch (error) {
      tell(texts.solid.cannotShow(error instanceof Error ? error.message : String(error)), "wrong");
      return;
    }
    this.isUp = true;
    for (const choice of this.choices) this.showChoice(choice, isShown(choice));
    this.map.addLayer(this.layer);
    this.map.jumpTo({ pitch: 60 });
    this.drawn = "";
    void this.redrape();
  }

  /** Back to the map from above. */
  end(): void {
    if (this.isUp && this.layer) {
      this.map.removeLayer(this.layer.id);
      this.isUp = false;
      for (const choice of this.choices) this.showChoice(choice, isShown(choice));
    }
    this.map.jumpTo({ pitch: 0, bearing: 0 });
  }

  /** Shapes are asked for again: another run, another reviewer, or one who works blind. */
  forget(): void {
    this.shapes.clear();
    this.drawn = "";
  }

  /** A layer on the map; while the mesh is up, pictures are away and shapes lie on the mesh. */
  showChoice(choice: LayerChoice, shown: boolean): void {
    const isFlat = !this.isUp || choice.id === "basemap";
    setShown(this.map, choice, shown && (isFlat || choice.kind === "shapes"));
    setOpacity(this.map, choice, isFlat ? opacityOf(choice) : 0);
  }

  /** Where a click or a cursor on the map is: on the mesh, or on the flat map. */
  placeAt(event: {
    lngLat: { lng: number; lat: number };
    point: { x: number; y: number };
  }): LonLat {
    const flat: LonLat = [event.lngLat.lng, event.lngLat.lat];
    return this.isUp ? (this.layer?.pick(event.point) ?? flat) : flat;
  }

  private async loaded(): Promise<MeshLayer> {
    this.isLoading = true;
    const mesh = this.facts.mesh!;
    tell(texts.solid.loading(`${(mesh.size_bytes / 1e6).toFixed(1)} MB`));
    try {
      const { MeshLayer: Layer } = await import("./mesh.js");
      return await Layer.of(mesh);
    } finally {
      this.isLoading = false;
    }
  }

  /** Draw grades and lines anew where they, or what is shown of them, have changed. */
  private async redrape(): Promise<void> {
    if (!this.isUp || !this.layer) return;
    const shown = this.choices.filter(
      (one) => one.kind === "shapes" && one.id !== "cameras" && isShown(one),
    );
    for (const choice of shown) await this.loadShapes(choice);
    const live = (this.map.getSource("live") as GeoJSONSource | undefined)?.serialize().data;
    const state = JSON.stringify([
      shown.map((one) => [one.id, opacityOf(one)]),
      this.grades(),
      live,
    ]);
    if (state === this.drawn || !this.isUp) return;
    this.drawn = state;
    this.layer.drape(
      this.drapeOf(shown, (live as GeoJSON.FeatureCollection | undefined)?.features ?? []),
    );
  }

  private async loadShapes(choice: LayerChoice): Promise<void> {
    if (this.shapes.has(choice.id) || !choice.address) return;
    const answer = await fetch(choice.address, { credentials: "same-origin" });
    if (answer.ok)
      this.shapes.set(choice.id, ((await answer.json()) as GeoJSON.FeatureCollection).features);
  }

  private grades(): string[] {
    return (this.shapes.get("buildings") ?? []).map((one) => this.gradeOf(one));
  }

  private gradeOf({ id, properties }: GeoJSON.Feature): string {
    const state = this.map.getFeatureState({ source: "buildings", id: id! }) as { grade?: string };
    return (
      state.grade ??
      (properties?.adopted_grade as string | null) ??
      (properties?.grade as string | null) ??
      "na"
    );
  }

  private drapeOf(
    shown: LayerChoice[],
    live: GeoJSON.Feature[],
  ): Parameters<MeshLayer["drape"]>[0] {
    const mesh = this.facts.mesh!;
    const [west_m, south_m, east_m, north_m] = mesh.box_m;
    const scale = DRAPE_PX / Math.max(east_m - west_m, north_m - south_m);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round((east_m - west_m) * scale));
    canvas.height = Math.max(1, Math.round((north_m - south_m) * scale));
    const pen = canvas.getContext("2d")!;
    const [o, e, n] = [mesh.origin_lonlat, mesh.east_lonlat, mesh.north_lonlat];
    const a = e[0] - o[0],
      b = n[0] - o[0],
      c = e[1] - o[1],
      d = n[1] - o[1],
      all = a * d - b * c;
    const at = ([lon, lat]: LonLat): [number, number] => {
      const dx = lon - o[0],
        dy = lat - o[1];
      const east = (mesh.arm_m * (dx * d - dy * b)) / all,
        north = (mesh.arm_m * (dy * a - dx * c)) / all;
      return [(east - west_m) * scale, (north_m - north) * scale];
    };
    for (const choice of shown) {
      for (const feature of this.shapes.get(choice.id) ?? []) {
        if (choice.id === "buildings") this.drawBuilding(pen, at, feature, opacityOf(choice));
        else drawLine(pen, at, feature, choice.id, opacityOf(choice));
      }
    }
    for (const feature of live) drawLine(pen, at, feature, "live", 1);
    return { canvas, west_m, south_m, east_m, north_m };
  }

  private drawBuilding(
    pen: CanvasRenderingContext2D,
    at: Placed,
    feature: GeoJSON.Feature,
    opacity: number,
  ): void {
    const grade = this.gradeOf(feature);
    traced(pen, at, feature.geometry);
    pen.globalAlpha = opacity;
    pen.fillStyle = GRADE_COLOURS[grade as keyof typeof GRADE_COLOURS] ?? "rgba(0,0,0,0)";
    pen.fill("evenodd");
    pen.globalAlpha = 1;
    pen.lineWidth = 2;
    pen.strokeStyle = "#1b1e21";
    pen.stroke();
  }
}

type Placed = (place: LonLat) => [number, number];

function drawLine(
  pen: CanvasRenderingContext2D,
  at: Placed,
  feature: GeoJSON.Feature,
  id: string,
  opacity: number,
): void {
  const [colour, width] = LINES[id] ?? ["#ffffff", 2];
  const passage = new Map(PASSAGE_COLOURS).get(String(feature.properties?.passage));
  traced(pen, at, feature.geometry);
  pen.globalAlpha = opacity;
  pen.lineWidth = width;
  pen.strokeStyle = passage ?? colour;
  pen.stroke();
  pen.globalAlpha = 1;
}

function traced(
  pen: CanvasRenderingContext2D,
  at: Placed,
  geometry: GeoJSON.Geometry | null,
): void {
  pen.beginPath();
  for (const line of linesOf(geometry)) {
    line.forEach((place, i) => {
      const [x, y] = at(place);
      if (i) pen.lineTo(x, y);
      else pen.moveTo(x, y);
    });
  }
}

function linesOf(geometry: GeoJSON.Geometry | null): LonLat[][] {
  switch (geometry?.type) {
    case "LineString":
      return [geometry.coordinates as LonLat[]];
    case "MultiLineString":
    case "Polygon":
      return geometry.coordinates as LonLat[][];
    case "MultiPolygon":
      return geometry.coordinates.flat() as LonLat[][];
    default:
      return [];
  }
}
