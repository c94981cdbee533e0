// Elements made by hand. Text is only ever set as text, so a hostile name stays one.

import { texts } from "./texts.js";

type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, unknown>;

const SHOWN_MS = 2500,
  READING_MS = 50;

export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  apply(made, attributes);
  put(made, ...children);
  return made;
}

export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  apply(made, attributes);
  put(made, ...children);
  return made;
}

export function put(parent: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  put(parent, ...children);
}

/** A text whose "{name}" give way to elements, so that a translation can put them where it wants. */
export function withParts(text: string, parts: Record<string, Node>): (Node | string)[] {
  return text.split(/\{(\w+)\}/).map((one, i) => (i % 2 ? (parts[one] ?? one) : one));
}

/** Names and notes come in any script; each finds its own direction. */
export function anyScript(text: string, attributes: Attributes = {}): HTMLElement {
  return el("bdi", { dir: "auto", ...attributes }, text);
}

function apply(made: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (value === false && !name.startsWith("aria-") && name !== "checked") continue;
    if (name.startsWith("on") && typeof value === "function") {
      made.addEventListener(name.slice(2).toLowerCase(), value as EventListener);
    } else if (name === "class") {
      made.setAttribute("class", String(value));
    } else if (name === "colour") {
      (made as HTMLElement).style.setProperty("--colour", String(value));
    } else if (name === "value" || name === "checked" || name === "muted") {
      (made as unknown as Record<string, unknown>)[name] = value;
    } else {
      made.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
    }
  }
}

/** A short word at the edge of the page: what went well goes by itself, what did not stays. */
export function tell(text: string, kind: "done" | "wrong" = "done"): void {
  const place = document.getElementById("told") ?? document.body;
  const note = el(
    "div",
    { class: `note ${kind}`, role: kind === "wrong" ? "alert" : "status" },
    anyScript(text),
  );
  if (kind === "wrong") {
    put(note, el("button", { class: "quiet", onclick: () => note.remove() }, texts.common.close));
  }
  place.append(note);
  if (kind === "done") setTimeout(() => note.remove(), SHOWN_MS + READING_MS * text.length);
}
