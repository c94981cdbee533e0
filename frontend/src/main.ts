// The workbench: one map, and beside it whatever the reviewer is doing.

import type { MapMouseEvent } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import "@maplibre/maplibre-gl-compare/style.css";
import "./style.css";
import {
  type CaseFacts,
  type FootageList,
  GRADES,
  get,
  type LonLat,
  type Me,
  post,
  type Spot,
} from "./api.js";
import { type Bench, buildingsOf, type Columns, type View, type ViewName } from "./bench.js";
import { Comparing } from "./compare.js";
import { sheet } from "./dialogs.js";
import { anyScript, el, fill, tell } from "./dom.js";
import { Footage } from "./footage.js";
import { enterView, keyLabel, listen, openKeys, register } from "./keys.js";
import {
  basemapLayers,
  boundsOf,
  choicesOf,
  hasWebGl2,
  isShown,
  makeMap,
  markGrade,
  showShapes,
  styled,
  styleOf,
} from "./map.js";
import { Measuring } from "./measure.js";
import { Outbox } from "./outbox.js";
import { forgetShapes, layerPanel, showLayer, type TileTrouble, troubleOf } from "./panel.js";
import { Placing } from "./place.js";
import { isDark, keep, prefs, show } from "./prefs.js";
import { Reviewing, shownGrade } from "./review.js";
import { Solid } from "./solid.js";

const VIEWS: [ViewName, string][] = [
  ["map", "Map"],
  ["buildings", "Buildings"],
  ["footage", "Footage"],
  ["place", "Place a clip"],
  ["compare", "Compare"],
];
const STATE_MS = 4000;
const CURSOR_MS = 70;

const app = document.getElementById("app")!;
show();
void start().catch((error: Error) => {
  fill(app, el("p", { class: "loading warning", role: "alert" }, error.message));
});

