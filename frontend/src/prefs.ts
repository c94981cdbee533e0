// What a reviewer set in this browser: kept in its own storage, never sent.

export interface Prefs {
  theme: "auto" | "light" | "dark";
  isGrey: boolean;
  blursGraphic: boolean;
  keys: Record<string, string>;
  opacity: Record<string, number>;
  shown: Record<string, boolean>;
  sort: string;
  onlyOpen: boolean;
}

const KEY = "aftermap.prefs";
const DEFAULTS: Prefs = {
  theme: "auto",
  isGrey: false,
  blursGraphic: true,
  keys: {},
  opacity: {},
  shown: {},
  sort: "uncertainty",
  onlyOpen: false,
};

function read(): Prefs {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Prefs>) };
  } catch {
    return { ...DEFAULTS };
  }
}

export const prefs: Prefs = read();

export function keep(change: Partial<Prefs>): void {
  Object.assign(prefs, change);
  localStorage.setItem(KEY, JSON.stringify(prefs));
  show();
}

/** Put the looks on the page. */
export function show(): void {
  const root = document.documentElement;
  root.dataset.theme = prefs.theme;
  root.classList.toggle("grey", prefs.isGrey);
}

export function isDark(): boolean {
  if (prefs.theme !== "auto") return prefs.theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}
