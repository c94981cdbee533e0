// The map: the case's rasters and layers in MapLibre, and what is drawn over them for a moment.

import {
  addProtocol,
  type ExpressionSpecification,
  type FilterSpecification,
  type GeoJSONSource,
  Map as GlMap,
  type LayerSpecification,
  NavigationControl,
  prewarm,
  ScaleControl,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import { PMTiles, Protocol } from "pmtiles";
import type { CaseFacts, Grade, LonLat } from "./api.js";
import { prefs } from "./prefs.js";
import { texts } from "./texts.js";
import { GRADE_COLOURS, NOT_ASSESSED_COLOUR, PASSAGE_COLOURS } from "./words.js";

setWorkerUrl("/page/maplibre-worker.js");
prewarm(); // the worker starts while the case is asked for

export interface LayerChoice {
  id: string;
  words: string;
  kind: "picture" | "shapes";
  layers: string[];
  isShownFirst: boolean;
  opacityFirst: number;
  /** Where its shapes come from; loaded when it is first shown. */
  source?: string;
  address?: string;
}

const SHOWN = [
  "coalesce",
  ["feature-state", "grade"],
  ["get", "adopted_grade"],
  ["get", "grade"],
  "na",
] as unknown as ExpressionSpecification;
const CASING = "#ffffff";
const EMPTY = { type: "FeatureCollection" as const, features: [] };
const TILE_PX = 512;

export const PICTURES: [string, string][] = [
  ["basemap", texts.layers.basemap],
  ["before", texts.layers.before],
  ["orthophoto", texts.layers.orthophoto],
  ["relief", texts.layers.relief],
  ["confidence", texts.layers.confidence],
];

export function hasWebGl2(): boolean {
  try {
    return document.createElement("canvas").getContext("webgl2") !== null;
  } catch {
    return false;
  }
}

export function choicesOf(facts: CaseFacts): LayerChoice[] {
  const choices: LayerChoice[] = [];
  for (const [id, words] of PICTURES) {
    const isThere = id === "basemap" ? facts.has_basemap : id in facts.tiles;
    if (!isThere) continue;
    choices.push({
      id,
      words,
      kind: "picture",
      layers: [id],
      opacityFirst: 1,
      isShownFirst: id === "orthophoto" || id === "basemap",
    });
  }
  const shapes: [string, string, string[], boolean][] = [
    ["photo_footprints", texts.layers.photo_footprints, ["photo_footprints"], false],
    ["clip_footprints", texts.layers.clip_footprints, ["clip_footprints"], false],
    ["tracks", texts.layers.tracks, ["tracks"], true],
    ["cameras", texts.layers.cameras, ["cameras"], false],
    ["streets", texts.layers.streets, ["streets-casing", "streets"], true],
  ];
  for (const [id, words, layers, isShownFirst] of shapes) {
    if (!facts.layers.includes(id)) continue;
    choices.push({
      id,
      words,
      kind: "shapes",
      layers,
      isShownFirst,
      opacityFirst: 0.9,
      source: id,
      address: `/api/layers/${id}`,
    });
  }
  if (facts.has_buildings) {
    choices.push({
      id: "buildings",
      words: texts.layers.buildings,
      kind: "shapes",
      isShownFirst: true,
      layers: ["buildings", "buildings-hatch", "buildings-line"],
      opacityFirst: 0.7,
      source: "buildings",
      address: "/api/buildings",
    });
  }
  return choices;
}

export function isShown(choice: LayerChoice): boolean {
  return prefs.shown[choice.id] ?? choice.isShownFirst;
}

export function opacityOf(choice: LayerChoice): number {
  return prefs.opacity[choice.id] ?? choice.opacityFirst;
}

export function boundsOf(facts: CaseFacts): [number, number, number, number] | null {
  const raster = facts.rasters.orthophoto ?? facts.rasters.surface ?? facts.rasters.before;
  return raster?.bounds_lonlat ?? null;
}

export async function basemapLayers(facts: CaseFacts): Promise<{
  source: Record<string, unknown>;
  layers: LayerSpecification[];
} | null> {
  if (!facts.has_basemap) return null;
  const protocol = new Protocol();
  const archive = new PMTiles(`${location.origin}/media/basemap`);
  protocol.add(archive);
  addProtocol("pmtiles", protocol.tile);
  const header = await archive.getHeader();
  const url = `pmtiles://${location.origin}/media/basemap`;
  if (header.tileType !== 1) {
    return {
      source: { type: "raster", url, tileSize: 256 },
      layers: [{ id: "basemap", type: "raster", source: "basemap" }],
    };
  }
  const metadata = (await archive.getMetadata()) as { vector_layers?: { id: string }[] };
  return {
    source: { type: "vector", url },
    layers: drawnPlainly((metadata.vector_layers ?? []).map((one) => one.id)),
  };
}

/** A base map of any schema: areas, ways and water by what their layers are called. */
function drawnPlainly(names: string[]): LayerSpecification[] {
  const layers: LayerSpecification[] = [];
  const order = ["earth", "land", "water", "build", "road", "transport"];
  const rank = (name: string): number => order.findIndex((word) => name.includes(word));
  for (const name of [...names].sort((a, b) => rank(a) - rank(b))) {
    const isWater = name.includes("water");
    const colour = isWater ? "#9db8c9" : name.includes("build") ? "#b9b2a8" : "#dcd7cd";
    layers.push({
      id: `basemap-${name}-area`,
      type: "fill",
      source: "basemap",
      "source-layer": name,
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": colour },
    });
    layers.push({
      id: `basemap-${name}-line`,
      type: "line",
      source: "basemap",
      "source-layer": name,
      filter: ["==", ["geometry-type"], "LineString"],
      paint: { "line-color": isWater ? "#9db8c9" : "#8d8577", "line-width": 1 },
    });
  }
  return layers;
}

export function styleOf(
  facts: CaseFacts,
  choices: LayerChoice[],
  basemap: Awaited<ReturnType<typeof basemapLayers>>,
): StyleSpecification {
  const sources: StyleSpecification["sources"] = {};
  const layers: LayerSpecification[] = [
    { id: "ground", type: "background", paint: { "background-color": "#2a2e33" } },
  ];
  if (basemap) {
    sources.basemap = basemap.source as StyleSpecification["sources"][string];
    layers.push(...basemap.layers);
    const choice = choices.find((one) => one.id === "basemap");
    if (choice) choice.layers = basemap.layers.map((one) => one.id);
  }
  for (const [kind, raster] of Object.entries(facts.tiles)) {
    const about = facts.rasters[raster]!;
    sources[kind] = {
      type: "raster",
      tileSize: TILE_PX,
      tiles: [`${location.origin}/tiles/${kind}/{z}/{x}/{y}?v=${about.stamp}`],
      bounds: about.bounds_lonlat,
      maxzoom: about.deepest_zoom,
    } as StyleSpecification["sources"][string];
    layers.push({
      id: kind,
      type: "raster",
      source: kind,
      paint: { "raster-fade-duration": 0, "raster-resampling": "linear" },
    });
  }
  layers.sort((a, b) => rankOf(a.id) - rankOf(b.id));
  for (const name of [
    "photo_footprints",
    "clip_footprints",
    "tracks",
    "cameras",
    "streets",
    "buildings",
    "live",
  ]) {
    sources[name] = { type: "geojson", data: EMPTY, tolerance: name === "buildings" ? 0.2 : 0.375 };
  }
  layers.push(...SHAPE_LAYERS);
  for (const choice of choices) {
    for (const layer of layers.filter((one) => choice.layers.includes(one.id))) {
      layer.layout = {
        ...layer.layout,
        visibility: isShown(choice) ? "visible" : "none",
      } as typeof layer.layout;
    }
  }
  return { version: 8, sources, layers };
}

function rankOf(id: string): number {
  if (id === "ground") return -1;
  return PICTURES.findIndex(([name]) => id === name || id.startsWith(`${name}-`));
}

const gradeColour = [
  "match",
  SHOWN,
  ...Object.entries(GRADE_COLOURS).flat(),
  NOT_ASSESSED_COLOUR,
] as unknown as ExpressionSpecification;
const isNotAssessed = ["==", SHOWN, "na"] as unknown as ExpressionSpecification;

/** Those that may have to be hatched: without a grade, or found not assessable by a reviewer. */
function hatched(ids: number[]): FilterSpecification {
  return [
    "any",
    ["!", ["to-boolean", ["coalesce", ["get", "adopted_grade"], ["get", "grade"]]]],
    ["in", ["id"], ["literal", ids]],
  ] as unknown as FilterSpecification;
}

const SHAPE_LAYERS: LayerSpecification[] = [
  {
    id: "photo_footprints",
    type: "line",
    source: "photo_footprints",
    paint: { "line-color": "#f2f2f2", "line-width": 1 },
  },
  {
    id: "clip_footprints",
    type: "line",
    source: "clip_footprints",
    paint: { "line-color": "#ffd36b", "line-width": 1 },
  },
  {
    id: "buildings",
    type: "fill",
    source: "buildings",
    paint: { "fill-color": gradeColour, "fill-opacity": ["case", isNotAssessed, 0, 1] },
  },
  {
    id: "buildings-hatch",
    type: "fill",
    source: "buildings",
    filter: hatched([]),
    paint: { "fill-pattern": "hatch", "fill-opacity": ["case", isNotAssessed, 1, 0] },
  },
  {
    id: "buildings-line",
    type: "line",
    source: "buildings",
    minzoom: 15,
    paint: {
      "line-color": ["case", ["boolean", ["feature-state", "chosen"], false], "#ffffff", "#1b1e21"],
      "line-width": ["case", ["boolean", ["feature-state", "chosen"], false], 3.5, 0.8],
    },
  },
  {
    id: "streets-casing",
    type: "line",
    source: "streets",
    layout: { "line-cap": "round" },
    paint: { "line-color": CASING, "line-width": 5 },
  },
  {
    id: "streets",
    type: "line",
    source: "streets",
    layout: { "line-cap": "round" },
    paint: {
      "line-color": [
        "match",
        ["get", "passage"],
        ...PASSAGE_COLOURS.flat(),
        NOT_ASSESSED_COLOUR,
      ] as unknown as ExpressionSpecification,
      "line-width": 3,
    },
  },
  {
    id: "tracks",
    type: "line",
    source: "tracks",
    paint: { "line-color": "#ffb000", "line-width": 2, "line-dasharray": [2, 1.5] },
  },
  {
    id: "cameras",
    type: "circle",
    source: "cameras",
    paint: {
      "circle-radius": 3,
      "circle-color": ["case", ["==", ["get", "mapped"], 1], "#ffffff", "#f46d43"],
      "circle-stroke-color": "#1b1e21",
      "circle-stroke-width": 1,
    },
  },
  {
    id: "live-outer",
    type: "fill",
    source: "live",
    filter: ["==", ["get", "part"], "outer"],
    paint: { "fill-color": "#ffb000", "fill-opacity": 0.18 },
  },
  {
    id: "live-outer-line",
    type: "line",
    source: "live",
    filter: ["==", ["get", "part"], "outer"],
    paint: { "line-color": "#ffb000", "line-width": 1.5, "line-dasharray": [3, 2] },
  },
  {
    id: "live-ring",
    type: "line",
    source: "live",
    filter: ["==", ["get", "part"], "ring"],
    paint: { "line-color": "#ffffff", "line-width": 2.5 },
  },
  {
    id: "live-sight",
    type: "line",
    source: "live",
    filter: ["==", ["get", "part"], "sight"],
    paint: { "line-color": "#ffffff", "line-width": 1, "line-opacity": 0.7 },
  },
  {
    id: "live-point",
    type: "circle",
    source: "live",
    filter: ["in", ["get", "part"], ["literal", ["camera", "spot", "tie", "pending"]]],
    paint: {
      "circle-radius": ["match", ["get", "part"], "camera", 6, 5],
      "circle-color": [
        "match",
        ["get", "part"],
        "camera",
        "#ffb000",
        "spot",
        "#00e5ff",
        "pending",
        "#ffffff",
        "#00e5ff",
      ],
      "circle-stroke-color": ["case", ["boolean", ["get", "wrong"], false], "#ff2d2d", "#0b0d0f"],
      "circle-stroke-width": 2,
    },
  },
];

export interface MapHandle {
  map: GlMap;
  choices: LayerChoice[];
  facts: CaseFacts;
}

export function makeMap(
  container: HTMLElement,
  facts: CaseFacts,
  style: StyleSpecification,
): GlMap {
  const bounds = boundsOf(facts);
  const map = new GlMap({
    container,
    style,
    attributionControl: false,
    maxPitch: 80,
    maxZoom: 24,
    ...(bounds ? { bounds, fitBoundsOptions: { padding: 24 } } : { center: [0, 0], zoom: 1 }),
    fadeDuration: 0,
    locale: texts.mapControls,
    canvasContextAttributes: { preserveDrawingBuffer: false },
  });
  map.addControl(new ScaleControl({ maxWidth: 140, unit: "metric" }), "bottom-right");
  map.addControl(new NavigationControl({ visualizePitch: true }), "top-right");
  map.on("styleimagemissing", () => undefined);
  map.addImage("hatch", hatch(), { pixelRatio: 2 });
  return map;
}

/** Diagonal lines: what is not assessed is no colour of damage. */
function hatch(): ImageData {
  const side = 16;
  const data = new ImageData(side, side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = (x + y) % 8;
      const shade = at < 3 ? 255 : 60;
      data.data.set([shade, shade, shade, at < 3 ? 230 : 90], 4 * (y * side + x));
    }
  }
  return data;
}

