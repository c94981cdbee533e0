// The workbench: one map, and beside it whatever the reviewer is doing.

import type { MapMouseEvent } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import "@maplibre/maplibre-gl-compare/style.css";
import "./style.css";
import { type CaseFacts, GRADES, get, type LonLat, post, type Spot } from "./api.js";
import { type Bench, buildingsOf, type View, type ViewName } from "./bench.js";
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
import { texts } from "./texts.js";
import { Totals } from "./totals.js";
import { datumWord, gradeWord, metres } from "./words.js";

const VIEWS: [ViewName, string, string][] = [
  ["map", texts.views.map, "m"],
  ["buildings", texts.views.buildings, "b"],
  ["footage", texts.views.footage, "f"],
  ["place", texts.views.place, "p"],
  ["compare", texts.views.compare, "c"],
  ["totals", texts.views.totals, "q"],
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
    throw new Error(texts.page.needsWebGl2);
  }
  const [facts, me, footage] = await Promise.all([
    get("/api/case"),
    get("/api/me"),
    get("/api/footage"),
  ]);
  document.title = texts.page.titleOf(facts.name);
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
      bench.footage = await get("/api/footage");
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
    totals: new Totals(bench),
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
    if ((event.error as Error | undefined)?.name === "AbortError") return; // the map moved on meanwhile
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
      get("/api/queue"),
      get("/api/grades"),
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
    map: el("div", { class: "map", "aria-label": texts.page.map }),
    compare: el("div", { class: "comparing", hidden: true }),
    side: el("aside", { class: "side", hidden: true, "aria-label": texts.page.sidePanel }),
    layers: el("div", { class: "layer-panel" }),
    measure: el("div", { class: "measuring", hidden: true }),
    cursor: el(
      "output",
      { class: "cursor", "aria-label": texts.page.cursor },
      texts.page.cursorHint,
    ),
    tools: el("div", { class: "tools", role: "group", "aria-label": texts.page.tools }),
    saved: el("span", { class: "saved", role: "status" }),
    state: el("span", { class: "state", role: "status" }),
    who: el("div", { class: "who" }),
    theme: el("button", { class: "quiet" }),
    help: el("button", { class: "quiet" }, texts.shortcuts.title, " ", keyLabel("keys")),
    left: el("section", { class: "left", "aria-label": texts.layers.title }),
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
      el("nav", { "aria-label": texts.page.views }, ...Object.values(tabs)),
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
    {
      view,
      name: `back`,
      key: "j",
      words: texts.actions.playBackwards,
      run: () => player.playBack(),
    },
    { view, name: `pause`, key: "k", words: texts.actions.pause, run: () => player.pause() },
    { view, name: `forward`, key: "l", words: texts.actions.play, run: () => player.play() },
    {
      view,
      name: `frame-back`,
      key: "ArrowLeft",
      words: texts.actions.previousFrame,
      run: () => player.step(-1),
    },
    {
      view,
      name: `frame-on`,
      key: "ArrowRight",
      words: texts.actions.nextFrame,
      run: () => player.step(1),
    },
    {
      view,
      name: `frames-back`,
      key: ",",
      words: texts.actions.backTenFrames,
      run: () => player.step(-10),
    },
    {
      view,
      name: `frames-on`,
      key: ".",
      words: texts.actions.onTenFrames,
      run: () => player.step(10),
    },
  ];
  return [
    ...VIEWS.map(([name, words, key]) => ({
      name: `view-${name}`,
      key,
      words,
      run: () => parts.go(name),
    })),
    {
      name: "layers",
      key: "\\",
      words: texts.actions.toggleLayers,
      run: () => {
        parts.page.left.hidden = !parts.page.left.hidden;
        bench.map.resize();
      },
    },
    {
      name: "grades",
      key: "e",
      words: texts.actions.toggleGrades,
      run: () => document.getElementById("layer-buildings")?.click(),
    },
    {
      name: "whole",
      key: "w",
      words: texts.actions.zoomToExtent,
      run: () => bounds && bench.map.fitBounds(bounds, { padding: 24 }),
    },
    {
      name: "tilt",
      key: "t",
      words: texts.actions.toggle3d,
      run: () => parts.tilted(),
    },
    {
      name: "distance",
      key: "r",
      words: texts.actions.distance,
      run: () => measuring.begin("distance"),
    },
    { name: "area", key: "a", words: texts.actions.area, run: () => measuring.begin("area") },
    {
      name: "profile",
      key: "h",
      words: texts.actions.profile,
      run: () => measuring.begin("profile"),
    },
    { name: "end", key: "Escape", words: texts.actions.endMeasuring, run: () => measuring.end() },
    {
      name: "grey",
      key: "x",
      words: texts.actions.toggleGrey,
      run: () => keep({ isGrey: !prefs.isGrey }),
    },
    {
      name: "blur",
      key: "v",
      words: texts.actions.toggleBlur,
      run: () => {
        keep({ blursGraphic: !prefs.blursGraphic });
        tell(prefs.blursGraphic ? texts.footage.graphicBlurred : texts.footage.graphicShown);
      },
    },
    {
      name: "dark",
      key: "d",
      words: texts.actions.toggleTheme,
      run: () => {
        keep({ theme: isDark() ? "light" : "dark" });
        drawTheme(parts.page.theme);
      },
    },
    { name: "keys", key: "?", words: texts.actions.shortcuts, run: () => openKeys() },
    ...GRADES.map((grade, i) => ({
      view: "buildings",
      name: `grade${i + 1}`,
      key: String(i + 1),
      words: texts.actions.grade(gradeWord(grade)),
      run: () => reviewing.grade(grade),
    })),
    {
      view: "buildings",
      name: "not-assessed",
      key: "0",
      words: texts.actions.notAssessed,
      run: () => reviewing.notAssessed(),
    },
    {
      view: "buildings",
      name: "next",
      key: "j",
      words: texts.actions.nextBuilding,
      run: () => reviewing.next(1),
    },
    {
      view: "buildings",
      name: "previous",
      key: "k",
      words: texts.actions.previousBuilding,
      run: () => reviewing.next(-1),
    },
    {
      view: "buildings",
      name: "note",
      key: "n",
      words: texts.actions.note,
      run: () => reviewing.note(),
    },
    {
      view: "buildings",
      name: "undo",
      key: "u",
      words: texts.actions.undoGrade,
      run: () => void reviewing.undo(),
    },
    ...playing("footage", clips.player),
    {
      view: "footage",
      name: "graphic",
      key: "g",
      words: texts.actions.toggleGraphic,
      run: () => void clips.toggleGraphic(),
    },
    {
      view: "footage",
      name: "reveal",
      key: "s",
      words: texts.actions.reveal,
      run: () => clips.reveal(),
    },
    {
      view: "footage",
      name: "follow",
      key: "o",
      words: texts.actions.follow,
      run: () => clips.toggleFollow(),
    },
    ...playing("place", placing.player).map((one) => ({ ...one, name: `place-${one.name}` })),
    {
      view: "place",
      name: "place-reveal",
      key: "s",
      words: texts.actions.reveal,
      run: () => placing.reveal(),
    },
    {
      view: "place",
      name: "take-back",
      key: "u",
      words: texts.actions.undoClick,
      run: () => placing.undo(),
    },
    {
      view: "place",
      name: "save-place",
      key: "Enter",
      words: texts.actions.saveCamera,
      run: () => void placing.save(),
    },
    {
      view: "compare",
      name: "flip",
      key: " ",
      words: texts.actions.otherLayer,
      run: () => comparing.flip(),
    },
    {
      view: "compare",
      name: "swipe",
      key: "1",
      words: texts.actions.swipe,
      run: () => comparing.setWay("swipe"),
    },
    {
      view: "compare",
      name: "beside",
      key: "2",
      words: texts.actions.sideBySide,
      run: () => comparing.setWay("beside"),
    },
    {
      view: "compare",
      name: "blink",
      key: "3",
      words: texts.actions.blink,
      run: () => comparing.setWay("blink"),
    },
  ];
}

