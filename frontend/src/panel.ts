// The layers: what is drawn, how strongly, and what its colours mean.

import { type CaseFacts, GRADES } from "./api.js";
import type { Bench } from "./bench.js";
import { el, fill, svg, tell } from "./dom.js";
import { isShown, type LayerChoice, opacityOf, showShapes } from "./map.js";
import { keep, prefs } from "./prefs.js";
import { texts } from "./texts.js";
import { datumWord, GRADE_COLOURS, metres } from "./words.js";

const loaded = new Set<string>();

/** What the map says of a tile that it did not get. */
export interface TileTrouble {
  sourceId?: string;
  error?: { message?: string; body?: Blob };
}

/** Keeps what the server said of a picture that it cannot read; true where that is new. */
export async function troubleOf(
  facts: CaseFacts,
  { sourceId, error }: TileTrouble,
): Promise<boolean> {
  const raster = facts.tiles[sourceId as keyof CaseFacts["tiles"]];
  if (!raster || !error?.body || raster in facts.missing) return false;
  facts.missing[raster] = "";
  try {
    facts.missing[raster] = (JSON.parse(await error.body.text()) as { error: string }).error;
  } catch {
    delete facts.missing[raster];
  }
  return raster in facts.missing;
}

export function layerPanel(bench: Bench, place: HTMLElement): void {
  const rows = [...bench.choices].reverse().map((choice) => layerRow(bench, choice));
  const { facts } = bench;
  const absent = Object.entries(facts.missing).filter(([name]) => name !== "before");
  fill(
    place,
    el("h2", {}, texts.layers.title),
    el("ul", { class: "layers" }, ...rows),
    bench.facts.is_on_globe ? null : el("p", { class: "warning" }, texts.layers.withoutPlace),
    ...absent.map(([, reason]) =>
      el(
        "p",
        { class: facts.is_running ? "muted" : "warning" },
        facts.is_running ? texts.layers.missingInRun(reason) : reason,
      ),
    ),
    bench.facts.has_buildings ? null : el("p", { class: "muted" }, texts.layers.noBuildings),
  );
}

function layerRow(bench: Bench, choice: LayerChoice): HTMLElement {
  const legend = el("div", { class: "legend" }, legendOf(choice.id, bench));
  const slider = el("input", {
    type: "range",
    min: 0,
    max: 100,
    step: 5,
    value: String(Math.round(100 * opacityOf(choice))),
    "aria-label": texts.layers.opacityOf(choice.words),
    oninput: (event: Event) => {
      const opacity = Number((event.target as HTMLInputElement).value) / 100;
      keep({ opacity: { ...prefs.opacity, [choice.id]: opacity } });
      bench.solid.showChoice(choice, isShown(choice));
    },
  });
  const box = el("input", {
    type: "checkbox",
    checked: isShown(choice),
    id: `layer-${choice.id}`,
    onchange: (event: Event) => {
      const shown = (event.target as HTMLInputElement).checked;
      keep({ shown: { ...prefs.shown, [choice.id]: shown } });
      showLayer(bench, choice, shown);
      more.hidden = !shown;
    },
  });
  const more = el("div", { class: "more" }, slider, legend);
  more.hidden = !isShown(choice);
  return el("li", {}, el("label", { for: `layer-${choice.id}` }, box, choice.words), more);
}

export function showLayer(bench: Bench, choice: LayerChoice, shown: boolean): void {
  bench.solid.showChoice(choice, shown);
  if (shown && choice.address && !loaded.has(choice.id) && choice.id !== "buildings") {
    loaded.add(choice.id);
    showShapes(bench.map, choice).catch((error: Error) => {
      loaded.delete(choice.id);
      tell(error.message, "wrong");
    });
  }
}

/** What another run has made is read again. */
export function forgetShapes(): void {
  loaded.clear();
}

function swatch(colour: string, words: string, kind = "area"): HTMLElement {
  return el("div", { class: "swatch" }, el("i", { class: kind, colour }), words);
}

function legendOf(id: string, bench: Bench): HTMLElement | null {
  if (id === "buildings") {
    return el(
      "div",
      {},
      ...GRADES.map((one) => swatch(GRADE_COLOURS[one], texts.grades[one])),
      el("div", { class: "swatch" }, el("i", { class: "hatched" }), texts.grades.notAssessed),
    );
  }
  if (id === "streets") {
    return el(
      "div",
      {},
      swatch("#2c7bb6", texts.layers.truck, "line"),
      swatch("#abd9e9", texts.layers.car, "line"),
      swatch("#d7191c", texts.layers.impassable, "line"),
      swatch("#8a8f94", texts.layers.notSeen, "line"),
      bench.facts.has_own_streets ? el("p", { class: "muted" }, texts.layers.ownStreets) : null,
    );
  }
  if (id === "confidence") {
    return el(
      "div",
      {},
      ramp(
        ["#440154", "#31688e", "#35b779", "#fde725"],
        texts.layers.twoAgree,
        texts.layers.manyAgree,
      ),
      el("div", { class: "swatch" }, el("i", { class: "filled" }), texts.layers.filled),
    );
  }
  if (id === "relief" && bench.facts.height) {
    const { low_m, high_m } = bench.facts.height;
    return el(
      "div",
      {},
      ramp(
        ["#00204d", "#575c6d", "#a69d75", "#ffea46"],
        metres(low_m, 0),
        texts.layers.heightWithDatum(metres(high_m, 0), datumWord(bench.facts.vertical_datum)),
      ),
      el("div", { class: "swatch" }, el("i", { class: "filled" }), texts.layers.filled),
    );
  }
  if (id === "orthophoto") {
    return el("div", { class: "swatch" }, el("i", { class: "filled" }), texts.layers.filled);
  }
  if (id === "tracks") return swatch("#ffb000", texts.layers.path, "line");
  if (id === "clip_footprints") return swatch("#ffd36b", texts.layers.perSecond, "line");
  if (id === "photo_footprints") return swatch("#f2f2f2", texts.layers.perPhotograph, "line");
  if (id === "cameras") {
    return el(
      "div",
      {},
      swatch("#ffffff", texts.layers.mapped, "dot"),
      swatch("#f46d43", texts.layers.placedOnly, "dot"),
    );
  }
  return null;
}

function ramp(colours: string[], low: string, high: string): HTMLElement {
  const stops = colours.map((colour, i) =>
    svg("stop", { offset: i / (colours.length - 1), "stop-color": colour }),
  );
  const id = `ramp${colours[0]!.slice(1)}`;
  return el(
    "div",
    { class: "ramp" },
    svg(
      "svg",
      { viewBox: "0 0 200 8", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("linearGradient", { id }, ...stops),
      svg("rect", { width: 200, height: 8, fill: `url(#${id})` }),
    ),
    el("div", { class: "ends" }, el("span", {}, low), el("span", {}, high)),
  );
}
