// Distance, area and height profile, drawn with terra-draw.

import type { Map as GlMap } from "maplibre-gl";
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPolygonMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { type LonLat, type Profile, post } from "./api.js";
import { el, fill, svg, tell } from "./dom.js";
import { texts } from "./texts.js";
import { area, length } from "./words.js";

type Kind = "distance" | "area" | "profile";
const EARTH_M = 6371008.8;
const RADIANS = Math.PI / 180;
const STYLES = {
  lineStringColor: "#00e5ff",
  lineStringWidth: 3,
  closingPointColor: "#00e5ff",
  closingPointWidth: 5,
  closingPointOutlineColor: "#0b0d0f",
  closingPointOutlineWidth: 1,
  fillColor: "#00e5ff",
  fillOpacity: 0.2,
  outlineColor: "#00e5ff",
  outlineWidth: 2,
} as const;

export class Measuring {
  private draw: TerraDraw | null = null;
  private kind: Kind | null = null;

  constructor(
    private readonly map: GlMap,
    private readonly place: HTMLElement,
    private readonly fromAbove: () => void,
  ) {}

  get isOn(): boolean {
    return this.kind !== null;
  }

  begin(kind: Kind): void {
    this.end();
    this.fromAbove(); // what is measured lies on the flat map
    this.kind = kind;
    const draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map: this.map }),
      modes: [
        new TerraDrawLineStringMode({ styles: STYLES }),
        new TerraDrawPolygonMode({ styles: STYLES }),
      ],
    });
    this.draw = draw;
    draw.start();
    draw.setMode(kind === "area" ? "polygon" : "linestring");
    draw.on("change", () => this.show());
    draw.on("finish", (id) => this.finish(id));
    fill(
      this.place,
      el(
        "div",
        { class: "card measure" },
        el("p", {}, kind === "area" ? texts.measure.hintArea : texts.measure.hintLine),
      ),
    );
    this.place.hidden = false;
  }

  end(): void {
    this.draw?.stop();
    this.draw = null;
    this.kind = null;
    this.place.hidden = true;
  }

  private lines(): LonLat[][] {
    return (this.draw?.getSnapshot() ?? [])
      .map(({ geometry }) => {
        if (geometry.type === "LineString") return geometry.coordinates as LonLat[];
        if (geometry.type === "Polygon") return geometry.coordinates[0] as LonLat[];
        return [];
      })
      .filter((line) => line.length > 1);
  }

  private show(): void {
    const line = this.lines().at(-1);
    if (!line || this.kind === null) return;
    const rows: [string, string][] =
      this.kind === "area"
        ? [
            [texts.measure.area, area(areaM2(line))],
            [texts.measure.perimeter, length(lengthM(line))],
          ]
        : [[texts.measure.length, length(lengthM(line))]];
    fill(this.place, this.card(rows));
  }

  private finish(id: string | number): void {
    const done = this.draw?.getSnapshotFeature(id);
    if (this.kind === "profile" && done?.geometry.type === "LineString") {
      void this.profile(done.geometry.coordinates as LonLat[]);
    }
  }

  private async profile(line: LonLat[]): Promise<void> {
    try {
      const found = await post("/api/profile", { line });
      fill(
        this.place,
        this.card(
          [[texts.measure.length, length(found.along_m.at(-1) ?? 0)], ...measuredShare(found)],
          profileChart(found),
        ),
      );
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "wrong");
    }
  }

  private card(rows: [string, string][], more?: Element): HTMLElement {
    return el(
      "div",
      { class: "card measure" },
      el(
        "dl",
        { class: "facts" },
        ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
      ),
      more ?? null,
      el(
        "div",
        { class: "row" },
        el("button", { onclick: () => this.kind && this.begin(this.kind) }, texts.measure.again),
        el("button", { onclick: () => this.end() }, texts.common.close),
      ),
    );
  }
}

