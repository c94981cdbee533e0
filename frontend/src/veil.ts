// Pictures that somebody marked as graphic are blurred until this reviewer asks for them.

import type { Bench } from "./bench.js";
import { el, put } from "./dom.js";
import { shownKey } from "./keys.js";
import { prefs } from "./prefs.js";
import { texts } from "./texts.js";

/** Blurs what a holder shows where its original is marked, and clears it where it is not. */
export function veil(holder: HTMLElement, bench: Bench, sha256: string): void {
  unveil(holder);
  if (!prefs.blursGraphic || !bench.footage.graphic.includes(sha256)) return;
  holder.classList.add("blurred");
  put(
    holder,
    el(
      "button",
      { class: "veil", onclick: () => unveil(holder) },
      texts.footage.reveal,
      " ",
      el("kbd", {}, shownKey("reveal")),
    ),
  );
}

export function unveil(holder: Element | null): void {
  holder?.classList.remove("blurred");
  holder?.querySelector(".veil")?.remove();
}
