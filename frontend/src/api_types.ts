// Made by `make types` of the models in src/aftermap/web. Do not edit.

/**
 * The totals of an area: what holds for all rows, a line each, and the rows.
 *
 * `too_few` says why nothing is estimated; null where something is.
 */
export interface AreaFacts {
  preamble: string[];
  rows: TotalRow[];
  too_few: string | null;
}

/**
 * Whether a reviewer graded a building without having been shown grades of it.
 *
 * `BLIND`: graded on the page, which had sent neither model grades nor other reviewers' grades
 * to this reviewer. `DECLARED`: whoever imported the grade says so. `NOT_BLIND`: model grades
 * had been shown. A grade of which none of these is recorded is not known to be blind.
 */
export type Blinding = "blind" | "declared_blind" | "not_blind";

/** A building with its measurements, its pictures and what everyone says of it. */
export interface BuildingFacts {
  building: BuildingRow;
  measurements: MeasurementFacts[];
  evidence: EvidenceRow[];
  reviews: ReviewFacts[];
}

/**
 * The columns of a building (docs/reference/buildings.md), those that the file has.
 *
 * A reviewer who works blind is sent none that tells what the machine thinks.
 */
export interface BuildingRow {
  fid: number;
  source_id: string;
  area_m2: number;
  levels?: number | null;
  grade?: Grade | null;
  adopted_grade?: Grade | null;
  confidence?: number | null;
  possible?: number | null;
  grades?: string | null;
  probabilities?: number[] | null;
  reasons?: string | null;
  reasons_against?: string | null;
  notes?: string | null;
  not_assessed_reason?: string | null;
  roof_fraction?: number | null;
  views?: number | null;
  facades?: number | null;
  ground_sample_m?: number | null;
  surface_photographs?: number | null;
  imagery?: string | null;
  shift_east_m?: number | null;
  shift_north_m?: number | null;
  shift_sigma_m?: number | null;
  shift_residual_m?: number | null;
  shift_source?: string | null;
  assessor?: string | null;
  model_sha256?: string | null;
}

/**
 * What a case holds. `missing` says of each absent product what makes it.
 *
 * `tiles` names the raster that each kind of tile is made of. `has_own_streets`: no street
 * lines were given, so that the layer holds the space between buildings.
 */
export interface CaseFacts {
  run: number;
  ended_at: string;
  is_running: boolean;
  name: string;
  crs: string;
  is_on_globe: boolean;
  vertical_datum: string | null;
  rasters: Partial<Record<"orthophoto" | "surface" | "confidence" | "before", RasterFacts>>;
  missing: Record<string, string>;
  height: HeightSpan | null;
  mesh: MeshFacts | null;
  tiles: Partial<Record<"orthophoto" | "before" | "relief" | "confidence", "orthophoto" | "surface" | "confidence" | "before">>;
  layers: string[];
  has_buildings: boolean;
  has_own_streets: boolean;
  has_basemap: boolean;
  basemap_stamp: string;
}

/**
 * A place clicked in a picture and on the map, as it was kept.
 *
 * `time_s` is a fraction; `height_m` null is that of the surface.
 */
export interface ClickFacts {
  time_s: string;
  px: number;
  py: number;
  lon: number;
  lat: number;
  height_m: number | null;
}

/** The clicks that were kept of a clip. */
export interface ClickList {
  clicks: ClickFacts[];
}

/** One place clicked in a picture and on the map. */
export interface ClickSent {
  time_s: string;
  px: number;
  py: number;
  lon: number;
  lat: number;
  height_m?: number | null;
}

/** The clicks of one clip. */
export interface ClicksSent {
  clicks: ClickSent[];
}

/**
 * What each placed moment of a clip saw, one list for each column.
 *
 * `every`: of a long clip only every second, third ... moment is sent. `ring` is the ground in
 * the picture, `outer` the same out to its CE90. A clip without poses has `moments` 0 and
 * nothing else.
 */
