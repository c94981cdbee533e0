// A clip, picture by picture. Times are exact: a picture is asked for by the middle of the time that
// it is shown for, so that no rounding of the browser's can show its neighbour.

import { type Clip, get } from "./api.js";
import { el, fill, svg } from "./dom.js";
import { shownKey } from "./keys.js";
import { texts } from "./texts.js";
import { timeCode } from "./words.js";

const REVERSE_MS = 100;

export class Player {
  readonly element = el("section", { class: "player" });
  readonly video = el("video", {
    muted: true,
    playsinline: true,
    preload: "auto",
    disablepictureinpicture: true,
    tabindex: -1,
  });
  readonly frame = el("div", { class: "screen" }, this.video);
  frameNumber = 0;
  private readonly told = el("output", { class: "told" });
  private readonly bar = svg("svg", {
    class: "timeline",
    viewBox: "0 0 1000 24",
    preserveAspectRatio: "none",
    role: "slider",
    tabindex: 0,
    "aria-label": texts.player.time,
  });
  private readonly controls = el("div", { class: "row controls" });
  private times: number[] = [];
  private base: { num: bigint; den: bigint } = { num: 0n, den: 1n };
  private offset: { num: bigint; den: bigint } = { num: 0n, den: 1n };
  private ticks: number[] = [];
  private reverse: number | null = null;
  private clip: Clip | null = null;

