// A clip is placed by hand: a click in the picture and a click on the map are one pair; six pairs and
// more give a camera, solved anew with every click.

import { type Click, type Clip, get, type LonLat, post, type Solved } from "./api.js";
import type { Bench, View } from "./bench.js";
import { anyScript, el, fill, svg, tell } from "./dom.js";
import { shownKey } from "./keys.js";
import { drawLive, type LivePart } from "./map.js";
import { Player } from "./player.js";
import { texts } from "./texts.js";
import { unveil, veil } from "./veil.js";
import { metres, timeCode } from "./words.js";

const NEEDED = 6;
const POLL_MS = 1500;

export class Placing implements View {
  readonly player = new Player(() => this.draw(), "place-");
  private clip: Clip | null = null;
  private clicks: Click[] = [];
  private pendingPixel: [number, number] | null = null;
  private pendingPlace: LonLat | null = null;
  private solved: Solved | null = null;
  private trouble: string | null = null;
  private asking: AbortController | null = null;
  private isSolving = false;
  private readonly drawn = svg("g", { class: "drawn" });
  // What is pressed stays while the drawing is made anew: a click on what has gone would be lost.
  private readonly over = svg(
    "svg",
    { class: "over" },
    svg("rect", { width: "100%", height: "100%", class: "catch" }),
    this.drawn,
  );
  private readonly info = el("div", { class: "placing" });
  private readonly choice = el("select", {
    "aria-label": texts.place.clip,
    onchange: (event: Event) => void this.choose((event.target as HTMLSelectElement).value),
  });
  private isOpen = false;

  constructor(private readonly bench: Bench) {
    this.player.frame.append(this.over);
    this.player.frame.classList.add("aimed");
    this.over.addEventListener("click", (event) => this.pictureClick(event as MouseEvent));
  }

  open(): void {
    this.isOpen = true;
    const clips = this.bench.footage.clips;
    if (!clips.length || !("surface" in this.bench.facts.rasters)) {
      fill(
        this.bench.side,
        el(
          "section",
          { class: "empty" },
          el("h2", {}, texts.place.title),
          el("p", {}, clips.length ? texts.place.noSurface : texts.place.noClips),
        ),
      );
      return;
    }
    fill(
      this.choice,
      ...clips.map((one) =>
        el("option", { value: one.sha256, selected: one.sha256 === this.clip?.sha256 }, one.name),
      ),
    );
    fill(
      this.bench.side,
      el("header", { class: "row spread" }, el("h2", {}, texts.place.title), this.choice),
      this.player.element,
      this.info,
    );
    if (this.clip) {
      this.draw();
      this.drawInfo();
    } else void this.choose((clips.find((one) => !one.placed_seconds) ?? clips[0]!).sha256);
  }

  close(): void {
    this.isOpen = false;
    this.player.stop();
    drawLive(this.bench.map, []);
  }

  mapClick(at: LonLat): boolean {
    this.pendingPlace = at;
    this.pair();
    return true;
  }

  async choose(sha256: string): Promise<void> {
    const clip = this.bench.footage.clips.find((one) => one.sha256 === sha256);
    if (!clip) return;
    this.clip = clip;
    veil(this.player.frame, this.bench, sha256);
    this.solved = null;
    this.pendingPixel = this.pendingPlace = null;
    try {
      if (["missing", "failed", "making"].includes(clip.copy)) await this.copied(clip);
      this.clicks = (await get(`/api/clips/${sha256}/clicks`)).clicks;
      await this.player.load(
        clip,
        this.clicks.length ? seconds(this.clicks[0]!.time_s) : clip.placed_from_s,
        [],
      );
      this.over.setAttribute("viewBox", `0 0 ${clip.width_px} ${clip.height_px}`);
      await this.solve();
    } catch (error) {
      fill(
        this.info,
        el("p", { class: "warning" }, error instanceof Error ? error.message : String(error)),
      );
    }
  }

  reveal(): void {
    unveil(this.player.frame);
  }

  /** The last click goes: a pair, or the half of one. */
  undo(): void {
    if (this.pendingPixel || this.pendingPlace) this.pendingPixel = this.pendingPlace = null;
    else {
      const here = this.here();
      const last = here.at(-1);
      if (last) this.clicks.splice(this.clicks.indexOf(last), 1);
    }
    void this.solve();
  }