export interface ClipPath {
  moments: number;
  name?: string;
  every?: number;
  time_s?: number[];
  shot?: number[];
  source?: string[];
  off_nadir_deg?: (number | null)[];
  azimuth_deg?: (number | null)[];
  ground_sample_m?: (number | null)[];
  ce90_m?: (number | null)[];
  camera?: [number, number][];
  height_m?: number[];
  ring?: [number, number][][];
  outer?: [number, number][][];
}

/**
 * A clip for the list. `placed_*` say where in it poses are known.
 *
 * `copy` says how the page can play it.
 */
export interface ClipSummary {
  sha256: string;
  name: string;
  width_px: number;
  height_px: number;
  start_s: number;
  duration_s: number;
  frame_rate_hz: number;
  rotation_deg: number;
  size_bytes: number;
  recorded_at: string | null;
  placed_seconds: number;
  placed_from_s: number | null;
  placed_to_s: number | null;
  source: string | null;
  ce90_m: number | null;
  copy: "ready" | "original" | "making" | "missing" | "failed";
  copy_reason: string | null;
  notes: string[];
}

/** When each picture is shown, in ticks of `tick_s`; it and the offset are fractions. */
export interface ClipTimes {
  ticks: number[];
  tick_s: string;
  offset_s: string;
}

/** How the page can play a clip now. */
export interface CopyAnswer {
  copy: "ready" | "original" | "making" | "missing" | "failed";
}

/** What a picture is: cut out of the orthophoto, of an original, or drawn from heights. */
export type EvidenceKind = "orthophoto" | "view" | "profile";

/** A picture of a building (docs/reference/evidence.md), with the columns that the file has. */
export interface EvidenceRow {
  fid: number;
  building: number;
  source_id: string;
  kind: EvidenceKind;
  rank: number;
  file: string;
  file_sha256: string;
  original_sha256: string;
  original_name: string;
  is_masked: number;
  sources: EvidenceSource[];
  time_s?: number | null;
  time_exact?: string | null;
  taken_at?: string | null;
  left_px?: number | null;
  top_px?: number | null;
  width_px?: number | null;
  height_px?: number | null;
  turn_deg?: number | null;
  scale?: number | null;
  distance_m?: number | null;
  azimuth_deg?: number | null;
  off_nadir_deg?: number | null;
  ground_sample_m?: number | null;
  framed_fraction?: number | null;
  occluded_fraction?: number | null;
  faces?: number | null;
  ce90_m?: number | null;
}

/** An original that a part of an orthophoto crop is from, and the share of that part. */
export interface EvidenceSource {
  sha256: string;
  name: string;
  fraction: number;
  clip_sha256?: string | null;
  time_s?: number | null;
}

/** A feature of a layer (RFC 7946). What its properties are depends on the layer. */
export interface Feature {
  type: "Feature";
  id: number;
  geometry: Record<string, unknown> | null;
  properties: Record<string, unknown>;
}

/** A layer as GeoJSON (RFC 7946). */
export interface FeatureCollection {
  type: "FeatureCollection";
  features: Feature[];
}

/** All footage of a case; `graphic` holds the SHA-256 of what reviewers marked as graphic. */
export interface FootageList {
  clips: ClipSummary[];
  photographs: PhotographSummary[];
  graphic: string[];
}

/** How badly a building is damaged, from no visible damage to nothing left standing. */
export type Grade = "none" | "light" | "moderate" | "severe" | "destroyed";

/** A decision of the reviewer of this browser. Without a grade it gives a reason. */
export interface GradeSent {
  source_id: string;
  grade: Grade | null;
  not_assessed_reason?: string | null;
  note?: string | null;
  at?: string | null;
}

/** Whether an original is marked as graphic now. */
export interface GraphicMark {
  sha256: string;
  is_graphic: boolean;
}

/** Heights along a line, and how many photographs agree on each: 0 where it was filled. */
export interface HeightProfile {
  along_m: number[];
  height_m: (number | null)[];
  photographs: (number | null)[];
}

/** Between which heights nearly all that was measured lies, and which one the page calls 0. */
export interface HeightSpan {
  low_m: number;
  high_m: number;
  base_m: number;
}

/** An address that lets one browser in, once. */
export interface Invitation {
  address: string;
}

/** A line on the map. */
export interface LineSent {
  line: [number, number][];
}

