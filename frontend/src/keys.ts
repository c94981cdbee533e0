// Every action has a key, and every key can be changed. A key means what the open view says.

import { el, fill, tell } from "./dom.js";
import { keep, prefs } from "./prefs.js";
import { texts } from "./texts.js";

export interface Action {
  name: string;
  key: string;
  words: string;
  /** In which view it holds; everywhere where none is named. */
  view?: string;
  run: () => void;
}

const actions: Action[] = [];
let view = "map";
let capturing: ((key: string) => void) | null = null;
const labels = new Map<HTMLElement, string>();

export function register(...more: Action[]): void {
  actions.push(...more);
  relabel();
}

export function enterView(name: string): void {
  view = name;
}

export function keyOf(name: string): string {
  const action = actions.find((one) => one.name === name);
  return prefs.keys[name] ?? action?.key ?? "";
}

export function shownKey(name: string): string {
  const key = keyOf(name);
  return (
    { " ": texts.shortcuts.space, ArrowLeft: "←", ArrowRight: "→", Escape: texts.shortcuts.escape }[
      key
    ] ?? (key.length === 1 ? key.toUpperCase() : key)
  );
}

/** The key of an action as a label, which follows when the key is changed. */
export function keyLabel(name: string): HTMLElement {
  const label = el("kbd", {}, shownKey(name));
  labels.set(label, name);
  return label;
}

function relabel(): void {
  for (const [label, name] of labels) label.textContent = shownKey(name);
}

export function listen(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (capturing) {
      event.preventDefault();
      capturing(event.key);
      return;
    }
    if (isTyping(event.target) || isWorked(event) || document.querySelector("dialog[open]")) return;
    const found = holding(normal(event.key));
    if (!found) return;
    event.preventDefault();
    found.run();
  });
  document.addEventListener("change", ({ target }) => {
    // or the next keys would go to the list
    if (target instanceof HTMLSelectElement && !target.matches(":focus-visible")) target.blur();
  });
}

function holding(key: string): Action | undefined {
  const matching = actions.filter((one) => normal(keyOf(one.name)) === key);
  return (
    matching.find((one) => one.view === view) ?? matching.find((one) => one.view === undefined)
  );
}

function normal(key: string): string {
  return key.length === 1 ? key.toLowerCase() : key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const typed =
    target instanceof HTMLInputElement &&
    !["checkbox", "radio", "range", "button"].includes(target.type);
  return typed || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Whether the key belongs to a control that was reached by the keyboard. */
function isWorked(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement) || !target.matches(":focus-visible")) return false;
  if (target instanceof HTMLInputElement && target.type === "range")
    return event.key.startsWith("Arrow");
  return (event.key === "Enter" || event.key === " ") && target.matches("button, a, input");
}

const VIEWS: [string | undefined, string][] = [
  [undefined, texts.views.everywhere],
  ["map", texts.views.map],
  ["buildings", texts.views.buildings],
  ["footage", texts.views.footage],
  ["place", texts.views.place],
  ["compare", texts.views.compare],
];

/** All keys, each a button that waits for another one. */
export function openKeys(): void {
  const body = el("div", { class: "keys" });
  const dialog = el(
    "dialog",
    { class: "sheet wide", "aria-label": texts.shortcuts.title },
    el(
      "header",
      {},
      el("h2", {}, texts.shortcuts.title),
      el("button", { class: "quiet", onclick: () => dialog.close() }, texts.common.close),
    ),
    el("p", { class: "muted" }, texts.shortcuts.hint),
    body,
    el(
      "footer",
      {},
      el(
        "button",
        {
          onclick: () => {
            keep({ keys: {} });
            relabel();
            draw();
          },
        },
        texts.shortcuts.reset,
      ),
    ),
  );
  const draw = (): void =>
    fill(
      body,
      ...VIEWS.filter(([name]) => actions.some((one) => one.view === name)).map(([name, words]) =>
        section(name, words, draw),
      ),
    );
  draw();
  dialog.addEventListener("close", () => {
    capturing = null;
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}

function section(name: string | undefined, words: string, redraw: () => void): HTMLElement {
  const rows = actions
    .filter((one) => one.view === name)
    .map((one) =>
      el(
        "li",
        {},
        el("span", {}, one.words),
        el(
          "button",
          {
            class: "key",
            "aria-label": texts.shortcuts.change(shownKey(one.name), one.words),
            onclick: (event: Event) => capture(event.currentTarget as HTMLElement, one, redraw),
          },
          shownKey(one.name),
        ),
      ),
    );
  return el("section", {}, el("h3", {}, words), el("ul", {}, ...rows));
}

function capture(button: HTMLElement, action: Action, redraw: () => void): void {
  button.textContent = texts.shortcuts.press;
  capturing = (key) => {
    if (["Shift", "Control", "Alt", "Meta"].includes(key)) return;
    capturing = null;
    const taken =
      key === "Escape"
        ? undefined
        : actions.find(
            (one) =>
              one.name !== action.name &&
              normal(keyOf(one.name)) === normal(key) &&
              (one.view === action.view || one.view === undefined || action.view === undefined),
          );
    if (taken) tell(texts.shortcuts.taken(taken.words), "wrong");
    else if (key !== "Escape") {
      keep({ keys: { ...prefs.keys, [action.name]: key } });
      relabel();
    }
    redraw();
  };
}