  async save(): Promise<void> {
    if (!this.clip) return;
    if (!this.solved) {
      tell(texts.place.nothingToSave, "wrong");
      return;
    }
    try {
      await post(`/api/clips/${this.clip.sha256}/place`, { clicks: this.clicks });
      tell(texts.place.saved);
      await this.waited(this.clip);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "wrong");
    }
  }

  private async copied(clip: Clip): Promise<void> {
    fill(
      this.info,
      el("p", {}, texts.footage.makingCopy),
      el("progress", { "aria-label": texts.footage.makingCopyLabel }),
    );
    await post(`/api/clips/${clip.sha256}/copy`, {});
    for (;;) {
      await new Promise((done) => setTimeout(done, POLL_MS));
      await this.bench.refreshFootage();
      const now = this.bench.footage.clips.find((one) => one.sha256 === clip.sha256);
      if (now?.copy === "failed") throw new Error(now.copy_reason ?? texts.footage.copyFailed);
      if (now && now.copy !== "making") return;
    }
  }

  private async waited(clip: Clip): Promise<void> {
    for (;;) {
      await new Promise((done) => setTimeout(done, POLL_MS));
      const now = await get(`/api/clips/${clip.sha256}/place`);
      if (now.state === "working") continue;
      if (now.state === "failed") {
        tell(texts.place.failed(clip.name, now.error ?? texts.place.failedWithout), "wrong");
        return;
      }
      await this.bench.refreshFootage();
      tell(texts.place.done(clip.name, (now.lines ?? []).slice(-2).join("; ")));
      return;
    }
  }

  private here(): Click[] {
    const time = this.player.time_s;
    return this.clicks.filter((one) => Math.abs(seconds(one.time_s) - time) < 1e-6);
  }

  private pictureClick(event: MouseEvent): void {
    if (!this.clip) return;
    this.player.pause();
    const matrix = this.over.getScreenCTM();
    if (!matrix) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    this.pendingPixel = [at.x, at.y];
    this.pair();
  }

  private pair(): void {
    if (this.pendingPixel && this.pendingPlace) {
      const [px, py] = this.pendingPixel,
        [lon, lat] = this.pendingPlace;
      this.clicks.push({ time_s: this.player.exactTime, px, py, lon, lat, height_m: null });
      this.pendingPixel = this.pendingPlace = null;
      void this.solve();
    } else {
      this.draw();
      this.drawInfo();
    }
  }

  private async solve(): Promise<void> {
    this.solved = null;
    this.trouble = null;
    this.asking?.abort();
    const clicks = this.here();
    if (this.clip && clicks.length >= NEEDED) {
      const asking = new AbortController();
      this.asking = asking;
      this.isSolving = true;
      this.draw();
      this.drawInfo();
      try {
        const solved = await post(
          `/api/clips/${this.clip.sha256}/solve`,
          { clicks },
          asking.signal,
        );
        if (asking.signal.aborted) return; // it is of fewer clicks
        this.solved = solved;
      } catch (error) {
        if (asking.signal.aborted) return;
        this.trouble = error instanceof Error ? error.message : String(error);
      }
    }
    this.isSolving = false;
    this.draw();
    this.drawInfo();
  }

  private draw(): void {
    if (!this.clip || !this.isOpen) return;
    const scale = this.clip.width_px / 640;
    const clicks = this.here();
    const shown = this.solved && clicks.length === this.solved.used.length ? this.solved : null;
    const marks = clicks.flatMap((one, i) => {
      const wrong = shown ? !shown.used[i] : false;
      const residual = shown?.residuals_px[i];
      return [
        residual
          ? svg("line", {
              x1: one.px,
              y1: one.py,
              x2: one.px + residual[0],
              y2: one.py + residual[1],
              class: "residual",
            })
          : null,
        svg("circle", { cx: one.px, cy: one.py, r: 4 * scale, class: wrong ? "tie wrong" : "tie" }),
        svg(
          "text",
          {
            x: one.px + 6 * scale,
            y: one.py - 5 * scale,
            "font-size": 12 * scale,
            class: "tie-name",
          },
          i + 1,
        ),
      ];
    });
    const pending = this.pendingPixel
      ? svg("circle", {
          cx: this.pendingPixel[0],
          cy: this.pendingPixel[1],
          r: 5 * scale,
          class: "tie pending",
        })
      : null;
    const outlines = (shown?.outlines ?? []).map((ring) =>
      svg("polygon", { points: ring.map((one) => one.join(",")).join(" "), class: "outline" }),
    );
    fill(this.drawn, ...outlines, ...marks, pending);
    const parts: LivePart[] = [];
    if (shown?.ring.length) {
      parts.push(
        { part: "outer", at: shown.outer, without: shown.ring },
        { part: "ring", at: shown.ring },
        { part: "camera", at: [shown.position[0], shown.position[1]] },
      );
    }
    for (const [i, one] of clicks.entries()) {
      parts.push({ part: "tie", at: [one.lon, one.lat], wrong: shown ? !shown.used[i] : false });
    }
    if (this.pendingPlace) parts.push({ part: "pending", at: this.pendingPlace });
    drawLive(this.bench.map, parts);
  }

  private drawInfo(): void {
    const clicks = this.here();
    const wants =
      this.isSolving && !this.pendingPixel && !this.pendingPlace
        ? texts.place.solving
        : this.pendingPixel
          ? texts.place.clickMap
          : this.pendingPlace
            ? texts.place.clickPicture
            : clicks.length < NEEDED
              ? texts.place.pairsNeeded(NEEDED - clicks.length)
              : texts.place.morePairs;
    const others = this.clicks.length - clicks.length;
    fill(
      this.info,
      el("p", { class: "wants", role: "status" }, wants),
      this.trouble ? el("p", { class: "warning" }, anyScript(this.trouble)) : null,
      this.solved ? this.answer(this.solved) : null,
      clicks.length ? this.table(clicks) : null,
      others ? el("p", { class: "muted" }, texts.place.otherMoments(others)) : null,
      el(
        "div",
        { class: "row" },
        el(
          "button",
          { onclick: () => this.undo() },
          texts.place.undo,
          " ",
          el("kbd", {}, shownKey("take-back")),
        ),
        el(
          "button",
          { class: "first", onclick: () => void this.save(), disabled: !this.solved },
          texts.common.save,
          " ",
          el("kbd", {}, shownKey("save-place")),
        ),
      ),
    );
  }

  private answer(solved: Solved): HTMLElement {
    const rows: [string, string][] = [
      [
        texts.place.facts.ce90,
        solved.ce90_m === null ? texts.place.noGround : metres(solved.ce90_m),
      ],
      [
        texts.place.facts.camera,
        texts.place.camera(
          solved.position[1].toFixed(6),
          solved.position[0].toFixed(6),
          metres(solved.position[2]),
        ),
      ],
      [
        texts.place.facts.sigma,
        texts.place.sigma(
          metres(solved.sigma_m[0]),
          metres(solved.sigma_m[1]),
          metres(solved.sigma_m[2]),
        ),
      ],
      [
        texts.place.facts.focal,
        texts.place.focal(
          solved.focal_px.toFixed(0),
          solved.focal_sigma_px.toFixed(0),
          solved.focal_before_px.toFixed(0),
        ),
      ],
      [texts.place.facts.residuals, texts.place.residuals(solved.sigma_px.toFixed(1))],
    ];
    return el(
      "dl",
      { class: "facts" },
      ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
    );
  }

  private table(clicks: Click[]): HTMLElement {
    const solved = this.solved;
    return el(
      "table",
      { class: "rows" },
      el(
        "thead",
        {},
        el("tr", {}, ...texts.place.columns.map((name) => el("th", { scope: "col" }, name))),
      ),
      el(
        "tbody",
        {},
        ...clicks.map((one, i) => {
          const residual = solved?.residuals_px[i];
          return el(
            "tr",
            { class: solved && !solved.used[i] ? "wrong" : "" },
            el("td", {}, i + 1),
            el("td", {}, residual ? Math.hypot(...residual).toFixed(1) : ""),
            el("td", {}, solved ? solved.left_out_px[i]!.toFixed(1) : ""),
            el("td", {}, solved ? heightOf(solved, i) : ""),
            el(
              "td",
              {},
              el(
                "button",
                {
                  class: "link",
                  "aria-label": texts.place.removePair(i + 1, timeCode(seconds(one.time_s))),
                  onclick: () => {
                    this.clicks.splice(this.clicks.indexOf(one), 1);
                    void this.solve();
                  },
                },
                texts.place.remove,
              ),
            ),
          );
        }),
      ),
    );
  }
}

function heightOf(solved: Solved, i: number): string {
  const height = solved.heights_m[i]!.toFixed(1);
  return solved.filled[i] ? texts.place.filled(height) : height;
}

function seconds(time: string): number {
  const [num, den] = time.split("/");
  return Number(num) / Number(den ?? 1);
}