/** An original is graphic, or is not. */
export interface MarkSent {
  sha256: string;
  is_graphic: boolean;
}

/**
 * Who reviews in this browser ("" before a name was given), and the reasons to choose from.
 *
 * `was_shown`: model grades were sent to this reviewer, whose grades are not blind any more.
 */
export interface Me {
  reviewer: string;
  is_blind: boolean;
  was_shown: boolean;
  reasons: string[];
}

/** Who reviews in this browser, and whether model grades are to be kept back. */
export interface MeSent {
  reviewer: string;
  is_blind?: boolean;
}

/** One number that was measured of a building, with one standard deviation. */
export interface MeasurementFacts {
  building: number;
  name: string;
  value: number | null;
  sigma: number | null;
}

/**
 * Where the mesh lies. `arm_m` east and north of its origin lie the other two places.
 *
 * `ground_m` is the height over the origin that the page calls 0, `box_m` west, south, east,
 * north of all of it from the origin.
 */
export interface MeshFacts {
  address: string;
  size_bytes: number;
  origin_lonlat: [number, number];
  east_lonlat: [number, number];
  north_lonlat: [number, number];
  arm_m: number;
  ground_m: number;
  box_m: [number, number, number, number];
}

/**
 * A photograph for the list, with why it is not on the map where it is not.
 *
 * `mapped` is 1 or 0, and null where no run has looked at it.
 */
export interface PhotographSummary {
  sha256: string;
  name: string;
  width_px: number;
  height_px: number;
  taken_at: string | null;
  clock: string | null;
  mapped: number | null;
  reason: string | null;
}

/** How far the placing of a clip is; `lines` is what `aftermap locate` says at its end. */
export interface PlacingState {
  state: "none" | "working" | "done" | "failed";
  error?: string | null;
  lines?: string[];
}

/** What the map says of one place: `xy_m` is in the CRS of the case. */
export interface PointInfo {
  xy_m: [number, number];
  height_m: number | null;
  photographs: number | null;
}

/** How finely a place is known: what a CE90 allows to be said. */
export type Precision = "exact" | "vicinity" | "locality" | "none";

/**
 * Every building, one list for each column, in the order of the outlines.
 *
 * `at` is a place on it, `sample` its place in the newest drawn sample, `graders` how many
 * reviewers should grade it (null: it is not in the sample). A reviewer who works
 * blind is sent no column that tells what the machine thinks; a case without buildings has no
 * column but `id`.
 */
export interface QueueColumns {
  id: number[];
  source_id?: string[];
  at?: [number, number][];
  sample?: (number | null)[];
  graders?: (number | null)[];
  area_m2?: number[];
  grade?: (Grade | null)[];
  adopted_grade?: (Grade | null)[];
  confidence?: (number | null)[];
  possible?: (number | null)[];
}

/**
 * What the page must know of a raster. `bounds_lonlat` is west, south, east, north.
 *
 * `stamp` changes when the file is replaced.
 */
export interface RasterFacts {
  bounds_lonlat: [number, number, number, number];
  cell_m: number;
  deepest_zoom: number;
  stamp: string;
}

/** Why a request was refused: one line for the person at the page. */
export interface Refusal {
  error: string;
}

/**
 * A decision of a reviewer. `at` is UTC; `reasons` is the JSON text of the record.
 *
 * `supersedes` is the number of the row that it takes back, if any. `blinding`: whether it was
 * given without sight of model grades, null where that is not known.
 */
export interface ReviewFacts {
  number: number;
  reviewer: string;
  grade: Grade | null;
  not_assessed_reason: string | null;
  supersedes: number | null;
  is_withdrawn: boolean;
  blinding: Blinding | null;
  note: string | null;
  at: string;
  reasons: string;
}

/** The newest run that ended (UTC, "" where none has), and whether one is under way. */
export interface RunState {
  run: number;
  ended_at: string;
  is_running: boolean;
}

/**
 * The number of a row that is on the disk, and what the reviewer's grade of it is now.
 *
 * `is_withdrawn`: the reviewer has none, since the only one was taken back.
 */
