// Buildings one after another: their pictures side by side, and a grade by one key.

import {
  type Building,
  type BuildingFacts,
  GRADES,
  type Grade,
  get,
  type LonLat,
  post,
  type Review,
} from "./api.js";
import type { Bench, BuildingFeature, View } from "./bench.js";
import { ask, sheet } from "./dialogs.js";
import { anyScript, el, fill, tell, withParts } from "./dom.js";
import { figure, measurements, pictureOf } from "./evidence.js";
import { shownKey } from "./keys.js";
import { markGrade } from "./map.js";
import { keep, prefs } from "./prefs.js";
import { texts } from "./texts.js";
import { GRADE_COLOURS, gradeWord, percent } from "./words.js";

const SORTS: [string, string][] = [
  ["uncertainty", texts.review.sort.uncertainty],
  ["sample", texts.review.sort.sample],
  ["double", texts.review.sort.double],
  ["area", texts.review.sort.area],
  ["grade", texts.review.sort.grade],
];
const BLIND_SORTS = ["sample", "double", "area"];
const AHEAD = 2;
const MOST_KNOWN = 60;
const FRESH_MS = 5000;
const EDGE_PX = 50;

type Point = { x: number; y: number };
interface Known {
  facts: Promise<BuildingFacts>;
  at_ms: number;
}

export class Reviewing implements View {
  private queue: BuildingFeature[] = [];
  private at = -1;
  private shown: BuildingFacts | null = null;
  private readonly known = new Map<string, Known>();
  private readonly body = el("div", { class: "review-body" });
  private readonly bar = el("div", {
    class: "grades",
    role: "group",
    "aria-label": texts.review.grade,
  });
  private readonly head = el("header", { class: "review-head" });
  private isOpen = false;
  private chosen: number | null = null;

  constructor(private readonly bench: Bench) {}

  open(): void {
    this.isOpen = true;
    if (!this.bench.buildings.length) {
      fill(
        this.bench.side,
        el(
          "section",
          { class: "empty" },
          el("h2", {}, texts.review.noBuildings),
          el("p", {}, texts.review.noBuildingsHint),
          el("code", { class: "command" }, texts.review.assessCommand(this.bench.facts.name)),
        ),
      );
      return;
    }
    fill(this.bench.side, this.head, this.bar, this.body);
    this.sort();
    void this.goTo(Math.max(this.at, 0), false);
  }

  close(): void {
    this.isOpen = false;
    this.choose(null);
  }

  mapClick(_: LonLat, point: Point): boolean {
    const id = this.drawnAt(point);
    if (id !== undefined) this.goToBuilding(id);
    return id !== undefined;
  }

  /** Opens the building that is drawn there, if one is. */
  opens(point: Point): boolean {
    const id = this.drawnAt(point);
    if (id === undefined) return false;
    this.bench.go("buildings");
    this.goToBuilding(id);
    return true;
  }

  private drawnAt({ x, y }: Point): number | undefined {
    const { map } = this.bench;
    if (!map.getLayer("buildings")) return undefined;
    return map.queryRenderedFeatures([x, y], { layers: ["buildings", "buildings-hatch"] })[0]?.id as
      | number
      | undefined;
  }

  /** One that is not in the queue comes after the one that is looked at. */
  private goToBuilding(id: number): void {
    let at = this.queue.findIndex((one) => one.id === id);
    const building = this.bench.buildings.find((one) => one.id === id);
    if (at < 0 && building) {
      at = this.at + 1;
      this.queue.splice(at, 0, building);
    }
    if (at >= 0) void this.goTo(at, false);
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
    ask(texts.review.whyNotAssessed, this.bench.me.reasons, (reason) =>
      this.decide({ grade: null, not_assessed_reason: reason }),
    );
  }

  /** A note goes with a grade; before there is one it waits in the browser. */
  note(): void {
    const building = this.current;
    if (!building) return;
    const mine = this.mine();
    const draft = this.draftOf(building);
    const area = el("textarea", {
      rows: 5,
      dir: "auto",
      "aria-label": texts.review.note,
      maxlength: 4000,
      value: draft ?? mine?.note ?? "",
    });
    sheet(texts.review.note, area, () => {
      const note = area.value.trim();
      if (this.current !== building || !note) return;
      if (mine)
        this.decide(
          {
            grade: mine.grade as Grade | null,
            not_assessed_reason: mine.not_assessed_reason ?? undefined,
            note,
          },
          false,
        );
      else {
        localStorage.setItem(this.draftName(building), note);
        tell(texts.review.noteWaits);
        void this.show();
      }
    });
    area.focus();
  }

  private draftName(building: BuildingFeature): string {
    return `aftermap.note.${this.bench.facts.name}/${building.properties.source_id}`;
  }

