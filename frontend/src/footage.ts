// Footage beside the map: a clip plays while its footprint moves; a click finds who saw the spot.

import {
  type Clip,
  type ClipPath,
  get,
  type LonLat,
  type Photograph,
  post,
  type Sighting,
} from "./api.js";
import type { Bench, View } from "./bench.js";
import { anyScript, el, fill, tell } from "./dom.js";
import { drawLive, type LivePart } from "./map.js";
import { Player } from "./player.js";
import { prefs } from "./prefs.js";
import { texts } from "./texts.js";
import { unveil, veil } from "./veil.js";
import { bytes, centimetres, compass, degrees, metres, percent, timeCode } from "./words.js";

const NEAR_S = 2.5;
const FEW = 120;
const POLL_MS = 1500;

export class Footage implements View {
  readonly player = new Player((time_s) => this.moved(time_s));
  private readonly stage = el("div", { class: "stage" });
  private readonly about = el("p", { class: "about" });
  private readonly list = el("div", { class: "list" });
  private path: ClipPath | null = null;
  private paths = new Map<string, Promise<ClipPath>>();
  private spot: LonLat | null = null;
  private found: Sighting[] | null = null;
  private shownSha: string | null = null;
  private ring: LonLat[] | null = null;
  private isOpen = false;
  private follows = false;

  constructor(private readonly bench: Bench) {}

  open(): void {
    this.isOpen = true;
    fill(this.bench.side, this.stage, this.about, this.list);
    this.drawList();
    this.redraw();
  }

  close(): void {
    this.isOpen = false;
    this.player.stop();
    drawLive(this.bench.map, []);
  }

  mapClick(at: LonLat): boolean {
    void this.ask(at);
    return true;
  }