  /** ``prefix`` goes before the names of its keys. */
  constructor(
    private readonly shown: (time_s: number) => void,
    private readonly prefix = "",
  ) {
    this.video.muted = true;
    fill(this.element, this.frame, this.bar, this.controls);
    this.bar.addEventListener("pointerdown", (event) => this.pointed(event));
    this.bar.addEventListener("pointermove", (event) => {
      if (event.buttons) this.pointed(event);
    });
    this.bar.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
      event.preventDefault();
      event.stopPropagation(); // or the key of the view would step once more
      this.step(event.key === "ArrowRight" ? 1 : -1);
    });
    this.video.addEventListener("ended", () => this.seek(this.ticks.length - 1));
    this.listen();
  }

  private drawControls(): void {
    const button = (name: string, words: string, run: () => void): HTMLElement =>
      el("button", { onclick: run }, words, " ", el("kbd", {}, shownKey(this.prefix + name)));
    fill(
      this.controls,
      button("back", texts.player.back, () => this.playBack()),
      button("pause", texts.player.pause, () => this.pause()),
      button("forward", texts.player.play, () => this.play()),
      button("frame-back", "−1", () => this.step(-1)),
      button("frame-on", "+1", () => this.step(1)),
      this.told,
    );
  }

  get clipShown(): Clip | null {
    return this.clip;
  }

  get time_s(): number {
    return this.times[this.frameNumber] ?? 0;
  }

  /** The time of the picture on the screen as a fraction, the clip's own. */
  get exactTime(): string {
    const tick = BigInt(this.ticks[this.frameNumber] ?? 0);
    const num = tick * this.base.num * this.offset.den + this.offset.num * this.base.den;
    return `${num}/${this.base.den * this.offset.den}`;
  }

  async load(clip: Clip, time_s: number | null, spans: [number, number][]): Promise<void> {
    this.pause();
    this.drawControls();
    if (this.clip?.sha256 !== clip.sha256) {
      const found = await get(`/api/clips/${clip.sha256}/times`);
      this.clip = clip;
      this.base = fraction(found.tick_s);
      this.offset = fraction(found.offset_s);
      this.ticks = found.ticks;
      const tick = Number(this.base.num) / Number(this.base.den);
      const offset = Number(this.offset.num) / Number(this.offset.den);
      this.times = found.ticks.map((one) => one * tick + offset);
      this.video.src = `/media/clips/${clip.sha256}`;
      this.frameNumber = 0;
      this.video.setAttribute("aria-label", texts.footage.clip(clip.name));
      await new Promise<void>((done, failed) => {
        this.video.onloadeddata = () => done();
        this.video.onerror = () => {
          this.clip = null; // so that a copy that is made now is loaded
          failed(new Error(texts.footage.cannotPlayHere));
        };
      });
    }
    this.drawBar(spans);
    this.seek(time_s === null ? 0 : this.frameAt(time_s));
  }

  stop(): void {
    this.pause();
  }

  step(count: number): void {
    this.pause();
    this.seek(this.frameNumber + count);
  }

  play(): void {
    this.stopReverse();
    this.video.playbackRate = this.video.paused ? 1 : Math.min(8, this.video.playbackRate * 2);
    this.video.play().catch(() => undefined); // stopped before it began
  }

  playBack(): void {
    this.video.pause();
    if (this.reverse === null)
      this.reverse = window.setInterval(() => this.seek(this.frameNumber - 1), REVERSE_MS);
  }

  /** Stops at the picture that is told; the player may have shown the next one meanwhile. */
  pause(): void {
    this.stopReverse();
    if (this.video.paused) return;
    this.video.pause();
    this.seek(this.frameNumber);
  }

  seek(frame: number): void {
    this.frameNumber = Math.max(0, Math.min(this.ticks.length - 1, frame));
    const here = this.ticks[this.frameNumber] ?? 0;
    const after =
      this.ticks[this.frameNumber + 1] ??
      here + (here - (this.ticks[this.frameNumber - 1] ?? here - 1));
    this.video.currentTime = (((here + after) / 2) * Number(this.base.num)) / Number(this.base.den);
    this.tell();
  }

  frameAt(time_s: number): number {
    let low = 0,
      high = this.times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle]! <= time_s + 1e-4) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private listen(): void {
    const each = (_: number, facts: VideoFrameCallbackMetadata): void => {
      if (!this.video.paused) {
        this.frameNumber = this.frameAt(
          facts.mediaTime + Number(this.offset.num) / Number(this.offset.den),
        );
        this.tell();
      }
      this.video.requestVideoFrameCallback(each);
    };
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(each);
  }

  private stopReverse(): void {
    if (this.reverse !== null) window.clearInterval(this.reverse);
    this.reverse = null;
  }

  private tell(): void {
    this.told.textContent = texts.player.position(
      timeCode(this.time_s),
      this.frameNumber + 1,
      this.ticks.length,
    );
    const x = this.share(this.time_s) * 1000;
    this.bar.querySelector(".head")?.setAttribute("x", String(x - 1.5));
    this.bar.setAttribute("aria-valuetext", timeCode(this.time_s));
    this.bar.setAttribute("aria-valuenow", this.time_s.toFixed(3));
    this.bar.setAttribute("aria-valuemin", (this.times[0] ?? 0).toFixed(3));
    this.bar.setAttribute("aria-valuemax", (this.times.at(-1) ?? 0).toFixed(3));
    this.shown(this.time_s);
  }

  private share(time_s: number): number {
    const first = this.times[0] ?? 0,
      last = this.times.at(-1) ?? 1;
    return (time_s - first) / Math.max(1e-9, last - first);
  }

  private drawBar(spans: [number, number][]): void {
    fill(
      this.bar,
      svg("rect", { x: 0, y: 10, width: 1000, height: 4, class: "whole" }),
      ...spans.map(([from, to]) =>
        svg("rect", {
          x: 1000 * this.share(from),
          y: 8,
          height: 8,
          class: "placed",
          width: Math.max(2, 1000 * (this.share(to) - this.share(from))),
        }),
      ),
      svg("rect", { x: 0, y: 0, width: 3, height: 24, class: "head" }),
    );
  }

  private pointed(event: PointerEvent): void {
    const box = this.bar.getBoundingClientRect();
    const first = this.times[0] ?? 0,
      last = this.times.at(-1) ?? 0;
    this.pause();
    this.seek(this.frameAt(first + ((last - first) * (event.clientX - box.left)) / box.width));
  }
}

function fraction(text: string): { num: bigint; den: bigint } {
  const [num, den] = text.split("/");
  return { num: BigInt(num!), den: BigInt(den ?? "1") };
}