async function start(): Promise<void> {
  if (!hasWebGl2()) {
    throw new Error(
      "This browser has no WebGL 2, which the map needs. Use a current Firefox, Chromium or Safari, with hardware acceleration on.",
    );
  }
  const [facts, me, footage] = await Promise.all([
    get<CaseFacts>("/api/case"),
    get<Me>("/api/me"),
    get<FootageList>("/api/footage"),
  ]);
  document.title = `${facts.name} · Aftermap`;
  const page = frame(facts);
  const choices = choicesOf(facts);
  const basemap = await basemapLayers(facts);
  const map = makeMap(page.map, facts, styleOf(facts, choices, basemap));
  const grades = new Map<string, Map<string, string | null>>();
  const outbox = new Outbox(
    `aftermap.outbox.${facts.name}`,
    () => bench.me.reviewer,
    (count, trouble) => drawSaved(page.saved, count, trouble),
    (decision) => reviewing.wasSaved(decision.source_id),
  );
  const solid = new Solid(map, facts, choices);
  const bench: Bench = {
    facts,
    map,
    solid,
    choices,
    me,
    side: page.side,
    outbox,
    buildings: [],
    grades,
    footage,
    go: (view) => go(view),
    showClip: (sha256, time_s) => {
      go("footage");
      void clips.showClip(sha256, time_s);
    },
    showPhotograph: (sha256) => {
      go("footage");
      clips.showPhotograph(sha256);
    },
    refreshFootage: async () => {
      bench.footage = await get<FootageList>("/api/footage");
      clips.forget();
    },
  };
  Object.assign(page.map, { bench }); // for a look from the console, and for tests
  const clips = new Footage(bench);
  const reviewing = new Reviewing(bench);
  const placing = new Placing(bench);
  const comparing = new Comparing(bench, page.compare);
  const measuring = new Measuring(map, page.measure, () => {
    if (solid.isOn) solid.end();
  });
  const looking: View = {
    open: () => undefined,
    close: () => undefined,
    mapClick: (at, point) => reviewing.opens(point) || clips.mapClick(at),
  };
  const views: Record<ViewName, View> = {
    map: looking,
    buildings: reviewing,
    footage: clips,
    place: placing,
    compare: comparing,
  };
  let view: ViewName = "map";
  const tilted = (): void => void solid.toggle();

  function go(name: ViewName): void {
    views[view].close();
    measuring.end();
    if (name === "compare" && solid.isOn) solid.end();
    view = name;
    enterView(name);
    page.root.dataset.view = name;
    page.side.hidden = name === "map";
    fill(page.side);
    for (const [one] of VIEWS) page.tabs[one].setAttribute("aria-pressed", String(one === name));
    map.resize();
    views[name].open();
  }

  for (const [name] of VIEWS) page.tabs[name].addEventListener("click", () => go(name));
  drawMe(bench, page.who, () => void reloadBuildings());
  drawTheme(page.theme);
  register(
    ...actions(bench, { go, reviewing, clips, placing, comparing, measuring, page, tilted }),
  );
  listen();
  page.help.addEventListener("click", openKeys);
  drawTools(page.tools, measuring, tilted);
  map.on("click", (event) => {
    if (measuring.isOn) return;
    const at = solid.placeAt(event);
    views[view].mapClick?.(at, solid.isOn ? map.project(at) : event.point);
  });
  map.on("error", (event) => {
    if (/abort/i.test(event.error?.message ?? "")) return;
    console.warn(event.error?.message);
    void troubleOf(facts, event as TileTrouble).then((isNew) => {
      if (isNew) layerPanel(bench, page.layers);
    });
  });
  readCursor(bench, page.cursor);
  layerPanel(bench, page.layers);
  const buildings = reloadBuildings();
  await styled(map);
  for (const choice of choices) if (isShown(choice)) showLayer(bench, choice, true);
  await buildings;
  page.root.dataset.ready = "yes";
  void outbox.send();
  drawSaved(page.saved, outbox.count, null);
  watch(bench, page.state);
  if (!me.reviewer) askName(bench, () => drawMe(bench, page.who, () => void reloadBuildings()));

  async function reloadBuildings(): Promise<void> {
    const choice = choices.find((one) => one.id === "buildings");
    if (!choice) return;
    solid.forget();
    const [found, said] = await Promise.all([
      get<Columns>("/api/queue"),
      get<Record<string, Record<string, string | null>>>("/api/grades"),
      styled(map).then(() => showShapes(map, choice)),
    ]);
    bench.buildings = buildingsOf(found);
    grades.clear();
    for (const [id, by] of Object.entries(said)) grades.set(id, new Map(Object.entries(by)));
    for (const one of bench.buildings) {
      if (grades.has(one.properties.source_id)) markGrade(map, one.id, shownGrade(bench, one));
    }
    reviewing.changed();
  }
}

interface Page {
  root: HTMLElement;
  map: HTMLElement;
  compare: HTMLElement;
  side: HTMLElement;
  layers: HTMLElement;
  measure: HTMLElement;
  cursor: HTMLElement;
  saved: HTMLElement;
  state: HTMLElement;
  who: HTMLElement;
  theme: HTMLElement;
  help: HTMLElement;
  tools: HTMLElement;
  tabs: Record<ViewName, HTMLElement>;
  left: HTMLElement;
}

function frame(facts: CaseFacts): Page {
  const tabs = Object.fromEntries(
    VIEWS.map(([name, words]) => [
      name,
      el(
        "button",
        {
          "aria-pressed": name === "map",
          class: "tab",
        },
        words,
        " ",
        keyLabel(`view-${name}`),
      ),
    ]),
  ) as unknown as Record<ViewName, HTMLElement>;
  const page: Page = {
    root: app,
    tabs,
    map: el("div", { class: "map", "aria-label": "Map" }),
    compare: el("div", { class: "comparing", hidden: true }),
    side: el("aside", { class: "side", hidden: true, "aria-label": "Beside the map" }),
    layers: el("div", { class: "layer-panel" }),
    measure: el("div", { class: "measuring", hidden: true }),
    cursor: el(
      "output",
      { class: "cursor", "aria-label": "At the cursor" },
      "Coordinates and height come here when the cursor is on the map.",
    ),
    tools: el("div", { class: "tools", role: "group", "aria-label": "Measure and tilt" }),
    saved: el("span", { class: "saved", role: "status" }),
    state: el("span", { class: "state", role: "status" }),
    who: el("div", { class: "who" }),
    theme: el("button", { class: "quiet" }),
    help: el("button", { class: "quiet" }, "Keys ", keyLabel("keys")),
    left: el("section", { class: "left", "aria-label": "Layers" }),
  };
  page.left.append(page.layers);
  const main = el(
    "main",
    {},
    page.left,
    el("div", { class: "centre" }, page.map, page.tools, page.compare, page.measure),
    page.side,
  );
  fill(
    app,
    el(
      "header",
      { class: "top" },
      el("h1", {}, anyScript(facts.name)),
      el("nav", { "aria-label": "Views" }, ...Object.values(tabs)),
      el("div", { class: "right" }, page.saved, page.who, page.theme, page.help),
    ),
    main,
    el("footer", { class: "bottom" }, page.cursor, page.state),
    el("div", { id: "told" }),
  );
  return page;
}

