// Buildings one after another: their pictures side by side, and a grade by one key.

import { get, GRADES, post, type BuildingFacts, type Grade, type LonLat, type Review, type Row, type Saved } from "./api.js";
import type { Bench, BuildingFeature, View } from "./bench.js";
import { anyScript, el, fill, put, tell } from "./dom.js";
import { shownKey } from "./keys.js";
import { markGrade } from "./map.js";
import { keep, prefs } from "./prefs.js";
import { compass, GRADE_COLOURS, GRADE_WORDS, gradeWord, percent, plainName, timeCode, unitOf } from "./words.js";

const SORTS: [string, string][] = [
  ["uncertainty", "Most uncertain first"], ["sample", "In the sample's order"],
  ["area", "Largest first"], ["grade", "Worst first"],
];
const BLIND_SORTS = ["sample", "area"];
const AHEAD = 2;

export class Reviewing implements View {
  private queue: BuildingFeature[] = [];
  private at = -1;
  private shown: BuildingFacts | null = null;
  private readonly known = new Map<string, Promise<BuildingFacts>>();
  private readonly body = el("div", { class: "review-body" });
  private readonly bar = el("div", { class: "grades", role: "group", "aria-label": "Grade" });
  private readonly head = el("header", { class: "review-head" });
  private isOpen = false;
  private chosen: number | null = null;

  constructor(private readonly bench: Bench) {}

  open(): void {
    this.isOpen = true;
    if (!this.bench.buildings.length) {
      fill(this.bench.side, el("section", { class: "empty" }, el("h2", {}, "No buildings"),
        el("p", {}, "This case has no graded buildings. Run aftermap assess with an outline file, "
          + "then this page shows them.")));
      return;
    }
    fill(this.bench.side, this.head, this.bar, this.body);
    this.sort();
    if (this.at < 0) this.at = 0;
    void this.show();
  }

  close(): void {
    this.isOpen = false;
    this.choose(null);
  }

  mapClick(_: LonLat, point: { x: number; y: number }): boolean {
    const found = this.bench.map.getLayer("buildings")
      ? this.bench.map.queryRenderedFeatures([point.x, point.y], { layers: ["buildings", "buildings-hatch"] }) : [];
    const id = found[0]?.id;
    if (id === undefined) return false;
    const at = this.queue.findIndex((one) => one.id === id);
    if (at >= 0) void this.goTo(at, false);
    else {
      const one = this.bench.buildings.find((building) => building.id === id);
      if (one) { this.queue.splice(this.at + 1, 0, one); void this.goTo(this.at + 1, false); }
    }
    return true;
  }

  next(step: number): void {
    const at = this.at + step;
    if (at >= 0 && at < this.queue.length) void this.goTo(at, true);
  }

  grade(grade: Grade): void {
    this.decide({ grade });
  }

  notAssessed(): void {
    const id = this.current?.properties.source_id;
    if (!id) return;
    ask("Why is it not assessed?", this.bench.me.reasons, (reason) =>
      this.decide({ grade: null, not_assessed_reason: reason }));
  }

  note(): void {
    const mine = this.mine();
    const area = el("textarea", { rows: 5, dir: "auto", "aria-label": "Note", maxlength: 4000, value: mine?.note ?? "" });
    sheet("Note", area, () => {
      const text = area.value.trim();
      if (!text) return;
      if (mine?.grade) this.decide({ grade: mine.grade, note: text }, false);
      else this.decide({ grade: null, not_assessed_reason: mine?.not_assessed_reason ?? "note only", note: text }, false);
    });
    area.focus();
  }

