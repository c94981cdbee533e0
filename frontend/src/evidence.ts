// What is known of a building: pictures cut from the originals, and measurements.

import type { Evidence, Measurement } from "./api.js";
import type { Bench, BuildingFeature } from "./bench.js";
import { anyScript, el } from "./dom.js";
import { prefs } from "./prefs.js";
import { texts } from "./texts.js";
import { centimetres, compass, metres, percent, plainName, timeCode, unitOf } from "./words.js";

export function pictureOf(row: Evidence): string {
  return `/media/evidence/${row.fid}?sha256=${row.file_sha256}`;
}

export function figure(row: Evidence, bench: Bench): HTMLElement {
  const source = row.original_sha256;
  const isGraphic = prefs.blursGraphic && bench.footage.graphic.includes(source);
  const image = el("img", {
    src: pictureOf(row),
    alt: texts.evidence.kinds[row.kind] ?? texts.evidence.image,
    loading: "eager",
  });
  const holder = el(
    "button",
    {
      class: `picture${isGraphic ? " blurred" : ""}`,
      "aria-label": texts.evidence.enlarge,
      onclick: () => {
        if (holder.classList.contains("blurred")) holder.classList.remove("blurred");
        else enlarge(row);
      },
    },
    image,
    isGraphic ? el("span", { class: "veil" }, texts.evidence.graphic) : null,
  );
  const parts = [
    typeof row.time_s === "number" ? timeCode(row.time_s) : null,
    typeof row.distance_m === "number" ? texts.evidence.distance(metres(row.distance_m, 0)) : null,
    typeof row.azimuth_deg === "number" ? texts.evidence.from(compass(row.azimuth_deg)) : null,
    typeof row.occluded_fraction === "number" && row.occluded_fraction > 0.02
      ? texts.evidence.occluded(percent(row.occluded_fraction))
      : null,
    typeof row.ground_sample_m === "number"
      ? texts.evidence.gsd(centimetres(row.ground_sample_m))
      : null,
  ].filter((one): one is string => one !== null);
  const name = row.kind === "orthophoto" ? texts.evidence.orthophoto : row.original_name;
  const opens =
    row.kind === "view" && source
      ? el(
          "button",
          {
            class: "link",
            title: texts.evidence.openOriginal,
            onclick: () =>
              typeof row.time_s === "number"
                ? bench.showClip(source, row.time_s)
                : bench.showPhotograph(source),
          },
          anyScript(name),
        )
      : anyScript(name);
  return el(
    "figure",
    {},
    holder,
    el("figcaption", {}, opens, el("span", { class: "muted" }, parts.join(" · "))),
  );
}

function enlarge(row: Evidence): void {
  const dialog = el(
    "dialog",
    { class: "lightbox", "aria-label": texts.evidence.image, onclick: () => dialog.close() },
    el("img", { src: pictureOf(row), alt: "" }),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export function measurements(rows: Measurement[], building: BuildingFeature): HTMLElement | null {
  const told = rows
    .map((row) => [row.name, row.value, row.sigma] as const)
    .filter(([, value]) => typeof value === "number");
  const area = building.properties.area_m2;
  if (!told.length && area == null) return null;
  const line = (name: string, value: string): HTMLElement =>
    el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value));
  return el(
    "details",
    {},
    el("summary", {}, texts.evidence.measurements(told.length + (area == null ? 0 : 1))),
    el(
      "table",
      { class: "measures" },
      el(
        "tbody",
        {},
        area != null ? line(texts.evidence.footprintArea, `${area.toFixed(0)} m²`) : null,
        ...told.map(([name, value, sigma]) =>
          line(
            texts.measures[name] ?? plainName(name),
            measured(value as number, typeof sigma === "number" ? sigma : null, unitOf(name)),
          ),
        ),
      ),
    ),
  );
}

/** A value with its standard deviation; a share of one is told in percent. */
export function measured(value: number, sigma: number | null, unit: string): string {
  const told = (one: number): string => (unit === "%" ? (100 * one).toFixed(1) : short(one));
  const words = sigma === null ? told(value) : `${told(value)} ± ${told(sigma)}`;
  return `${words} ${unit}`.trimEnd();
}

function short(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