interface Parts {
  go: (view: ViewName) => void;
  reviewing: Reviewing;
  clips: Footage;
  placing: Placing;
  comparing: Comparing;
  measuring: Measuring;
  page: Page;
  tilted: () => void;
}

function actions(bench: Bench, parts: Parts): Parameters<typeof register> {
  const { reviewing, clips, placing, comparing, measuring } = parts;
  const bounds = boundsOf(bench.facts);
  const playing = (view: string, player: Footage["player"]): Parameters<typeof register> => [
    { view, name: `back`, key: "j", words: "Play backwards", run: () => player.playBack() },
    { view, name: `pause`, key: "k", words: "Stop at a picture", run: () => player.pause() },
    { view, name: `forward`, key: "l", words: "Play; again, faster", run: () => player.play() },
    {
      view,
      name: `frame-back`,
      key: "ArrowLeft",
      words: "One picture back",
      run: () => player.step(-1),
    },
    {
      view,
      name: `frame-on`,
      key: "ArrowRight",
      words: "One picture on",
      run: () => player.step(1),
    },
    {
      view,
      name: `frames-back`,
      key: ",",
      words: "Ten pictures back",
      run: () => player.step(-10),
    },
    { view, name: `frames-on`, key: ".", words: "Ten pictures on", run: () => player.step(10) },
  ];
  return [
    ...VIEWS.map(([name, words]) => ({
      name: `view-${name}`,
      key: name[0]!,
      words,
      run: () => parts.go(name),
    })),
    {
      name: "layers",
      key: "\\",
      words: "Layers shown or not",
      run: () => {
        parts.page.left.hidden = !parts.page.left.hidden;
        bench.map.resize();
      },
    },
    {
      name: "grades",
      key: "e",
      words: "Building grades shown or not",
      run: () => document.getElementById("layer-buildings")?.click(),
    },
    {
      name: "whole",
      key: "w",
      words: "The whole case in view",
      run: () => bounds && bench.map.fitBounds(bounds, { padding: 24 }),
    },
    {
      name: "tilt",
      key: "t",
      words: "Tilted in three dimensions, or from above",
      run: () => parts.tilted(),
    },
    {
      name: "distance",
      key: "r",
      words: "Measure a distance",
      run: () => measuring.begin("distance"),
    },
    { name: "area", key: "a", words: "Measure an area", run: () => measuring.begin("area") },
    {
      name: "profile",
      key: "h",
      words: "Heights along a line",
      run: () => measuring.begin("profile"),
    },
    { name: "end", key: "Escape", words: "End measuring", run: () => measuring.end() },
    {
      name: "grey",
      key: "x",
      words: "Pictures in grey",
      run: () => keep({ isGrey: !prefs.isGrey }),
    },
    {
      name: "blur",
      key: "v",
      words: "Blur pictures marked graphic, or not",
      run: () => {
        keep({ blursGraphic: !prefs.blursGraphic });
        tell(prefs.blursGraphic ? "Graphic pictures are blurred" : "Graphic pictures are shown");
      },
    },
    {
      name: "dark",
      key: "d",
      words: "Dark or light",
      run: () => {
        keep({ theme: isDark() ? "light" : "dark" });
        drawTheme(parts.page.theme);
      },
    },
    { name: "keys", key: "?", words: "All keys", run: () => openKeys() },
    ...GRADES.map((grade, i) => ({
      view: "buildings",
      name: `grade${i + 1}`,
      key: String(i + 1),
      words: `Grade: ${grade === "none" ? "no visible damage" : grade}`,
      run: () => reviewing.grade(grade),
    })),
    {
      view: "buildings",
      name: "not-assessed",
      key: "0",
      words: "Not assessed, with a reason",
      run: () => reviewing.notAssessed(),
    },
    {
      view: "buildings",
      name: "next",
      key: "j",
      words: "Next building",
      run: () => reviewing.next(1),
    },
    {
      view: "buildings",
      name: "previous",
      key: "k",
      words: "Building before",
      run: () => reviewing.next(-1),
    },
    { view: "buildings", name: "note", key: "n", words: "Note", run: () => reviewing.note() },
    {
      view: "buildings",
      name: "undo",
      key: "u",
      words: "Take back the last grade of this building",
      run: () => void reviewing.undo(),
    },
    ...playing("footage", clips.player),
    {
      view: "footage",
      name: "graphic",
      key: "g",
      words: "Mark as graphic, or not",
      run: () => void clips.toggleGraphic(),
    },
    {
      view: "footage",
      name: "reveal",
      key: "s",
      words: "Show what is blurred",
      run: () => clips.reveal(),
    },
    {
      view: "footage",
      name: "follow",
      key: "o",
      words: "The map follows the footprint",
      run: () => clips.toggleFollow(),
    },
    ...playing("place", placing.player).map((one) => ({ ...one, name: `place-${one.name}` })),
    {
      view: "place",
      name: "place-reveal",
      key: "s",
      words: "Show what is blurred",
      run: () => placing.reveal(),
    },
    {
      view: "place",
      name: "take-back",
      key: "u",
      words: "Take back the last click",
      run: () => placing.undo(),
    },
    {
      view: "place",
      name: "save-place",
      key: "Enter",
      words: "Save the camera",
      run: () => void placing.save(),
    },
    {
      view: "compare",
      name: "flip",
      key: " ",
      words: "The other picture",
      run: () => comparing.flip(),
    },
    {
      view: "compare",
      name: "swipe",
      key: "1",
      words: "Swipe",
      run: () => comparing.setWay("swipe"),
    },
    {
      view: "compare",
      name: "beside",
      key: "2",
      words: "Side by side",
      run: () => comparing.setWay("beside"),
    },
    {
      view: "compare",
      name: "blink",
      key: "3",
      words: "Blink",
      run: () => comparing.setWay("blink"),
    },
  ];
}