  async undo(): Promise<void> {
    const building = this.current;
    if (!building) return;
    try {
      await this.bench.outbox.emptied();
      const source_id = building.properties.source_id;
      const saved = await post<Saved>("/api/undo", { source_id, at: new Date().toISOString() });
      const isOpenAgain = saved.not_assessed_reason === "withdrawn by the reviewer";
      this.remember(building, isOpenAgain ? undefined : saved.grade);
      tell(isOpenAgain ? "Taken back: not graded by you" : `Taken back: ${gradeWord(saved.grade)} holds again`);
      this.known.delete(source_id);
      await this.show();
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "wrong");
    }
  }

  /** What the server has put on the disk. */
  wasSaved(sourceId: string): void {
    this.known.delete(sourceId);
    if (this.isOpen && this.current?.properties.source_id === sourceId) void this.show();
  }

  changed(): void {
    this.known.clear();
    if (this.isOpen) this.open();
  }

  private get current(): BuildingFeature | undefined {
    return this.queue[this.at];
  }

  private mine(): Review | undefined {
    const rows = this.shown?.reviews ?? [];
    const last = rows.filter((one) => one.reviewer === this.bench.me.reviewer).at(-1);
    return last?.not_assessed_reason === "withdrawn by the reviewer" ? undefined : last;
  }

  private decide(what: { grade: Grade | null; not_assessed_reason?: string; note?: string }, goesOn = true): void {
    const building = this.current;
    if (!building) return;
    if (!this.bench.me.reviewer) {
      tell("Say who you are first: the name at the top right.", "wrong");
      return;
    }
    const note = what.note ?? this.mine()?.note ?? undefined;
    this.bench.outbox.add({
      source_id: building.properties.source_id, at: new Date().toISOString(), ...what,
      ...(note ? { note } : {}),
    });
    this.remember(building, what.grade);
    if (goesOn && this.at < this.queue.length - 1) this.next(1);
    else void this.show();
  }

  /** ``grade`` undefined: not graded by this reviewer any more. */
  private remember(building: BuildingFeature, grade: Grade | null | undefined): void {
    const id = building.properties.source_id;
    const by = this.bench.grades.get(id) ?? new Map<string, string | null>();
    if (grade === undefined) by.delete(this.bench.me.reviewer);
    else by.set(this.bench.me.reviewer, grade);
    this.bench.grades.set(id, by);
    markGrade(this.bench.map, building.id, shownGrade(this.bench, building));
  }

  private sort(): void {
    const before = this.current?.properties.source_id;
    const sort = this.bench.me.is_blind && !BLIND_SORTS.includes(prefs.sort) ? "sample" : prefs.sort;
    const keyOf = SORT_KEYS[sort] ?? SORT_KEYS.area!;
    let chosen = [...this.bench.buildings];
    if (sort === "sample" && chosen.some((one) => one.properties.sample != null)) {
      chosen = chosen.filter((one) => one.properties.sample != null);
    }
    if (prefs.onlyOpen) {
      chosen = chosen.filter((one) => !this.bench.grades.get(one.properties.source_id)?.has(this.bench.me.reviewer));
    }
    this.queue = chosen.sort((a, b) => keyOf(a) - keyOf(b));
    this.at = this.queue.findIndex((one) => one.properties.source_id === before);
  }

  private async goTo(at: number, moves: boolean): Promise<void> {
    this.at = at;
    await this.show();
    const here = this.current?.properties.at;
    if (moves && here) this.bench.map.easeTo({ center: here, duration: 200, zoom: Math.max(this.bench.map.getZoom(), 18) });
  }

  private async show(): Promise<void> {
    const building = this.current;
    this.drawHead();
    this.choose(building ?? null);
    if (!building) {
      fill(this.bar);
      fill(this.body, el("p", { class: "muted" }, "Nothing is left in this queue."));
      return;
    }
    try {
      const facts = await this.facts(building.properties.source_id);
      if (this.current !== building) return;
      this.shown = facts;
      this.drawBar();
      this.drawBody(building, facts);
      for (let i = 1; i <= AHEAD; i++) this.prepare(this.queue[this.at + i]);
    } catch (error) {
      fill(this.body, el("p", { class: "warning" }, error instanceof Error ? error.message : String(error)));
    }
  }

  private facts(sourceId: string): Promise<BuildingFacts> {
    let found = this.known.get(sourceId);
    if (!found) {
      found = get<BuildingFacts>(`/api/building?source_id=${encodeURIComponent(sourceId)}`);
      this.known.set(sourceId, found);
      found.catch(() => this.known.delete(sourceId));
      if (this.known.size > 60) this.known.delete(this.known.keys().next().value as string);
    }
    return found;
  }

  /** The pictures of the next ones are there before they are asked for. */
  private prepare(building: BuildingFeature | undefined): void {
    if (!building) return;
    void this.facts(building.properties.source_id).then((facts) => {
      for (const row of facts.evidence) new Image().src = pictureOf(row);
    }, () => undefined);
  }

  private drawHead(): void {
    const sorts = SORTS.filter(([name]) => !this.bench.me.is_blind || BLIND_SORTS.includes(name));
    const sort = el("select", {
      "aria-label": "Order of the queue",
      onchange: (event: Event) => { keep({ sort: (event.target as HTMLSelectElement).value }); this.sort(); this.at = 0; void this.show(); },
    }, ...sorts.map(([name, words]) => el("option", { value: name, selected: name === prefs.sort }, words)));
    const open = el("input", {
      type: "checkbox", id: "only-open", checked: prefs.onlyOpen,
      onchange: (event: Event) => { keep({ onlyOpen: (event.target as HTMLInputElement).checked }); this.sort(); if (this.at < 0) this.at = 0; void this.show(); },
    });
    const graded = this.queue.filter((one) => this.bench.grades.get(one.properties.source_id)?.has(this.bench.me.reviewer)).length;
    fill(this.head,
      el("div", { class: "row spread" },
        el("h2", {}, "Building ", anyScript(this.current?.properties.source_id ?? "")),
        el("div", { class: "row" },
          el("button", { onclick: () => this.next(-1) }, `Back `, el("kbd", {}, shownKey("previous"))),
          el("button", { onclick: () => this.next(1) }, `Next `, el("kbd", {}, shownKey("next"))))),
      el("div", { class: "row spread muted" },
        el("span", {}, `${this.at + 1} of ${this.queue.length}; ${graded} graded by you`),
        el("div", { class: "row" }, el("label", { for: "only-open", class: "row" }, open, "Open ones only"), sort)));
  }

  private drawBar(): void {
    const mine = this.mine();
    const button = (name: string, words: string, colour: string | null, isMine: boolean, run: () => void): HTMLElement =>
      el("button", { class: `grade${isMine ? " mine" : ""}`, "aria-pressed": isMine, onclick: run },
        colour ? el("i", { class: "area", colour }) : el("i", { class: "hatched" }),
        el("span", {}, words), el("kbd", {}, shownKey(name)));
    fill(this.bar,
      ...GRADES.map((grade, i) => button(`grade${i + 1}`, GRADE_WORDS[grade], GRADE_COLOURS[grade], mine?.grade === grade, () => this.grade(grade))),
      button("not-assessed", "Not assessed", null, mine !== undefined && mine.grade === null, () => this.notAssessed()));
  }

  private drawBody(building: BuildingFeature, facts: BuildingFacts): void {
    const pictures = facts.evidence.filter((row) => row.kind !== "profile");
    const profiles = facts.evidence.filter((row) => row.kind === "profile");
    fill(this.body,
      pictures.length ? el("div", { class: "evidence" }, ...pictures.map((row) => figure(row, this.bench)))
        : el("p", { class: "muted" }, "No pictures were cut for this building; aftermap assess makes them for those in the sample, or asked for by id."),
      ...profiles.map((row) => el("figure", { class: "wide" },
        el("img", { src: pictureOf(row), alt: "Heights of the surface through the middle of the building", loading: "eager" }))),
      el("div", { class: "columns" },
        this.machine(facts.building),
        reviewsOf(facts.reviews, this.bench.me.reviewer, () => this.note(), () => void this.undo())),
      measurements(facts.measurements, building));
  }

  private machine(row: Row): HTMLElement {
    if (this.bench.me.is_blind) {
      return el("section", {}, el("h3", {}, "Machine"), el("p", { class: "muted" }, "Hidden while you work blind."));
    }
    const reasons = listOf(row.reasons);
    const grade = row.grade as Grade | null | undefined;
    return el("section", {}, el("h3", {}, "Machine"),
      el("p", { class: "verdict" },
        grade ? el("i", { class: "area", colour: GRADE_COLOURS[grade] }) : el("i", { class: "hatched" }),
        gradeWord(grade), typeof row.confidence === "number" ? `, ${percent(row.confidence)} sure` : ""),
      row.not_assessed_reason ? el("p", { class: "muted" }, anyScript(String(row.not_assessed_reason))) : null,
      reasons.length ? el("ul", { class: "reasons" }, ...reasons.map((one) => el("li", {}, anyScript(one)))) : null);
  }

  private choose(building: BuildingFeature | null): void {
    const map = this.bench.map;
    if (!map.getSource("buildings")) return;
    if (this.chosen !== null) map.removeFeatureState({ source: "buildings", id: this.chosen }, "chosen");
    this.chosen = building?.id ?? null;
    if (building) map.setFeatureState({ source: "buildings", id: building.id }, { chosen: true });
  }
}

