// @vitest-environment node
/// <reference types="vite/client" />
import { describe, expect, test } from "vitest";
import { texts } from "../src/texts.js";
import { wordsIn } from "./literals.js";

const SOURCES = import.meta.glob<string>("../src/**/*.ts", {
  eager: true,
  query: "?raw",
  import: "default",
});
const [PAGE] = Object.values(
  import.meta.glob<string>("../src/index.html", { eager: true, query: "?raw", import: "default" }),
);

/** Names of keys of the keyboard and of geometries, which no person reads. */
const NO_TEXT = new Set(["Enter", "Escape", "Polygon", "wrong", "done"]);

describe("words for people are in texts.ts and nowhere else", () => {
  test.each(Object.entries(SOURCES).filter(([path]) => !path.endsWith("/texts.ts")))(
    "%s",
    (_, source) => {
      expect(wordsIn(source).filter((one) => !NO_TEXT.has(one.text))).toEqual([]);
    },
  );

  test("index.html holds names of texts, not texts", () => {
    const read = PAGE!.replace(/<[^>]*>/g, "").replace(/\{\{\w+\}\}/g, "");
    expect(read.trim()).toBe("");
  });
});

describe("what counts as words for people", () => {
  test.each([
    ['tell("Saved to disk");', "Saved to disk"],
    ['const a = "Close";', "Close"],
    ['el("p", {}, "sure");', "sure"],
    ['el("p", { title: "Look here" });', "Look here"],
    [`const a = \`\${count} pairs more\`;`, "0 pairs more"],
    ['el("p", {}, isOn ? "yes" : null);', "yes"],
    ['throw new Error("It went wrong");', "It went wrong"],
  ])("%s", (source, text) => {
    expect(wordsIn(source).map((one) => one.text)).toEqual([text]);
  });

  test.each([
    'el("div", { class: "row spread" }, texts.page.map);',
    'document.querySelector("button, a");',
    'import { el } from "./Some file.js";',
    'const a = "grade"; type B = "Big one";',
    `const a = \`/media/clips/\${sha256}\`;`,
    "// Words of a comment.",
  ])("not %s", (source) => {
    expect(wordsIn(source)).toEqual([]);
  });
});

/** Every text, functions called with numbers and names; with the path that leads to it. */
function everyText(value: unknown, path: string): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function")
    return [[path, (value as (...all: unknown[]) => string)(2, 3, 1)]];
  return Object.entries(value as object).flatMap(([name, one]) =>
    everyText(one, `${path}.${name}`),
  );
}

describe("every text", () => {
  const all = everyText(texts, "texts").filter(([path]) => path !== "texts.place.columns.4");

  test("says something, and is not padded to be glued to another", () => {
    for (const [path, text] of all) {
      expect(text, path).not.toBe("");
      expect(text, path).toBe(text.trim());
      expect(text, path).not.toMatch(/ {2}|undefined|NaN/);
    }
  });

  test("names no side of the screen, which is another one where text runs from the right", () => {
    for (const [path, text] of all) expect(text, path).not.toMatch(/\b(left|right)\b/i);
  });

  test("says photograph, frame and image, and not picture", () => {
    for (const [path, text] of all) expect(text, path).not.toMatch(/\bpictures?\b/i);
  });
});

describe("measures of a building", () => {
  const [guide] = Object.values(
    import.meta.glob<string>("../../docs/reference/measures.md", {
      eager: true,
      query: "?raw",
      import: "default",
    }),
  );
  const rows = guide!.split("\n").filter((line) => line.startsWith("| `"));
  const documented = rows.flatMap((row) =>
    [...row.split("|")[1]!.matchAll(/`(\w+)`/g)].map((found) => found[1]!),
  );

  test("every measure that is documented has a text, and no other", () => {
    expect(Object.keys(texts.measures).sort()).toEqual([...documented].sort());
  });
});

describe("counts", () => {
  test.each([
    [texts.footage.viewsOfPoint(0), "No views of this point"],
    [texts.footage.viewsOfPoint(1), "1 view of this point"],
    [texts.footage.viewsOfPoint(2), "2 views of this point"],
    [texts.saving.saving(1), "Saving 1 grade"],
    [texts.saving.saving(21), "Saving 21 grades"],
    [texts.cursor.agreeing(1), "1 photograph agrees"],
    [texts.cursor.agreeing(5), "5 photographs agree"],
  ])("%s", (text, expected) => {
    expect(text).toBe(expected);
  });
});
