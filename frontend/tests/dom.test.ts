import { expect, test } from "vitest";
import { el, fill, tell, withParts } from "../src/dom.js";

test("an element stands where the text wants it", () => {
  const line = el("p");
  fill(line, ...withParts("Press {key} to switch, {key2} to stop.", { key: el("kbd", {}, "F") }));
  expect(line.innerHTML).toBe("Press <kbd>F</kbd> to switch, key2 to stop.");
});

test("a hostile name stays text", () => {
  const name = "<img src=x onerror=alert(1)>";
  const line = el("p", { title: name }, name);
  expect(line.children).toHaveLength(0);
  expect([line.textContent, line.getAttribute("title")]).toEqual([name, name]);
});

test("what went wrong stays until it is closed", () => {
  document.body.replaceChildren();
  tell("Not saved", "wrong");
  const note = document.querySelector<HTMLElement>('[role="alert"]')!;
  expect(note.textContent).toContain("Not saved");
  note.querySelector("button")!.click();
  expect(document.querySelector('[role="alert"]')).toBeNull();
});