function drawTools(place: HTMLElement, measuring: Measuring, tilted: () => void): void {
  const tool = (name: string, words: string, run: () => void): HTMLElement =>
    el("button", { onclick: run }, words, " ", keyLabel(name));
  fill(
    place,
    tool("distance", "Distance", () => measuring.begin("distance")),
    tool("area", "Area", () => measuring.begin("area")),
    tool("profile", "Heights", () => measuring.begin("profile")),
    tool("tilt", "3-D", tilted),
  );
}

function drawSaved(place: HTMLElement, count: number, trouble: string | null): void {
  place.className = `saved${trouble ? " wrong" : ""}`;
  place.textContent =
    count === 0 ? "All saved" : trouble ? `${count} not saved yet: ${trouble}` : `Saving ${count}`;
}

function drawMe(bench: Bench, place: HTMLElement, changed: () => void): void {
  const blind = el("input", {
    type: "checkbox",
    id: "blind",
    checked: bench.me.is_blind,
    onchange: async (event: Event) => {
      bench.me = await post<Me>("/api/me", {
        reviewer: bench.me.reviewer || "reviewer",
        is_blind: (event.target as HTMLInputElement).checked,
      });
      drawMe(bench, place, changed);
      changed();
    },
  });
  fill(
    place,
    el(
      "label",
      { for: "blind", title: "The machine's grades and other reviewers' are not even sent" },
      blind,
      "Blind",
    ),
    el(
      "button",
      {
        class: "quiet",
        onclick: () =>
          askName(bench, () => {
            drawMe(bench, place, changed);
            changed();
          }),
      },
      bench.me.reviewer ? anyScript(bench.me.reviewer) : "Who are you?",
    ),
    el(
      "button",
      {
        class: "quiet",
        title: "An address for another reviewer, good for one browser",
        onclick: () => void invite(),
      },
      "Invite",
    ),
  );
}