export interface SavedReview {
  number: number;
  grade: Grade | null;
  not_assessed_reason: string | null;
  is_withdrawn: boolean;
  blinding: Blinding | null;
  note: string | null;
  at: string;
}

/** A coding of damage. `unosat-recoded` is a third party's: 3 destroyed ... 0 none. */
export type Scale = "ours" | "unosat" | "unosat-recoded" | "cems" | "cems-legacy" | "ems98" | "xbd" | "reach";

/**
 * A stretch of a clip, or a photograph, that shows a spot (`model.sighting.Sighting`).
 *
 * Times are seconds of the clip, and the same as time codes.
 */
export interface SightingFacts {
  clip_name: string;
  sha256: string;
  kind: "clip" | "photograph";
  shot: number | null;
  from_s: number | null;
  to_s: number | null;
  best_s: number | null;
  ground_sample_m: number | null;
  off_nadir_deg: number | null;
  azimuth_deg: number | null;
  faces: string;
  framed_fraction: number | null;
  occluded_fraction: number | null;
  ce90_m: number | null;
  precision: Precision;
  source: string;
  rank_m: number | null;
  segment: number | null;
  from_code: string | null;
  to_code: string | null;
  best_code: string | null;
}

/**
 * The camera of one picture from clicks: where it was, how well each click fits, what it sees.
 *
 * `position` is longitude, latitude and height, `sigma_m` one standard deviation east, north
 * and up. Lists of clicks are in the order in which they were sent; `outlines` are of buildings,
 * in pixels of the picture.
 */
export interface SolvedView {
  position: [number, number, number];
  sigma_m: [number, number, number];
  focal_px: number;
  focal_sigma_px: number;
  focal_before_px: number;
  residuals_px: [number, number][];
  left_out_px: number[];
  used: boolean[];
  sigma_px: number;
  heights_m: number[];
  filled: boolean[];
  ring: [number, number][];
  outer: [number, number][];
  ce90_m: number | null;
  outlines: [number, number][][];
}

/** A row of the table: its cells by column (docs/explanation/totals.md), and the sentence. */
export interface TotalRow {
  cells: Record<string, string>;
  sentence: string;
}

/** Totals of the case, and what must be known beside them. */
export interface TotalsFacts {
  areas: AreaFacts[];
  notes: string[];
}

/** The reviewer of this browser takes back what they last decided of a building. */
export interface UndoSent {
  source_id: string;
  at?: string | null;
}

/** What each address answers to GET. */
export interface Gets {
  "/api/case": CaseFacts;
  "/api/state": RunState;
  [path: `/api/layers/${string}`]: FeatureCollection;
  [path: `/api/point?${string}`]: PointInfo;
  [path: `/api/seen?${string}`]: SightingFacts[];
  "/api/footage": FootageList;
  [path: `/api/clips/${string}/times`]: ClipTimes;
  [path: `/api/clips/${string}/path`]: ClipPath;
  [path: `/api/clips/${string}/clicks`]: ClickList;
  [path: `/api/clips/${string}/place`]: PlacingState;
  "/api/me": Me;
  "/api/buildings": FeatureCollection;
  "/api/queue": QueueColumns;
  [path: `/api/building?${string}`]: BuildingFacts;
  "/api/grades": Record<string, Record<string, Grade | null>>;
  "/api/totals": TotalsFacts;
  [path: `/api/totals?${string}`]: TotalsFacts;
}

/** What is sent to each address by POST, and what it answers. */
export interface Posts {
  "/api/profile": { sent: LineSent; answer: HeightProfile };
  "/api/graphic": { sent: MarkSent; answer: GraphicMark };
  [path: `/api/clips/${string}/copy`]: { sent: Record<string, never>; answer: CopyAnswer };
  [path: `/api/clips/${string}/solve`]: { sent: ClicksSent; answer: SolvedView };
  [path: `/api/clips/${string}/place`]: { sent: ClicksSent; answer: PlacingState };
  "/api/me": { sent: MeSent; answer: Me };
  "/api/invitations": { sent: Record<string, never>; answer: Invitation };
  "/api/grades": { sent: GradeSent; answer: SavedReview };
  "/api/undo": { sent: UndoSent; answer: SavedReview };
}