/** What the map shows of a building: this reviewer's word, else the last of the others, else null. */
export function shownGrade(bench: Bench, building: BuildingFeature): Grade | "na" | null {
  const by = bench.grades.get(building.properties.source_id);
  if (!by?.size) return null;
  const grade = by.has(bench.me.reviewer) ? by.get(bench.me.reviewer) : [...by.values()].at(-1);
  return (grade as Grade | null) ?? "na";
}

const SORT_KEYS: Record<string, (one: BuildingFeature) => number> = {
  uncertainty: ({ properties }) => (properties.grade ? 0 : 10) + (properties.confidence ?? 1)
    - (properties.possible ? 1 : 0),
  sample: ({ properties }) => properties.sample ?? Number.MAX_SAFE_INTEGER,
  area: ({ properties }) => -(properties.area_m2 ?? 0),
  grade: ({ properties }) => -GRADES.indexOf(properties.grade as Grade),
};

function pictureOf(row: Row): string {
  return `/media/evidence/${String(row.fid)}`;
}

function figure(row: Row, bench: Bench): HTMLElement {
  const source = String(row.clip_sha256 ?? row.original_sha256 ?? "");
  const isGraphic = prefs.blursGraphic && bench.footage.graphic.includes(source);
  const image = el("img", { src: pictureOf(row), alt: `Picture of the building: ${String(row.kind)}`, loading: "eager" });
  const holder = el("button", {
    class: `picture${isGraphic ? " blurred" : ""}`, "aria-label": "Enlarge",
    onclick: () => { if (holder.classList.contains("blurred")) holder.classList.remove("blurred"); else enlarge(row); },
  }, image, isGraphic ? el("span", { class: "veil" }, "Marked graphic. Click to show.") : null);
  const parts = [
    typeof row.time_s === "number" ? timeCode(row.time_s) : null,
    typeof row.distance_m === "number" ? `${row.distance_m.toFixed(0)} m away` : null,
    typeof row.azimuth_deg === "number" ? `from ${compass(row.azimuth_deg)}` : null,
    typeof row.occluded_fraction === "number" && row.occluded_fraction > 0.02 ? `${percent(row.occluded_fraction)} hidden` : null,
    typeof row.ground_sample_m === "number" ? `${(100 * row.ground_sample_m).toFixed(1)} cm` : null,
  ].filter((one): one is string => one !== null);
  const name = row.kind === "orthophoto" ? "Orthophoto" : String(row.original_name ?? "");
  const opens = row.kind === "view" && source ? el("button", {
    class: "link", title: "Show the original",
    onclick: () => typeof row.time_s === "number" ? bench.showClip(source, row.time_s) : bench.showPhotograph(source),
  }, anyScript(name)) : anyScript(name);
  return el("figure", {}, holder, el("figcaption", {}, opens, el("span", { class: "muted" }, parts.join(" · "))));
}