function askName(bench: Bench, done: () => void): void {
  const name = el("input", {
    type: "text",
    dir: "auto",
    maxlength: 80,
    "aria-label": "Your name",
    value: bench.me.reviewer || localStorage.getItem("aftermap.name") || "",
  });
  sheet(
    "Who reviews?",
    el(
      "div",
      {},
      el("p", { class: "muted" }, "Grades carry this name. A pseudonym will do."),
      name,
    ),
    () => {
      const reviewer = name.value.trim();
      if (!reviewer) return;
      localStorage.setItem("aftermap.name", reviewer);
      post<Me>("/api/me", { reviewer, is_blind: bench.me.is_blind }).then(
        (me) => {
          bench.me = me;
          void bench.outbox.send();
          done();
        },
        (error: Error) => tell(error.message, "wrong"),
      );
    },
  );
  name.focus();
  name.select();
}

async function invite(): Promise<void> {
  const { address } = await post<{ address: string }>("/api/invitations", {});
  const field = el("input", {
    type: "text",
    readonly: true,
    value: address,
    "aria-label": "Address",
  });
  sheet(
    "An address for one browser",
    el("div", {}, field),
    () => void navigator.clipboard?.writeText(address),
  );
  field.select();
}

function drawTheme(place: HTMLElement): void {
  place.textContent = isDark() ? "Light" : "Dark";
  place.onclick = () => {
    keep({ theme: isDark() ? "light" : "dark" });
    drawTheme(place);
  };
}

/** Where the cursor is: longitude and latitude, the case's own coordinates, the height there. */
function readCursor(bench: Bench, place: HTMLElement): void {
  let moved: MapMouseEvent | null = null,
    isAsking = false;
  const zoom = (): string => `zoom ${bench.map.getZoom().toFixed(1)}`;
  const ask = async (): Promise<void> => {
    if (isAsking || !moved) return;
    isAsking = true;
    const [lon, lat] = bench.solid.placeAt(moved);
    const asked: LonLat = [((((lon + 180) % 360) + 360) % 360) - 180, lat];
    moved = null;
    try {
      const spot = await get<Spot>(`/api/point?lon=${asked[0]}&lat=${asked[1]}`);
      const height =
        spot.height_m === null
          ? "no height"
          : `${spot.height_m.toFixed(2)} m (${bench.facts.vertical_datum ?? "?"}), ${
              (spot.photographs ?? 0) >= 2
                ? `${spot.photographs} photographs agree`
                : "filled, not measured"
            }`;
      const lonlat = bench.facts.is_on_globe
        ? `${asked[1].toFixed(6)}, ${asked[0].toFixed(6)}   `
        : "";
      place.textContent = `${lonlat}${bench.facts.crs} ${spot.xy_m[0].toFixed(1)} E ${spot.xy_m[1].toFixed(1)} N   ${height}   ${zoom()}`;
    } catch {
      place.textContent = `${asked[1].toFixed(6)}, ${asked[0].toFixed(6)}   ${zoom()}`;
    }
    isAsking = false;
    setTimeout(() => void ask(), CURSOR_MS);
  };
  bench.map.on("mousemove", (event) => {
    if (bench.map.isMoving()) return;
    moved = event;
    void ask();
  });
}

/** Whether the case is being mapped, and whether another answer has come since this page was opened. */
function watch(bench: Bench, place: HTMLElement): void {
  const look = async (): Promise<void> => {
    try {
      const now = await get<{ run: number; ended_at: string; is_running: boolean }>("/api/state");
      const isNew = now.ended_at !== bench.facts.ended_at;
      if (isNew && !now.is_running) {
        forgetShapes();
        fill(
          place,
          "The case was mapped again. ",
          el("button", { class: "link", onclick: () => location.reload() }, "Show the new map"),
        );
      } else {
        place.textContent = now.is_running
          ? "The case is being mapped; this is what was there before."
          : "";
      }
    } catch {
      place.textContent = "The server does not answer.";
    }
    setTimeout(() => void look(), STATE_MS);
  };
  void look();
}