export async function styled(map: GlMap): Promise<void> {
  if (!map.isStyleLoaded() && !map.getSource("live"))
    await new Promise((done) => map.once("style.load", done));
}

/** The worker reads the shapes itself, which leaves the page free. */
export async function showShapes(map: GlMap, choice: LayerChoice): Promise<void> {
  await (map.getSource(choice.source!) as GeoJSONSource).setData(
    `${location.origin}${choice.address!}`,
  );
}

export function setShown(map: GlMap, choice: LayerChoice, shown: boolean): void {
  for (const id of choice.layers) {
    if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", shown ? "visible" : "none");
  }
}

export function setOpacity(map: GlMap, choice: LayerChoice, opacity: number): void {
  for (const id of choice.layers) {
    const layer = map.getLayer(id);
    if (!layer) continue;
    if (id === "buildings")
      map.setPaintProperty(id, "fill-opacity", ["case", isNotAssessed, 0, opacity]);
    else if (id === "buildings-hatch")
      map.setPaintProperty(id, "fill-opacity", ["case", isNotAssessed, opacity, 0]);
    else if (layer.type === "circle") map.setPaintProperty(id, "circle-opacity", opacity);
    else map.setPaintProperty(id, `${layer.type as "fill" | "line" | "raster"}-opacity`, opacity);
  }
}