function drawTools(place: HTMLElement, measuring: Measuring, tilted: () => void): void {
  const tool = (name: string, words: string, run: () => void): HTMLElement =>
    el("button", { onclick: run }, words, " ", keyLabel(name));
  fill(
    place,
    tool("distance", texts.measure.distance, () => measuring.begin("distance")),
    tool("area", texts.measure.area, () => measuring.begin("area")),
    tool("profile", texts.measure.profile, () => measuring.begin("profile")),
    tool("tilt", texts.solid.tool, tilted),
  );
}

function drawSaved(place: HTMLElement, count: number, trouble: string | null): void {
  place.className = `saved${trouble ? " wrong" : ""}`;
  place.textContent =
    count === 0
      ? texts.saving.allSaved
      : trouble
        ? texts.saving.waiting(count, trouble)
        : texts.saving.saving(count);
}

function drawMe(bench: Bench, place: HTMLElement, changed: () => void): void {
  const redraw = (): void => {
    drawMe(bench, place, changed);
    changed();
  };
  const blind = el("input", {
    type: "checkbox",
    id: "blind",
    checked: bench.me.is_blind,
    onchange: () => {
      const isBlind = blind.checked;
      blind.checked = bench.me.is_blind; // until the server says so
      if (isBlind || bench.me.was_shown) void setBlind(bench, isBlind, redraw);
      else askToShow(bench, redraw);
    },
  });
  fill(
    place,
    el("label", { for: "blind", title: texts.reviewer.blindHint }, blind, texts.reviewer.blind),
    bench.me.was_shown
      ? el("span", { class: "muted", title: texts.reviewer.wasShownHint }, texts.reviewer.wasShown)
      : null,
    el(
      "button",
      {
        class: "quiet",
        onclick: () => askName(bench, redraw),
      },
      bench.me.reviewer ? anyScript(bench.me.reviewer) : texts.reviewer.enterName,
    ),
    el(
      "button",
      {
        class: "quiet",
        title: texts.reviewer.inviteHint,
        onclick: () => void invite(),
      },
      texts.reviewer.invite,
    ),
  );
}

