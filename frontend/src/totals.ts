// Totals: the table that `aftermap totals` prints, word for word, and each row as a sentence to copy.

import { get, Refused, type TotalsFacts } from "./api.js";
import type { Bench, View } from "./bench.js";
import { sheet } from "./dialogs.js";
import { el, fill, tell } from "./dom.js";
import { texts } from "./texts.js";

type Area = TotalsFacts["areas"][number];
type Row = Area["rows"][number];

const COLUMNS = Object.keys(texts.totals.columns) as (keyof typeof texts.totals.columns)[];
const NUMBERS = new Set(["estimate", "of", "differing"]);

export class Totals implements View {
  private isOpen = false;
  private goesOn = { assume_alike: false, with_unblinded: false };

  constructor(private readonly bench: Bench) {}

  open(): void {
    this.isOpen = true;
    void this.show();
  }

  close(): void {
    this.isOpen = false;
  }

  private async show(): Promise<void> {
    this.draw(el("p", { class: "muted", role: "status" }, texts.totals.estimating));
    const asked = new URLSearchParams(
      Object.entries(this.goesOn).map(([name, value]) => [name, String(value)]),
    );
    try {
      const found = await get(`/api/totals?${asked}` as "/api/totals");
      this.draw(...found.areas.flatMap(areaOf), ...found.notes.map((note) => el("p", {}, note)));
    } catch (error) {
      const isRefused = error instanceof Refused && error.status > 0;
      this.draw(
        el("p", { class: isRefused ? "refused" : "warning", role: "alert" }, wordsOf(error)),
      );
    }
  }

  private draw(...parts: HTMLElement[]): void {
    if (!this.isOpen) return;
    fill(
      this.bench.side,
      el(
        "section",
        { class: "totals" },
        el("h2", {}, texts.totals.title),
        el("p", { class: "muted" }, texts.totals.hint),
        el(
          "div",
          { class: "row" },
          this.choice("assume_alike", texts.totals.assumeAlike),
          this.choice("with_unblinded", texts.totals.withUnblinded),
        ),
        ...parts,
      ),
    );
  }

  private choice(name: "assume_alike" | "with_unblinded", words: string): HTMLElement {
    const box = el("input", {
      type: "checkbox",
      id: `totals-${name}`,
      checked: this.goesOn[name],
      onchange: () => {
        this.goesOn = { ...this.goesOn, [name]: box.checked };
        void this.show();
      },
    });
    return el("label", { for: `totals-${name}`, class: "row" }, box, words);
  }
}

function areaOf(area: Area): HTMLElement[] {
  if (area.too_few) return [el("p", { class: "warning" }, area.too_few)];
  return [
    el("ul", { class: "preamble" }, ...area.preamble.map((line) => el("li", {}, line))),
    el(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": texts.totals.title },
      el(
        "table",
        { class: "rows" },
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...COLUMNS.map((name) =>
              el("th", { scope: "col", class: classOf(name) }, texts.totals.columns[name]),
            ),
            el("th", { scope: "col" }, texts.totals.sentence),
          ),
        ),
        el("tbody", {}, ...area.rows.map(rowOf)),
      ),
    ),
  ];
}

function rowOf(row: Row): HTMLElement {
  return el(
    "tr",
    {},
    ...COLUMNS.map((name, i) =>
      i
        ? el("td", { class: classOf(name) }, row.cells[name])
        : el("th", { scope: "row" }, row.cells[name]),
    ),
    el(
      "td",
      {},
      el(
        "button",
        {
          "aria-label": texts.totals.copyOf(row.cells[COLUMNS[0]!] ?? ""),
          title: row.sentence,
          onclick: () => void copy(row.sentence),
        },
        texts.totals.copy,
      ),
    ),
  );
}

function classOf(name: string): string {
  return NUMBERS.has(name) ? "number" : "";
}

/** Where the browser keeps the clipboard from the page, the sentence is shown to be copied by hand. */
async function copy(sentence: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(sentence);
    tell(texts.totals.copied);
  } catch {
    const area = el("textarea", {
      rows: 8,
      readonly: true,
      value: sentence,
      "aria-label": texts.totals.sentence,
    });
    sheet(texts.totals.sentence, area, () => undefined, texts.common.close);
    area.select();
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