/** ``without`` is cut out of it: a band does not tint the footprint that it goes round. */
export type LivePart = { part: string; at: LonLat | LonLat[]; without?: LonLat[]; wrong?: boolean };

/** What moves: a footprint with its band, a camera, a spot that was asked for, clicks. */
export function drawLive(map: GlMap, parts: LivePart[]): void {
  const features = parts.map(({ part, at, without, wrong }): GeoJSON.Feature => {
    const isRing = part === "ring" || part === "outer";
    const geometry: GeoJSON.Geometry = isRing
      ? {
          type: "Polygon",
          coordinates: [at as LonLat[], ...(without?.length ? [without] : [])].map(closed),
        }
      : Array.isArray(at[0])
        ? { type: "LineString", coordinates: at as LonLat[] }
        : { type: "Point", coordinates: at as LonLat };
    return { type: "Feature", geometry, properties: { part, wrong: wrong ?? false } };
  });
  void (map.getSource("live") as GeoJSONSource | undefined)?.setData({
    type: "FeatureCollection",
    features,
  });
}

function closed(ring: LonLat[]): LonLat[] {
  const first = ring[0]!,
    last = ring[ring.length - 1]!;
  return first[0] === last[0] && first[1] === last[1] ? ring : [...ring, first];
}

const notAssessable = new Set<number>();

export function markGrade(map: GlMap, id: number, grade: Grade | "na" | null): void {
  if (grade === "na" && !notAssessable.has(id)) {
    notAssessable.add(id);
    map.setFilter("buildings-hatch", hatched([...notAssessable]));
  }
  if (grade === null) map.removeFeatureState({ source: "buildings", id }, "grade");
  else map.setFeatureState({ source: "buildings", id }, { grade });
}
