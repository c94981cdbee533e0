// Two dates or two layers in one view: a swipe, side by side, or one after the other.

import syncMove from "@mapbox/mapbox-gl-sync-move";
import Compare from "@maplibre/maplibre-gl-compare";
import { Map as GlMap } from "maplibre-gl";
import type { Bench, View } from "./bench.js";
import { el, fill, withParts } from "./dom.js";
import { shownKey } from "./keys.js";
import { basemapLayers, PICTURES, styleOf } from "./map.js";
import { texts } from "./texts.js";

type Way = "swipe" | "beside" | "blink";
const BLINK_MS = 700;

export class Comparing implements View {
  private maps: [GlMap, GlMap] | null = null;
  private undo: (() => void)[] = [];
  private way: Way = "swipe";
  private pictures: [string, string];
  private isSecond = false;
  private withBuildings = false;

  constructor(
    private readonly bench: Bench,
    private readonly holder: HTMLElement,
  ) {
    const there = this.there().map(([id]) => id);
    const first = there.includes("before")
      ? "before"
      : (there.find((id) => id !== "orthophoto") ?? "orthophoto");
    this.pictures = [first, there.includes("orthophoto") ? "orthophoto" : (there[0] ?? first)];
  }

  open(): void {
    if (this.there().length < 2) {
      fill(
        this.bench.side,
        el(
          "section",
          { class: "empty" },
          el("h2", {}, texts.compare.title),
          el("p", {}, texts.compare.onlyOne),
        ),
      );
      return;
    }
    this.holder.hidden = false;
    this.drawControls();
    void this.build();
  }

  close(): void {
    this.clear();
    this.holder.hidden = true;
  }

  setWay(way: Way): void {
    this.way = way;
    this.drawControls();
    this.arrange();
  }

  flip(): void {
    this.isSecond = !this.isSecond;
    this.arrangeBlink();
  }

  private there(): [string, string][] {
    return PICTURES.filter(([id]) =>
      id === "basemap" ? this.bench.facts.has_basemap : id in this.bench.facts.tiles,
    );
  }

  private drawControls(): void {
    const pick = (side: 0 | 1, words: string): HTMLElement =>
      el(
        "label",
        {},
        words,
        el(
          "select",
          {
            onchange: (event: Event) => {
              this.pictures[side] = (event.target as HTMLSelectElement).value;
              this.showPictures();
            },
          },
          ...this.there().map(([id, name]) =>
            el("option", { value: id, selected: id === this.pictures[side] }, name),
          ),
        ),
      );
    const way = (name: Way, words: string): HTMLElement =>
      el("button", { "aria-pressed": this.way === name, onclick: () => this.setWay(name) }, words);
    const buildings = el("input", {
      type: "checkbox",
      id: "compare-buildings",
      checked: this.withBuildings,
      onchange: (event: Event) => {
        this.withBuildings = (event.target as HTMLInputElement).checked;
        this.showPictures();
      },
    });
    fill(
      this.bench.side,
      el(
        "section",
        { class: "compare-controls" },
        el("h2", {}, texts.compare.title),
        el(
          "div",
          { class: "row segmented" },
          way("swipe", texts.actions.swipe),
          way("beside", texts.actions.sideBySide),
          way("blink", texts.actions.blink),
        ),
        pick(0, texts.compare.first),
        pick(1, texts.compare.second),
        this.bench.facts.has_buildings
          ? el(
              "label",
              { for: "compare-buildings", class: "row" },
              buildings,
              texts.compare.outlines,
            )
          : null,
        this.way === "blink"
          ? el(
              "p",
              { class: "muted" },
              ...withParts(texts.compare.blinking, { key: el("kbd", {}, shownKey("flip")) }),
            )
          : null,
      ),
    );
  }

  private async build(): Promise<void> {
    this.clear();
    const { map, facts } = this.bench;
    const basemap = await basemapLayers(facts);
    const make = (name: string): GlMap => {
      const place = el(
        "div",
        { class: `compared ${name}` },
        el("span", { class: "compared-name" }),
      );
      this.holder.append(place);
      const made = new GlMap({
        container: place,
        style: styleOf(facts, [], basemap),
        attributionControl: false,
        fadeDuration: 0,
        maxZoom: 24,
        center: map.getCenter(),
        zoom: map.getZoom(),
        bearing: map.getBearing(),
        pitch: 0,
      });
      made.on("styleimagemissing", () => undefined);
      return made;
    };
    this.maps = [make("first"), make("second")];
    await Promise.all(
      this.maps.map((one) => (one.loaded() ? null : new Promise((done) => one.once("load", done)))),
    );
    if (!this.maps) return;
    this.showPictures();
    this.arrange();
    const [first] = this.maps;
    first.on("moveend", () =>
      map.jumpTo({ center: first.getCenter(), zoom: first.getZoom(), bearing: first.getBearing() }),
    );
  }

  private showPictures(): void {
    const names = new Map(this.there());
    this.maps?.forEach((map, side) => {
      map.getContainer().querySelector(".compared-name")!.textContent =
        names.get(this.pictures[side]!) ?? "";
      for (const layer of map.getStyle().layers) {
        if (layer.id === "ground") continue;
        const isPicture =
          layer.id === this.pictures[side] || layer.id.startsWith(`${this.pictures[side]}-`);
        const isOutline = this.withBuildings && layer.id === "buildings-line";
        map.setLayoutProperty(layer.id, "visibility", isPicture || isOutline ? "visible" : "none");
      }
      if (this.withBuildings)
        void (
          map.getSource("buildings") as { setData?: (data: string) => void } | undefined
        )?.setData?.(`${location.origin}/api/buildings`);
    });
  }

  private arrange(): void {
    if (!this.maps) return;
    for (const undo of this.undo.splice(0)) undo();
    const [first, second] = this.maps;
    this.holder.className = `comparing ${this.way}`;
    for (const map of this.maps) map.resize();
    if (this.way === "swipe") {
      const compare = new Compare(first, second, this.holder);
      this.undo.push(() => compare.remove());
      return;
    }
    const stop = syncMove(first, second);
    this.undo.push(stop);
    if (this.way === "blink") {
      const timer = window.setInterval(() => this.flip(), BLINK_MS);
      this.undo.push(() => window.clearInterval(timer));
    }
    this.arrangeBlink();
  }

  private arrangeBlink(): void {
    this.holder.classList.toggle("second-shown", this.way === "blink" && this.isSecond);
  }

  private clear(): void {
    for (const undo of this.undo.splice(0)) undo();
    for (const map of this.maps ?? []) map.remove();
    this.maps = null;
    fill(this.holder);
  }
}
