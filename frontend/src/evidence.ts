// What is known of a building: pictures cut from the originals, and measurements.

import type { Row } from "./api.js";
import type { Bench, BuildingFeature } from "./bench.js";
import { anyScript, el } from "./dom.js";
import { prefs } from "./prefs.js";
import { compass, percent, plainName, timeCode, unitOf } from "./words.js";

export function pictureOf(row: Row): string {
  return `/media/evidence/${String(row.fid)}?sha256=${String(row.file_sha256)}`;
}

export function figure(row: Row, bench: Bench): HTMLElement {
  const source = String(row.clip_sha256 ?? row.original_sha256 ?? "");
  const isGraphic = prefs.blursGraphic && bench.footage.graphic.includes(source);
  const image = el("img", {
    src: pictureOf(row),
    alt: `Picture of the building: ${String(row.kind)}`,
    loading: "eager",
  });
  const holder = el(
    "button",
    {
      class: `picture${isGraphic ? " blurred" : ""}`,
      "aria-label": "Enlarge",
      onclick: () => {
        if (holder.classList.contains("blurred")) holder.classList.remove("blurred");
        else enlarge(row);
      },
    },
    image,
    isGraphic ? el("span", { class: "veil" }, "Marked graphic. Click to show.") : null,
  );
  const parts = [
    typeof row.time_s === "number" ? timeCode(row.time_s) : null,
    typeof row.distance_m === "number" ? `${row.distance_m.toFixed(0)} m away` : null,
    typeof row.azimuth_deg === "number" ? `from ${compass(row.azimuth_deg)}` : null,
    typeof row.occluded_fraction === "number" && row.occluded_fraction > 0.02
      ? `${percent(row.occluded_fraction)} hidden`
      : null,
    typeof row.ground_sample_m === "number" ? `${(100 * row.ground_sample_m).toFixed(1)} cm` : null,
  ].filter((one): one is string => one !== null);
  const name = row.kind === "orthophoto" ? "Orthophoto" : String(row.original_name ?? "");
  const opens =
    row.kind === "view" && source
      ? el(
          "button",
          {
            class: "link",
            title: "Show the original",
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

function enlarge(row: Row): void {
  const dialog = el(
    "dialog",
    { class: "lightbox", "aria-label": "Picture", onclick: () => dialog.close() },
    el("img", { src: pictureOf(row), alt: "" }),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export function measurements(rows: Row[], building: BuildingFeature): HTMLElement | null {
  const told = rows
    .map((row) => [String(row.name), row.value, row.sigma] as const)
    .filter(([, value]) => typeof value === "number");
  const area = building.properties.area_m2;
  if (!told.length && area == null) return null;
  const line = (name: string, value: string): HTMLElement =>
    el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value));
  return el(
    "details",
    {},
    el("summary", {}, `Measurements (${told.length + (area == null ? 0 : 1)})`),
    el(
      "table",
      { class: "measures" },
      el(
        "tbody",
        {},
        area != null ? line("area of the outline", `${area.toFixed(0)} m²`) : null,
        ...told.map(([name, value, sigma]) =>
          line(
            plainName(name),
            `${short(value as number)}${typeof sigma === "number" ? ` ± ${short(sigma)}` : ""} ${unitOf(name)}`,
          ),
        ),
      ),
    ),
  );
}

function short(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