  /** Which moments and photographs saw this spot? */
  async ask(at: LonLat): Promise<void> {
    this.spot = at;
    this.found = null;
    this.redraw();
    try {
      this.found = await get(`/api/seen?lon=${at[0]}&lat=${at[1]}`);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "wrong");
    }
    if (!this.isOpen) this.bench.go("footage");
    else this.drawList();
  }

  async showClip(sha256: string, time_s: number | null): Promise<void> {
    const clip = this.bench.footage.clips.find((one) => one.sha256 === sha256);
    if (!clip) {
      tell(texts.footage.clipGone, "wrong");
      return;
    }
    this.shownSha = sha256;
    this.ring = null;
    if (clip.copy === "missing" || clip.copy === "making" || clip.copy === "failed") {
      this.path = null;
      this.drawMissing(clip, time_s);
      return;
    }
    fill(this.stage, this.player.element);
    veil(this.player.frame, this.bench, sha256);
    try {
      this.path = await this.pathOf(sha256);
      await this.player.load(clip, time_s, spansOf(this.path));
    } catch (error) {
      this.drawMissing(clip, time_s, error instanceof Error ? error.message : String(error));
    }
    this.drawList();
  }

  showPhotograph(sha256: string): void {
    const photo = this.bench.footage.photographs.find((one) => one.sha256 === sha256);
    if (!photo) {
      tell(texts.footage.photographGone, "wrong");
      return;
    }
    this.player.stop();
    this.shownSha = sha256;
    this.path = null;
    const holder = el(
      "div",
      { class: "screen" },
      el("img", {
        src: `/media/photographs/${sha256}?side_px=1600`,
        alt: texts.footage.photograph(photo.name),
      }),
    );
    fill(
      this.stage,
      el(
        "section",
        { class: "player" },
        holder,
        el(
          "div",
          { class: "row controls" },
          el(
            "a",
            {
              href: `/media/photographs/${sha256}?side_px=6000`,
              target: "_blank",
              rel: "noreferrer",
            },
            texts.footage.fullSize,
          ),
        ),
      ),
    );
    veil(holder, this.bench, sha256);
    fill(
      this.about,
      anyScript(photo.name),
      factsOf(photo.taken_at ?? texts.footage.timeNotKnown, photo.reason),
    );
    void this.outlineOf(sha256);
    this.drawList();
  }

  async toggleGraphic(): Promise<void> {
    if (!this.shownSha) return;
    const is_graphic = !this.bench.footage.graphic.includes(this.shownSha);
    try {
      await post("/api/graphic", { sha256: this.shownSha, is_graphic });
      await this.bench.refreshFootage();
      tell(is_graphic ? texts.footage.markedGraphic : texts.footage.unmarkedGraphic);
      const holder = this.stage.querySelector(".screen");
      if (holder) veil(holder as HTMLElement, this.bench, this.shownSha);
      this.drawList();
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "wrong");
    }
  }

  reveal(): void {
    unveil(this.stage.querySelector(".screen"));
  }

  toggleFollow(): void {
    this.follows = !this.follows;
    tell(this.follows ? texts.footage.following : texts.footage.notFollowing);
    this.moved(this.player.time_s);
  }

  pathOf(sha256: string): Promise<ClipPath> {
    let found = this.paths.get(sha256);
    if (!found) {
      found = get(`/api/clips/${sha256}/path`) as Promise<ClipPath>;
      this.paths.set(sha256, found);
      found.catch(() => this.paths.delete(sha256));
    }
    return found;
  }

  forget(): void {
    this.paths.clear();
    this.path = null;
  }

  private async outlineOf(sha256: string): Promise<void> {
    if (!this.bench.facts.layers.includes("photo_footprints")) return;
    const answer = await fetch("/api/layers/photo_footprints", { credentials: "same-origin" });
    const all = (await answer.json()) as GeoJSON.FeatureCollection<GeoJSON.Polygon>;
    const one = all.features.find((feature) => feature.properties?.sha256 === sha256);
    this.ring = (one?.geometry.coordinates[0] as LonLat[] | undefined) ?? null;
    this.redraw();
  }

  /** The footprint nearest to a moment, if one is near in the same stretch. */
  private moved(time_s: number): void {
    if (!this.isOpen || !this.path?.moments) {
      this.ring = null;
      this.redraw();
      return;
    }
    const at = nearest(this.path.time_s, time_s);
    const isNear = Math.abs(this.path.time_s[at]! - time_s) <= NEAR_S;
    const clip = this.player.clipShown;
    if (!isNear) {
      this.ring = null;
      drawLive(this.bench.map, this.spot ? [{ part: "spot", at: this.spot }] : []);
      fill(this.about, anyScript(clip?.name ?? ""), factsOf(texts.footage.noPose));
      return;
    }
    const parts: LivePart[] = [
      { part: "outer", at: this.path.outer[at]!, without: this.path.ring[at]! },
      { part: "ring", at: this.path.ring[at]! },
      { part: "camera", at: this.path.camera[at]! },
    ];
    if (this.spot) parts.push({ part: "spot", at: this.spot });
    drawLive(this.bench.map, parts);
    if (this.follows)
      this.bench.map.easeTo({ center: middleOf(this.path.ring[at]!), duration: 150 });
    fill(
      this.about,
      anyScript(clip?.name ?? ""),
      factsOf(
        texts.footage.shot(this.path.shot[at]! + 1),
        sourceWord(this.path.source[at]!),
        texts.footage.ce90(metres(this.path.ce90_m[at])),
        texts.footage.offNadir(degrees(this.path.off_nadir_deg[at])),
        texts.footage.gsd(centimetres(this.path.ground_sample_m[at])),
      ),
    );
  }

  private redraw(): void {
    if (this.path?.moments && this.player.clipShown) {
      this.moved(this.player.time_s);
      return;
    }
    const parts: LivePart[] = [];
    if (this.ring) parts.push({ part: "ring", at: this.ring });
    if (this.spot) parts.push({ part: "spot", at: this.spot });
    drawLive(this.bench.map, parts);
  }

  private drawMissing(clip: Clip, time_s: number | null, trouble?: string): void {
    const isMaking = clip.copy === "making";
    fill(
      this.stage,
      el(
        "div",
        { class: "empty" },
        el("p", {}, isMaking ? texts.footage.makingCopy : texts.footage.cannotPlay),
        (trouble ?? clip.copy_reason)
          ? el("p", { class: "warning" }, trouble ?? clip.copy_reason ?? "")
          : null,
        isMaking
          ? el("progress", { "aria-label": texts.footage.makingCopyLabel })
          : el(
              "button",
              {
                class: "first",
                onclick: () => void this.makeCopy(clip, time_s),
              },
              texts.footage.makeCopy(bytes(clip.size_bytes), timeCode(clip.duration_s)),
            ),
      ),
    );
    if (isMaking) void this.waitFor(clip.sha256, time_s);
  }

  private async makeCopy(clip: Clip, time_s: number | null): Promise<void> {
    try {
      await post(`/api/clips/${clip.sha256}/copy`, {});
      await this.bench.refreshFootage();
      await this.showClip(clip.sha256, time_s);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "wrong");
    }
  }

  private async waitFor(sha256: string, time_s: number | null): Promise<void> {
    while (this.shownSha === sha256) {
      await new Promise((done) => setTimeout(done, POLL_MS));
      await this.bench.refreshFootage();
      const clip = this.bench.footage.clips.find((one) => one.sha256 === sha256);
      if (clip?.copy !== "making") {
        await this.showClip(sha256, time_s);
        return;
      }
    }
  }

  private drawList(): void {
    if (this.spot) {
      this.drawFound();
      return;
    }
    const { clips, photographs, graphic } = this.bench.footage;
    fill(
      this.list,
      el("p", { class: "muted" }, texts.footage.clickHint),
      el("h3", {}, texts.footage.clips(clips.length)),
      clips.length
        ? el(
            "table",
            { class: "rows" },
            el(
              "thead",
              {},
              el(
                "tr",
                {},
                ...texts.footage.clipColumns.map((name) => el("th", { scope: "col" }, name)),
              ),
            ),
            el(
              "tbody",
              {},
              ...clips.map((clip) =>
                el(
                  "tr",
                  { class: clip.sha256 === this.shownSha ? "chosen" : "" },
                  el(
                    "td",
                    {},
                    el(
                      "button",
                      {
                        class: "link",
                        onclick: () => void this.showClip(clip.sha256, clip.placed_from_s),
                      },
                      anyScript(clip.name),
                    ),
                    graphic.includes(clip.sha256)
                      ? el("span", { class: "tag" }, texts.footage.graphic)
                      : null,
                  ),
                  el("td", {}, timeCode(clip.duration_s).slice(0, -4)),
                  el(
                    "td",
                    {},
                    clip.placed_seconds ? `${clip.placed_seconds} s` : texts.footage.notPlaced,
                  ),
                  el("td", {}, clip.source?.split(",").map(sourceWord).join(", ") ?? ""),
                  el("td", {}, clip.ce90_m == null ? "" : metres(clip.ce90_m)),
                ),
              ),
            ),
          )
        : el("p", { class: "muted" }, texts.footage.noClips),
      el("h3", {}, texts.footage.photographs(photographs.length)),
      photographs.length
        ? thumbs(photographs, this.shownSha, graphic, (one) => this.showPhotograph(one))
        : el("p", { class: "muted" }, texts.footage.noPhotographs),
    );
  }

  private drawFound(): void {
    const rows = (this.found ?? []).map((one) => this.foundRow(one));
    fill(
      this.list,
      el(
        "div",
        { class: "row spread" },
        el(
          "h3",
          {},
          this.found ? texts.footage.viewsOfPoint(rows.length) : texts.footage.searching,
        ),
        el(
          "button",
          {
            class: "quiet",
            onclick: () => {
              this.spot = null;
              this.found = null;
              this.drawList();
              this.redraw();
            },
          },
          texts.footage.allFootage,
        ),
      ),
      rows.length
        ? el(
            "table",
            { class: "rows" },
            el(
              "thead",
              {},
              el(
                "tr",
                {},
                ...texts.footage.viewColumns.map((name) => el("th", { scope: "col" }, name)),
              ),
            ),
            el("tbody", {}, ...rows),
          )
        : this.found
          ? el("p", { class: "muted" }, texts.footage.notSeenHint)
          : null,
    );
  }

  private foundRow(one: Sighting): HTMLElement {
    const isClip = one.kind === "clip";
    const run = (): void =>
      isClip ? void this.showClip(one.sha256, one.best_s) : this.showPhotograph(one.sha256);
    const hidden =
      one.framed_fraction === 0 ? texts.footage.atEdge : percent(one.occluded_fraction);
    return el(
      "tr",
      { class: one.sha256 === this.shownSha && !isClip ? "chosen" : "" },
      el(
        "td",
        {},
        el("button", { class: "link", onclick: run }, anyScript(one.clip_name)),
        isClip
          ? el(
              "span",
              { class: "muted" },
              " ",
              texts.footage.span(one.from_code ?? "", one.to_code ?? ""),
            )
          : null,
      ),
      el("td", {}, one.best_code ?? texts.footage.photographTime),
      el("td", {}, centimetres(one.ground_sample_m)),
      el("td", {}, degrees(one.off_nadir_deg)),
      el("td", {}, compass(one.azimuth_deg)),
      el("td", {}, hidden),
      el(
        "td",
        {},
        one.ce90_m === null ? texts.common.unknown : metres(Math.max(1, Math.ceil(one.ce90_m)), 0),
      ),
    );
  }
}