function enlarge(row: Row): void {
  const dialog = el("dialog", { class: "lightbox", "aria-label": "Picture", onclick: () => dialog.close() },
    el("img", { src: pictureOf(row), alt: "" }));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function reviewsOf(reviews: Review[], me: string, note: () => void, undo: () => void): HTMLElement {
  const rows = [...reviews].reverse().map((one) => el("li", { class: one.reviewer === me ? "mine" : "" },
    el("div", { class: "row spread" },
      el("strong", {}, anyScript(one.reviewer)), el("span", { class: "muted" }, one.at.slice(0, 16).replace("T", " "))),
    el("div", {}, one.grade ? el("i", { class: "area", colour: GRADE_COLOURS[one.grade] }) : el("i", { class: "hatched" }),
      gradeWord(one.grade), one.not_assessed_reason ? anyScript(` (${one.not_assessed_reason})`) : null),
    one.note ? el("p", { class: "said", dir: "auto" }, one.note) : null));
  return el("section", {}, el("div", { class: "row spread" }, el("h3", {}, "Reviewers"),
    el("div", { class: "row" }, el("button", { class: "quiet", onclick: note }, "Note ", el("kbd", {}, shownKey("note"))),
      el("button", { class: "quiet", onclick: undo }, "Undo ", el("kbd", {}, shownKey("undo"))))),
    rows.length ? el("ul", { class: "reviews" }, ...rows) : el("p", { class: "muted" }, "Nobody has graded it yet."));
}

function measurements(rows: Row[], building: BuildingFeature): HTMLElement | null {
  const told = rows.map((row) => [String(row.name), row.value, row.sigma] as const)
    .filter(([, value]) => typeof value === "number");
  const area = building.properties.area_m2;
  if (!told.length && area == null) return null;
  const line = (name: string, value: string): HTMLElement =>
    el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value));
  return el("section", {}, el("h3", {}, "Measurements"), el("table", { class: "measures" }, el("tbody", {},
    area != null ? line("area of the outline", `${area.toFixed(0)} m²`) : null,
    ...told.map(([name, value, sigma]) => line(plainName(name),
      `${short(value as number)}${typeof sigma === "number" ? ` ± ${short(sigma)}` : ""} ${unitOf(name)}`)))));
}

