// How the server is asked, and what its answers are called here. Nothing outside it is ever asked.

import type {
  ClipPath as ApiClipPath,
  BuildingRow,
  ClickFacts,
  ClipSummary,
  EvidenceRow,
  Gets,
  Grade,
  HeightProfile,
  MeasurementFacts,
  PhotographSummary,
  PointInfo,
  Posts,
  Refusal,
  ReviewFacts,
  SavedReview,
  SightingFacts,
  SolvedView,
} from "./api_types.js";
import { texts } from "./texts.js";

export type {
  BuildingFacts,
  CaseFacts,
  ClipTimes,
  FootageList,
  Grade,
  Me,
  MeshFacts,
  QueueColumns,
  RasterFacts,
  TotalsFacts,
} from "./api_types.js";

export type LonLat = [number, number];
export type Building = BuildingRow;
export type Click = ClickFacts;
export type Clip = ClipSummary;
export type Evidence = EvidenceRow;
export type Measurement = MeasurementFacts;
export type Photograph = PhotographSummary;
export type Profile = HeightProfile;
export type Review = ReviewFacts;
export type Saved = SavedReview;
export type Sighting = SightingFacts;
export type Solved = SolvedView;
export type Spot = PointInfo;
/** A clip without poses has ``moments`` 0; nobody then looks at the rest, which is not there. */
export type ClipPath = Required<ApiClipPath>;

export const GRADES: Grade[] = ["none", "light", "moderate", "severe", "destroyed"];

/** What the server said no to. ``status`` 0: it could not be reached. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

export async function get<Path extends keyof Gets>(
  path: Path,
  signal?: AbortSignal,
): Promise<Gets[Path]> {
  return (await asked(path, { signal })).json() as Promise<Gets[Path]>;
}

export async function post<Path extends keyof Posts>(
  path: Path,
  sent: Posts[Path]["sent"],
  signal?: AbortSignal,
): Promise<Posts[Path]["answer"]> {
  const answer = await asked(path, {
    method: "POST",
    signal,
    body: JSON.stringify(sent),
    headers: { "Content-Type": "application/json" },
  });
  return answer.json() as Promise<Posts[Path]["answer"]>;
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
    said = (JSON.parse(text) as Refusal).error ?? text;
  } catch {
    // The gate answers in plain text.
  }
  throw new Refused(answer.status, said);
}