function thumbs(
  photographs: Photograph[],
  chosen: string | null,
  graphic: string[],
  open: (sha256: string) => void,
): HTMLElement {
  const holder = el("div", { class: "thumbs" });
  const draw = (count: number): void =>
    fill(
      holder,
      ...photographs.slice(0, count).map((one) =>
        el(
          "button",
          {
            class: `thumb${one.sha256 === chosen ? " chosen" : ""}${prefs.blursGraphic && graphic.includes(one.sha256) ? " blurred" : ""}`,
            title: one.name,
            "aria-label": texts.footage.photograph(one.name),
            onclick: () => open(one.sha256),
          },
          el("img", {
            src: `/media/photographs/${one.sha256}?side_px=320`,
            alt: "",
            loading: "lazy",
          }),
        ),
      ),
      count < photographs.length
        ? el(
            "button",
            { onclick: () => draw(count + FEW) },
            texts.footage.more(photographs.length - count),
          )
        : null,
    );
  draw(FEW);
  return holder;
}

function spansOf(path: ClipPath): [number, number][] {
  const spans: [number, number][] = [];
  for (let i = 0; i < (path.time_s?.length ?? 0); i++) {
    const last = spans.at(-1);
    if (last && path.shot[i] === path.shot[i - 1] && path.time_s[i]! - last[1] <= 5)
      last[1] = path.time_s[i]!;
    else spans.push([path.time_s[i]!, path.time_s[i]!]);
  }
  return spans;
}

function nearest(times: number[], time_s: number): number {
  let low = 0,
    high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time_s) low = middle + 1;
    else high = middle;
  }
  return low > 0 && time_s - times[low - 1]! < times[low]! - time_s ? low - 1 : low;
}

function middleOf(ring: LonLat[]): LonLat {
  const sum = ring.reduce(([x, y], [lon, lat]) => [x + lon, y + lat] as LonLat, [0, 0] as LonLat);
  return [sum[0] / ring.length, sum[1] / ring.length];
}

/** What is known of a picture, after its name. */
function factsOf(...facts: (string | null)[]): string {
  return facts
    .filter((one) => one)
    .map((one) => ` · ${one}`)
    .join("");
}

function sourceWord(code: string): string {
  return texts.footage.sources[code] ?? code;
}
