import { beforeEach, expect, test, vi } from "vitest";
import { enterView, keyLabel, listen, openKeys, register, shownKey } from "../src/keys.js";
import { prefs } from "../src/prefs.js";

const run: Record<string, ReturnType<typeof vi.fn<() => void>>> = {};
function action(name: string, key: string, view?: string): void {
  run[name] = vi.fn<() => void>();
  register({ name, key, words: `Do ${name}`, view, run: run[name] });
}
action("layers", "\\");
action("grey", "x");
action("next", "j", "buildings");
action("back", "j", "footage");
action("flip", " ", "compare");
action("flip-everywhere", "s");
action("reveal", "s", "footage");
listen();

beforeEach(() => {
  document.body.replaceChildren();
  prefs.keys = {};
  enterView("map");
  for (const one of Object.values(run)) one.mockClear();
});

function press(key: string, more: KeyboardEventInit = {}, target: EventTarget = document): boolean {
  return target.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }),
  );
}

function called(): string[] {
  return Object.keys(run).filter((name) => run[name]!.mock.calls.length > 0);
}

test("a key means what the open view says", () => {
  enterView("buildings");
  press("j");
  expect(called()).toEqual(["next"]);
  enterView("footage");
  press("j");
  expect(called()).toEqual(["next", "back"]);
  enterView("map");
  press("j");
  expect(run.next).toHaveBeenCalledOnce();
  expect(run.back).toHaveBeenCalledOnce();
});

test("the view's own meaning goes before the one that holds everywhere", () => {
  press("s");
  expect(called()).toEqual(["flip-everywhere"]);
  enterView("footage");
  press("s");
  expect(run.reveal).toHaveBeenCalledOnce();
  expect(run["flip-everywhere"]).toHaveBeenCalledOnce();
});

test("a capital is the same key, and what a key did not mean is left to the browser", () => {
  expect(press("X")).toBe(false);
  expect(called()).toEqual(["grey"]);
  expect(press("F5")).toBe(true);
});

test.each([{ ctrlKey: true }, { metaKey: true }, { altKey: true }])(
  "keys of the browser and the system are theirs: %o",
  (more) => {
    press("x", more);
    expect(called()).toEqual([]);
  },
);

test.each(["input", "textarea", "select"])("what is typed into %s is text", (name) => {
  const field = document.createElement(name);
  document.body.append(field);
  press("x", {}, field);
  expect(called()).toEqual([]);
});

test("a tick box takes no text, so keys work after it was clicked", () => {
  const box = document.createElement("input");
  box.type = "checkbox";
  document.body.append(box);
  press("x", {}, box);
  expect(called()).toEqual(["grey"]);
});

test("no key reaches the views while a dialog is open", () => {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("open", "");
  document.body.append(dialog);
  press("x");
  expect(called()).toEqual([]);
});

function keyButton(words: string): HTMLElement {
  const found = [...document.querySelectorAll<HTMLElement>(".keys button.key")];
  return found.find((one) => one.getAttribute("aria-label")?.endsWith(`: ${words}`))!;
}

test("a key that was changed works, is kept, and is told on every label", () => {
  const label = keyLabel("grey");
  openKeys();
  keyButton("Do grey").click();
  press("q");
  document.querySelector("dialog")!.remove();
  expect([label.textContent, prefs.keys.grey]).toEqual(["Q", "q"]);
  expect(JSON.parse(localStorage.getItem("aftermap.prefs") ?? "{}").keys).toEqual({ grey: "q" });
  press("x");
  expect(called()).toEqual([]);
  press("q");
  expect(called()).toEqual(["grey"]);
});

test("a key that means something in the same view is not given twice", () => {
  openKeys();
  keyButton("Do grey").click();
  press("\\");
  expect(prefs.keys).toEqual({});
  expect(document.body.textContent).toContain("already assigned to: Do layers");
});

test("two views may use one key", () => {
  openKeys();
  keyButton("Do flip").click();
  press("j");
  expect(prefs.keys).toEqual({ flip: "j" });
});

test("Escape leaves the key as it was, and a modifier alone is no key", () => {
  openKeys();
  keyButton("Do grey").click();
  press("Shift");
  press("Escape");
  expect(prefs.keys).toEqual({});
  document.querySelector("dialog")!.remove();
  press("x");
  expect(called()).toEqual(["grey"]);
});

test("shortcuts are reset in one step", () => {
  prefs.keys = { grey: "q", next: "z" };
  openKeys();
  document.querySelector<HTMLElement>("dialog footer button")!.click();
  expect(prefs.keys).toEqual({});
  expect(keyButton("Do grey").textContent).toBe("X");
});

test("keys without a sign of their own are named", () => {
  expect(shownKey("flip")).toBe("Space");
  prefs.keys = { flip: "ArrowLeft", grey: "Escape" };
  expect([shownKey("flip"), shownKey("grey")]).toEqual(["←", "Esc"]);
});