/** Along a great circle; level ground. */
export function lengthM(line: LonLat[]): number {
  let total = 0;
  for (let i = 1; i < line.length; i++) {
    const [lon1, lat1] = line[i - 1]!,
      [lon2, lat2] = line[i]!;
    const half =
      Math.sin(((lat2 - lat1) * RADIANS) / 2) ** 2 +
      Math.cos(lat1 * RADIANS) *
        Math.cos(lat2 * RADIANS) *
        Math.sin(((lon2 - lon1) * RADIANS) / 2) ** 2;
    total += 2 * EARTH_M * Math.asin(Math.sqrt(half));
  }
  return total;
}

export function areaM2(ring: LonLat[]): number {
  let total = 0;
  for (let i = 0; i < ring.length; i++) {
    const [lon1, lat1] = ring[i]!,
      [lon2, lat2] = ring[(i + 1) % ring.length]!;
    total += (lon2 - lon1) * RADIANS * (2 + Math.sin(lat1 * RADIANS) + Math.sin(lat2 * RADIANS));
  }
  return (Math.abs(total) * EARTH_M ** 2) / 2;
}

/** How much of a line's heights was measured, where not all of it was. */
function measuredShare(found: Profile): [string, string][] {
  const at = found.height_m.map((height, i) => (height === null ? null : isMeasured(found, i)));
  const share = (kind: boolean | null): string =>
    `${((100 * at.filter((one) => one === kind).length) / at.length).toFixed(0)} %`;
  const rows: [string, string][] = [
    [texts.measure.measured, share(true)],
    [texts.measure.filled, share(false)],
    [texts.measure.noHeight, share(null)],
  ];
  return at.every((one) => one === true) ? [] : rows;
}

function isMeasured(found: Profile, i: number): boolean {
  return (found.photographs[i] ?? 0) >= 2;
}

/** Heights along a line: measured ones drawn through, filled ones dashed, unknown ones left out. */
export function profileChart(found: Profile): Element {
  const width = 380,
    height = 130,
    left = 44,
    bottom = 18,
    top = 8;
  const all = found.height_m.filter((one): one is number => one !== null);
  const sure = found.height_m.filter(
    (one, i): one is number => one !== null && isMeasured(found, i),
  );
  const known = sure.length ? sure : all; // a guess sets no scale: it is cut off at the edges
  if (!known.length) return el("p", { class: "muted" }, texts.measure.noneKnown);
  const low = Math.min(...known),
    high = Math.max(...known, low + 1);
  const end = found.along_m.at(-1) ?? 1;
  const x = (along: number): number => left + ((width - left - 6) * along) / end;
  const y = (value: number): number =>
    height -
    bottom -
    ((height - bottom - top) * (Math.min(Math.max(value, low), high) - low)) / (high - low);
  const measured: string[] = [],
    filled: string[] = [];
  for (let i = 1; i < found.along_m.length; i++) {
    const a = found.height_m[i - 1],
      b = found.height_m[i];
    if (a == null || b == null) continue;
    (isMeasured(found, i - 1) && isMeasured(found, i) ? measured : filled).push(
      `M${x(found.along_m[i - 1]!).toFixed(1)} ${y(a).toFixed(1)}L${x(found.along_m[i]!).toFixed(1)} ${y(b).toFixed(1)}`,
    );
  }
  const text = (at: [number, number], words: string, anchor: string): SVGElement =>
    svg("text", { x: at[0], y: at[1], "text-anchor": anchor, class: "tick" }, words);
  return svg(
    "svg",
    {
      class: "profile",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": (filled.length ? texts.measure.chartWithFilled : texts.measure.chart)(
        low.toFixed(1),
        high.toFixed(1),
        end.toFixed(0),
      ),
    },
    svg("path", { d: `M${left} ${top}V${height - bottom}H${width - 6}`, class: "axis" }),
    svg("path", { d: filled.join(""), class: "filled" }),
    svg("path", { d: measured.join(""), class: "measured" }),
    text([left - 4, top + 8], high.toFixed(1), "end"),
    text([left - 4, height - bottom], low.toFixed(1), "end"),
    text([left, height - 4], "0", "middle"),
    text([width - 8, height - 4], `${end.toFixed(1)} m`, "end"),
  );
}
