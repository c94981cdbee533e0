import { beforeEach, expect, test, vi } from "vitest";

const KEY = "aftermap.prefs";

beforeEach(() => {
  localStorage.clear();
  vi.resetModules();
  vi.unstubAllGlobals();
});

function loaded(): Promise<typeof import("../src/prefs.js")> {
  return import("../src/prefs.js");
}

test("graphic images are blurred where nothing was set", async () => {
  const { prefs } = await loaded();
  expect(prefs.blursGraphic).toBe(true);
});

test("what is set is there again when the page is opened anew; the rest keeps its default", async () => {
  (await loaded()).keep({ isGrey: true });
  vi.resetModules();
  const { prefs } = await loaded();
  expect([prefs.isGrey, prefs.sort]).toEqual([true, "uncertainty"]);
});

test("damaged settings are no reason not to open", async () => {
  localStorage.setItem(KEY, "{not JSON");
  expect((await loaded()).prefs.theme).toBe("auto");
});

test("a change of one setting leaves the others", async () => {
  const { keep, prefs } = await loaded();
  keep({ opacity: { relief: 0.5 } });
  keep({ onlyOpen: true });
  expect(prefs.opacity).toEqual({ relief: 0.5 });
  expect(JSON.parse(localStorage.getItem(KEY) ?? "")).toMatchObject({
    onlyOpen: true,
    opacity: { relief: 0.5 },
  });
});

test("the theme is put on the page, and follows the system until one is chosen", async () => {
  const { isDark, keep, prefs } = await loaded();
  vi.stubGlobal("matchMedia", (query: string) => ({ matches: query.includes("dark") }));
  expect(prefs.theme).toBe("auto");
  expect(isDark()).toBe(true);
  keep({ theme: "light", isGrey: true });
  expect(isDark()).toBe(false);
  expect(document.documentElement.dataset.theme).toBe("light");
  expect(document.documentElement.classList.contains("grey")).toBe(true);
});