  private draftOf(building: BuildingFeature): string | null {
    return localStorage.getItem(this.draftName(building));
  }

  async undo(): Promise<void> {
    const building = this.current;
    if (!building) return;
    try {
      await this.bench.outbox.emptied();
      const source_id = building.properties.source_id;
      const saved = await post("/api/undo", { source_id, at: new Date().toISOString() });
      const isOpenAgain = saved.is_withdrawn;
      this.remember(building, isOpenAgain ? undefined : saved.grade);
      tell(
        isOpenAgain ? texts.review.undoneToNothing : texts.review.undoneTo(gradeWord(saved.grade)),
      );
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

  /** What this reviewer said last of the current building; nothing as long as it is being read. */
  private mine(): Review | undefined {
    const isRead = this.shown?.building.source_id === this.current?.properties.source_id;
    const rows = isRead ? (this.shown?.reviews ?? []) : [];
    const last = rows.filter((one) => one.reviewer === this.bench.me.reviewer).at(-1);
    return last?.is_withdrawn ? undefined : last;
  }

  private decide(
    what: { grade: Grade | null; not_assessed_reason?: string; note?: string },
    goesOn = true,
  ): void {
    const building = this.current;
    if (!building) return;
    if (!this.bench.me.reviewer) {
      tell(texts.reviewer.nameFirst, "wrong");
      return;
    }
    const note = what.note ?? this.draftOf(building) ?? this.mine()?.note ?? undefined;
    localStorage.removeItem(this.draftName(building));
    this.bench.outbox.add({
      source_id: building.properties.source_id,
      at: new Date().toISOString(),
      ...what,
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
    const sort = this.sortName();
    const keyOf = SORT_KEYS[sort] ?? SORT_KEYS.area!;
    let chosen = [...this.bench.buildings];
    if (sort === "sample" && chosen.some((one) => one.properties.sample != null)) {
      chosen = chosen.filter((one) => one.properties.sample != null);
    }
    if (sort === "double") chosen = chosen.filter(isForTwo);
    if (prefs.onlyOpen) {
      chosen = chosen.filter(
        (one) => !this.bench.grades.get(one.properties.source_id)?.has(this.bench.me.reviewer),
      );
    }
    this.queue = chosen.sort((a, b) => keyOf(a) - keyOf(b));
    this.at = this.queue.findIndex((one) => one.properties.source_id === before);
  }

  private sortName(): string {
    return this.bench.me.is_blind && !BLIND_SORTS.includes(prefs.sort) ? "sample" : prefs.sort;
  }

  private needsSample(): boolean {
    return (
      ["sample", "double"].includes(this.sortName()) &&
      this.bench.buildings.every((one) => one.properties.sample == null)
    );
  }

  /** Well inside the map, and not below what lies along its edges. */
  private isInSight(here: LonLat): boolean {
    const { map } = this.bench;
    const { x, y } = map.project(here),
      { clientWidth, clientHeight } = map.getContainer();
    return x > EDGE_PX && y > EDGE_PX && x < clientWidth - EDGE_PX && y < clientHeight - EDGE_PX;
  }

  /** The map goes there where ``moves`` says so, and where the building is out of its sight. */
  private async goTo(at: number, moves: boolean): Promise<void> {
    this.at = at;
    await this.show();
    const here = this.current?.properties.at;
    if (here && (moves || !this.isInSight(here)))
      this.bench.map.easeTo({
        center: here,
        duration: 200,
        zoom: Math.max(this.bench.map.getZoom(), 18),
      });
  }

  private async show(): Promise<void> {
    const building = this.current;
    this.drawHead();
    this.choose(building ?? null);
    if (!building) {
      fill(this.bar);
      fill(this.body, el("p", { class: "muted" }, texts.review.queueEmpty));
      return;
    }
    try {
      const facts = await this.facts(building.properties.source_id);
      if (this.current !== building) return;
      this.shown = facts;
      this.drawBar();
      this.drawBody(building, facts);
      for (let i = 1; i <= AHEAD; i++) this.prepare(this.queue[this.at + i]);
      this.refresh(building).catch(() => undefined); // what is shown stays
    } catch (error) {
      fill(
        this.body,
        el("p", { class: "warning" }, error instanceof Error ? error.message : String(error)),
      );
    }
  }

  private facts(sourceId: string): Promise<BuildingFacts> {
    const found = this.known.get(sourceId);
    if (found) return found.facts;
    const facts = get(`/api/building?source_id=${encodeURIComponent(sourceId)}`);
    this.known.set(sourceId, { facts, at_ms: performance.now() });
    facts.catch(() => this.known.delete(sourceId));
    if (this.known.size > MOST_KNOWN) this.known.delete(this.known.keys().next().value as string);
    return facts;
  }

  /** What was read a while ago is read again: another reviewer may have said something since. */
  private async refresh(building: BuildingFeature): Promise<void> {
    const { source_id } = building.properties;
    const found = this.known.get(source_id);
    if (!found || performance.now() - found.at_ms < FRESH_MS) return;
    const before = await found.facts;
    this.known.delete(source_id);
    const now = await this.facts(source_id);
    if (this.current === building && now.reviews.length !== before.reviews.length)
      await this.show();
  }

  /** The pictures of the next ones are there before they are asked for. */
  private prepare(building: BuildingFeature | undefined): void {
    if (!building) return;
    void this.facts(building.properties.source_id).then(
      (facts) => {
        for (const row of facts.evidence) new Image().src = pictureOf(row);
      },
      () => undefined,
    );
  }

  private drawHead(): void {
    const sorts = SORTS.filter(([name]) => !this.bench.me.is_blind || BLIND_SORTS.includes(name));
    const sort = el(
      "select",
      {
        "aria-label": texts.review.order,
        onchange: (event: Event) => {
          keep({ sort: (event.target as HTMLSelectElement).value });
          this.sort();
          this.at = 0;
          void this.show();
        },
      },
      ...sorts.map(([name, words]) =>
        el("option", { value: name, selected: name === this.sortName() }, words),
      ),
    );
    const open = el("input", {
      type: "checkbox",
      id: "only-open",
      checked: prefs.onlyOpen,
      onchange: (event: Event) => {
        keep({ onlyOpen: (event.target as HTMLInputElement).checked });
        this.sort();
        if (this.at < 0) this.at = 0;
        void this.show();
      },
    });
    const graded = this.queue.filter((one) =>
      this.bench.grades.get(one.properties.source_id)?.has(this.bench.me.reviewer),
    ).length;
    fill(
      this.head,
      el(
        "div",
        { class: "row spread" },
        el(
          "h2",
          {},
          ...withParts(texts.review.building, {
            id: anyScript(this.current?.properties.source_id ?? ""),
          }),
        ),
        el(
          "div",
          { class: "row" },
          el(
            "button",
            { onclick: () => this.next(-1) },
            texts.review.previous,
            " ",
            el("kbd", {}, shownKey("previous")),
          ),
          el(
            "button",
            { onclick: () => this.next(1) },
            texts.review.next,
            " ",
            el("kbd", {}, shownKey("next")),
          ),
        ),
      ),
      el(
        "div",
        { class: "row spread muted" },
        el(
          "span",
          {},
          texts.review.progress(this.at + 1, this.queue.length, graded),
          this.current && isForTwo(this.current) ? el("b", {}, ` · ${texts.review.forTwo}`) : null,
        ),
        el(
          "div",
          { class: "row" },
          el("label", { for: "only-open", class: "row" }, open, texts.review.onlyOpen),
          sort,
        ),
      ),
      this.needsSample() ? el("p", { class: "muted" }, texts.review.noSample) : null,
    );
  }

  private drawBar(): void {
    const mine = this.mine();
    const button = (
      name: string,
      words: string,
      colour: string | null,
      isMine: boolean,
      run: () => void,
    ): HTMLElement =>
      el(
        "button",
        { class: `grade${isMine ? " mine" : ""}`, "aria-pressed": isMine, onclick: run },
        colour ? el("i", { class: "area", colour }) : el("i", { class: "hatched" }),
        el("span", {}, words),
        el("kbd", {}, shownKey(name)),
      );
    fill(
      this.bar,
      ...GRADES.map((grade, i) =>
        button(
          `grade${i + 1}`,
          texts.grades[grade],
          GRADE_COLOURS[grade],
          mine?.grade === grade,
          () => this.grade(grade),
        ),
      ),
      button(
        "not-assessed",
        texts.grades.notAssessed,
        null,
        mine !== undefined && mine.grade === null,
        () => this.notAssessed(),
      ),
    );
  }

  private drawBody(building: BuildingFeature, facts: BuildingFacts): void {
    const pictures = facts.evidence.filter((row) => row.kind !== "profile");
    const profiles = facts.evidence.filter((row) => row.kind === "profile");
    fill(
      this.body,
      pictures.length
        ? el("div", { class: "evidence" }, ...pictures.map((row) => figure(row, this.bench)))
        : el("p", { class: "muted" }, texts.review.noPictures),
      ...profiles.map((row) =>
        el(
          "figure",
          { class: "wide" },
          el("img", {
            src: pictureOf(row),
            alt: texts.review.heightProfile,
            loading: "eager",
          }),
        ),
      ),
      el(
        "div",
        { class: "columns" },
        this.machine(facts.building),
        reviewsOf(
          facts.reviews,
          this.bench.me.reviewer,
          this.draftOf(building),
          () => this.note(),
          () => void this.undo(),
        ),
      ),
      measurements(facts.measurements, building),
    );
  }

  private machine(row: Building): HTMLElement {
    if (this.bench.me.is_blind) {
      return el(
        "section",
        {},
        el("h3", {}, texts.review.model),
        el("p", { class: "muted" }, texts.review.hiddenBlind),
      );
    }
    const reasons = listOf(row.reasons);
    const against = listOf(row.reasons_against);
    const grade = row.grade as Grade | null | undefined;
    return el(
      "section",
      {},
      el("h3", {}, texts.review.model),
      el(
        "p",
        { class: "verdict" },
        grade
          ? el("i", { class: "area", colour: GRADE_COLOURS[grade] })
          : el("i", { class: "hatched" }),
        typeof row.confidence === "number"
          ? texts.review.confidence(gradeWord(grade), percent(row.confidence))
          : gradeWord(grade),
      ),
      row.not_assessed_reason
        ? el("p", { class: "muted" }, anyScript(String(row.not_assessed_reason)))
        : null,
      grade && String(row.imagery) in texts.review.worseImagery
        ? el("p", { class: "muted" }, texts.review.worseImagery[String(row.imagery)])
        : null,
      ...reasonsOf(
        typeof row.reasons_against === "string" ? texts.review.reasonsFor : null,
        reasons,
      ),
      ...reasonsOf(texts.review.reasonsAgainst, against),
    );
  }

  private choose(building: BuildingFeature | null): void {
    const map = this.bench.map;
    if (!map.getSource("buildings")) return;
    if (this.chosen !== null)
      map.removeFeatureState({ source: "buildings", id: this.chosen }, "chosen");
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
  uncertainty: ({ properties }) =>
    (properties.grade ? 0 : 10) + (properties.confidence ?? 1) - (properties.possible ? 1 : 0),
  sample: ({ properties }) => properties.sample ?? Number.MAX_SAFE_INTEGER,
  double: ({ properties }) => properties.sample ?? Number.MAX_SAFE_INTEGER,
  area: ({ properties }) => -(properties.area_m2 ?? 0),
  grade: ({ properties }) => -GRADES.indexOf(properties.grade as Grade),
};

function isForTwo({ properties }: BuildingFeature): boolean {
  return (properties.graders ?? 0) > 1;
}

function reviewsOf(
  reviews: Review[],
  me: string,
  draft: string | null,
  note: () => void,
  undo: () => void,
): HTMLElement {
  const rows = [...reviews]
    .reverse()
    .map((one) =>
      el(
        "li",
        { class: one.reviewer === me ? "mine" : "" },
        el(
          "div",
          { class: "row spread" },
          el("strong", {}, anyScript(one.reviewer)),
          el("span", { class: "muted" }, one.at.slice(0, 16).replace("T", " ")),
        ),
        el(
          "div",
          {},
          one.grade
            ? el("i", { class: "area", colour: GRADE_COLOURS[one.grade] })
            : el("i", { class: "hatched" }),
          one.is_withdrawn ? texts.review.withdrawn : gradeWord(one.grade),
          one.not_assessed_reason && !one.is_withdrawn
            ? anyScript(` (${one.not_assessed_reason})`)
            : null,
          el(
            "span",
            { class: "muted" },
            ` · ${one.blinding ? texts.review.blinding[one.blinding] : texts.review.blindingNotKnown}`,
          ),
        ),
        one.note ? el("p", { class: "said", dir: "auto" }, one.note) : null,
      ),
    );
  return el(
    "section",
    {},
    el(
      "div",
      { class: "row spread" },
      el("h3", {}, texts.review.reviewers),
      el(
        "div",
        { class: "row" },
        el(
          "button",
          { class: "quiet", onclick: note },
          texts.review.note,
          " ",
          el("kbd", {}, shownKey("note")),
        ),
        el(
          "button",
          { class: "quiet", onclick: undo },
          texts.review.undo,
          " ",
          el("kbd", {}, shownKey("undo")),
        ),
      ),
    ),
    draft
      ? el(
          "p",
          { class: "draft" },
          ...withParts(texts.review.waitingNote, { note: anyScript(draft) }),
        )
      : null,
    rows.length
      ? el("ul", { class: "reviews" }, ...rows)
      : el("p", { class: "muted" }, texts.review.nobodyYet),
  );
}

function reasonsOf(side: string | null, reasons: string[]): (HTMLElement | null)[] {
  if (!reasons.length) return [];
  return [
    side ? el("h4", {}, side) : null,
    el("ul", { class: "reasons" }, ...reasons.map((one) => el("li", {}, anyScript(one)))),
  ];
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : value ? String(value).split("; ") : [];
}
