// What the server answers, and how it is asked. Nothing outside this server is ever asked.

import { texts } from "./texts.js";

export type LonLat = [number, number];
export type Grade = "none" | "light" | "moderate" | "severe" | "destroyed";
export const GRADES: Grade[] = ["none", "light", "moderate", "severe", "destroyed"];

export interface RasterFacts {
  bounds_lonlat: [number, number, number, number];
  cell_m: number;
  deepest_zoom: number;
  stamp: string;
}

export interface MeshFacts {
  address: string;
  size_bytes: number;
  origin_lonlat: LonLat;
  east_lonlat: LonLat;
  north_lonlat: LonLat;
  arm_m: number;
  ground_m: number;
  box_m: [west: number, south: number, east: number, north: number];
}

export interface CaseFacts {
  name: string;
  crs: string;
  is_on_globe: boolean;
  vertical_datum: string | null;
  rasters: Record<string, RasterFacts>;
  missing: Record<string, string>;
  height: { low_m: number; high_m: number; base_m: number } | null;
  mesh: MeshFacts | null;
  tiles: Record<string, string>;
  layers: string[];
  has_buildings: boolean;
  has_basemap: boolean;
  basemap_stamp: string;
  run: number;
  ended_at: string;
  is_running: boolean;
}

export interface Me {
  reviewer: string;
  is_blind: boolean;
  reasons: string[];
}

export interface Clip {
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

export interface Photograph {
  sha256: string;
  name: string;
  width_px: number;
  height_px: number;
  taken_at: string | null;
  clock: string | null;
  mapped: number | null;
  reason: string | null;
}

export interface FootageList {
  clips: Clip[];
  photographs: Photograph[];
  graphic: string[];
}

export interface ClipTimes {
  ticks: number[];
  tick_s: string;
  offset_s: string;
}

export interface ClipPath {
  moments: number;
  every: number;
  time_s: number[];
  shot: number[];
  source: string[];
  off_nadir_deg: (number | null)[];
  azimuth_deg: (number | null)[];
  ground_sample_m: (number | null)[];
  ce90_m: (number | null)[];
  camera: LonLat[];
  height_m: number[];
  ring: LonLat[][];
  outer: LonLat[][];
}

export interface Sighting {
  clip_name: string;
  sha256: string;
  kind: "clip" | "photograph";
  shot: number | null;
  from_s: number | null;
  to_s: number | null;
  best_s: number | null;
  from_code: string | null;
  to_code: string | null;
  best_code: string | null;
  ground_sample_m: number | null;
  off_nadir_deg: number | null;
  azimuth_deg: number | null;
  faces: string;
  framed_fraction: number | null;
  occluded_fraction: number | null;
  ce90_m: number | null;
  precision: string;
  source: string;
}

export interface Spot {
  xy_m: [number, number];
  height_m: number | null;
  photographs: number | null;
}

export interface Profile {
  along_m: number[];
  height_m: (number | null)[];
  photographs: (number | null)[];
}

export interface Saved {
  number: number;
  grade: Grade | null;
  not_assessed_reason: string | null;
  is_withdrawn: boolean;
  note: string | null;
  at: string;
}

export interface Review {
  number: number;
  reviewer: string;
  grade: Grade | null;
  not_assessed_reason: string | null;
  is_withdrawn: boolean;
  note: string | null;
  at: string;
  reasons: string[];
}

export type Row = Record<string, unknown>;

export interface BuildingFacts {
  building: Row;
  measurements: Row[];
  evidence: Row[];
  reviews: Review[];
}

export interface Click {
  time_s: string;
  px: number;
  py: number;
  lon: number;
  lat: number;
  height_m: number | null;
}

export interface Solved {
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
  ring: LonLat[];
  outer: LonLat[];
  ce90_m: number | null;
  outlines: [number, number][][];
}

/** What the server said no to. ``status`` 0: it could not be reached. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await asked(path, { signal })).json() as Promise<T>;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await asked(path, {
    method: "POST",
    signal,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
  return answer.json() as Promise<T>;
}

async function asked(path: string, options: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, texts.page.serverSilent);
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  let said = text;
  try {
    said = (JSON.parse(text) as { error: string }).error ?? text;
  } catch {
    // The gate answers in plain text.
  }
  throw new Refused(answer.status, said);
}