function short(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : value ? String(value).split("; ") : [];
}

function ask(title: string, reasons: string[], done: (reason: string) => void): void {
  const other = el("input", { type: "text", dir: "auto", maxlength: 200, placeholder: "another reason", "aria-label": "Another reason" });
  const list = el("div", { class: "choices" }, ...reasons.map((reason, i) => el("button", {
    onclick: () => { dialog.close(); done(reason); },
  }, el("kbd", {}, String(i + 1)), reason)));
  const dialog = sheet(title, el("div", {}, list, other), () => { if (other.value.trim()) done(other.value.trim()); });
  dialog.addEventListener("keydown", (event) => {
    const reason = reasons[Number(event.key) - 1];
    if (!reason || event.target === other) return;
    event.preventDefault();
    event.stopPropagation();  // or the digit would grade the next building
    dialog.close();
    done(reason);
  });
  (list.firstElementChild as HTMLElement | null)?.focus();
}

export function sheet(title: string, body: HTMLElement, done: () => void): HTMLDialogElement {
  const dialog = el("dialog", { class: "sheet", "aria-label": title });
  const form = el("form", {
    method: "dialog", onsubmit: (event: Event) => { event.preventDefault(); dialog.close(); done(); },
  }, el("header", {}, el("h2", {}, title)), body,
    el("footer", {}, el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
      el("button", { type: "submit", class: "first" }, "Save")));
  put(dialog, form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