/** Model grades are shown to a named reviewer only, who is told what that means for totals. */
function askToShow(bench: Bench, done: () => void): void {
  if (!bench.me.reviewer) {
    tell(texts.reviewer.nameFirst, "wrong");
    askName(bench, done);
    return;
  }
  sheet(
    texts.reviewer.showTitle,
    el("p", {}, texts.reviewer.showHint),
    () => void bench.outbox.emptied().then(() => setBlind(bench, false, done)),
    texts.reviewer.show,
  );
}

async function setBlind(bench: Bench, isBlind: boolean, done: () => void): Promise<void> {
  try {
    bench.me = await post("/api/me", { reviewer: bench.me.reviewer, is_blind: isBlind });
    done();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), "wrong");
  }
}

function askName(bench: Bench, done: () => void): void {
  const name = el("input", {
    type: "text",
    dir: "auto",
    maxlength: 80,
    "aria-label": texts.reviewer.name,
    value: bench.me.reviewer || localStorage.getItem("aftermap.name") || "",
  });
  sheet(
    texts.reviewer.nameTitle,
    el("div", {}, el("p", { class: "muted" }, texts.reviewer.nameHint), name),
    () => {
      const reviewer = name.value.trim();
      if (!reviewer) return;
      localStorage.setItem("aftermap.name", reviewer);
      post("/api/me", { reviewer, is_blind: bench.me.is_blind }).then(
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
  const { address } = await post("/api/invitations", {});
  const field = el("input", {
    type: "text",
    readonly: true,
    value: address,
    "aria-label": texts.reviewer.inviteLink,
  });
  sheet(
    texts.reviewer.inviteTitle,
    el("div", {}, field),
    () => void navigator.clipboard?.writeText(address),
    texts.reviewer.copyLink,
  );
  field.select();
}

function drawTheme(place: HTMLElement): void {
  place.textContent = isDark() ? texts.theme.light : texts.theme.dark;
  place.onclick = () => {
    keep({ theme: isDark() ? "light" : "dark" });
    drawTheme(place);
  };
}

/** Where the cursor is: longitude and latitude, the case's own coordinates, the height there. */
function readCursor(bench: Bench, place: HTMLElement): void {
  let moved: MapMouseEvent | null = null,
    isAsking = false;
  const zoom = (): string => texts.cursor.zoom(bench.map.getZoom().toFixed(1));
  const ask = async (): Promise<void> => {
    if (isAsking || !moved) return;
    isAsking = true;
    const [lon, lat] = bench.solid.placeAt(moved);
    const asked: LonLat = [((((lon + 180) % 360) + 360) % 360) - 180, lat];
    moved = null;
    try {
      const spot = await get(`/api/point?lon=${asked[0]}&lat=${asked[1]}`);
      const lonlat = bench.facts.is_on_globe ? lonlatWords(asked) : "";
      const [east, north] = [spot.xy_m[0].toFixed(1), spot.xy_m[1].toFixed(1)];
      place.textContent = asOneLine(
        lonlat,
        texts.cursor.eastNorth(bench.facts.crs, east, north),
        ...heightWords(spot, bench.facts.vertical_datum),
        zoom(),
      );
    } catch {
      place.textContent = asOneLine(lonlatWords(asked), zoom());
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

function lonlatWords([lon, lat]: LonLat): string {
  return `${lat.toFixed(6)}, ${lon.toFixed(6)}`;
}

/** The height at a place with its datum, and how many photographs agree on it. */
function heightWords({ height_m, photographs }: Spot, datum: string | null): string[] {
  if (height_m === null) return [texts.cursor.noHeight];
  const agreeing = photographs ?? 0;
  return [
    texts.cursor.height(metres(height_m, 2), datumWord(datum)),
    agreeing >= 2 ? texts.cursor.agreeing(agreeing) : texts.cursor.filled,
  ];
}

function asOneLine(...facts: string[]): string {
  return facts.filter((one) => one).join("   ");
}

/** Whether the case is being mapped, and whether another answer has come since this page was opened. */
function watch(bench: Bench, place: HTMLElement): void {
  const look = async (): Promise<void> => {
    try {
      const now = await get("/api/state");
      const isNew = now.ended_at !== bench.facts.ended_at;
      if (isNew && !now.is_running) {
        forgetShapes();
        fill(
          place,
          texts.page.runEnded,
          " ",
          el("button", { class: "link", onclick: () => location.reload() }, texts.page.loadNewRun),
        );
      } else {
        place.textContent = now.is_running ? texts.page.runInProgress : "";
      }
    } catch {
      place.textContent = texts.page.serverSilent;
    }
    setTimeout(() => void look(), STATE_MS);
  };
  void look();
}
