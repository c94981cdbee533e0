import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { BuildingFacts, Grade, Review } from "../src/api.js";
import type { Bench, BuildingFeature } from "../src/bench.js";
import { markGrade } from "../src/map.js";
import { Reviewing, shownGrade } from "../src/review.js";
import { type Answer, FakeServer } from "./server.js";

vi.mock("../src/map.js", () => ({ markGrade: vi.fn<typeof markGrade>() }));

const BUILDING: BuildingFeature = { id: 7, properties: { source_id: "B7", at: [39, 36] } };
let server: FakeServer;
let reviews: Review[];

beforeEach(() => {
  document.body.replaceChildren();
  localStorage.clear();
  vi.mocked(markGrade).mockClear();
  reviews = [];
  server = new FakeServer();
});
afterEach(() => vi.unstubAllGlobals());

function review(reviewer: string, grade: Grade | null, more: Partial<Review> = {}): Review {
  return {
    number: 1,
    reviewer,
    grade,
    not_assessed_reason: null,
    supersedes: null,
    is_withdrawn: false,
    blinding: "blind",
    note: null,
    at: "2026-01-01T00:00:00.000Z",
    reasons: "[]",
    ...more,
  };
}

/** The view of one building, as it is once that has been read. */
async function opened(
  grades: Record<string, string | null>,
  more: Partial<Bench> = {},
): Promise<{ bench: Bench; reviewing: Reviewing }> {
  const map = {
    getSource: () => undefined,
    project: () => ({ x: 100, y: 100 }),
    getContainer: () => ({ clientWidth: 200, clientHeight: 200 }),
  };
  const bench = {
    facts: { name: "case" },
    map,
    me: { reviewer: "Nadia", is_blind: false, reasons: ["in shadow"] },
    side: document.createElement("aside"),
    outbox: { add: vi.fn(), emptied: () => Promise.resolve() },
    buildings: [BUILDING],
    grades: new Map([["B7", new Map(Object.entries(grades))]]),
    footage: { clips: [], photographs: [], graphic: [] },
    ...more,
  } as unknown as Bench;
  const facts = (): BuildingFacts => ({
    building: { fid: 7, source_id: "B7", area_m2: 144 },
    measurements: [],
    evidence: [],
    reviews,
  });
  server.next({ body: facts() });
  const reviewing = new Reviewing(bench);
  reviewing.open();
  await vi.waitUntil(() => bench.side.querySelector(".verdict"));
  return { bench, reviewing };
}

function undoneTo(grade: Grade | null, is_withdrawn: boolean): Answer {
  const not_assessed_reason = grade ? null : "words that the page must not read";
  return { body: { number: 2, grade, not_assessed_reason, is_withdrawn, note: null, at: "" } };
}

test("taking back the only grade leaves none, and the map shows what others say", async () => {
  const { bench, reviewing } = await opened({ Omar: "light", Nadia: "severe" });
  server.next(undoneTo(null, true));
  await reviewing.undo();
  expect(server.asked[1]).toMatchObject({ path: "/api/undo", body: { source_id: "B7" } });
  expect([...bench.grades.get("B7")!]).toEqual([["Omar", "light"]]);
  expect(markGrade).toHaveBeenLastCalledWith(bench.map, 7, "light");
});

test("taking back the last of two grades brings back the first", async () => {
  const { bench, reviewing } = await opened({ Nadia: "severe" });
  server.next(undoneTo("moderate", false));
  await reviewing.undo();
  expect(bench.grades.get("B7")!.get("Nadia")).toBe("moderate");
  expect(markGrade).toHaveBeenLastCalledWith(bench.map, 7, "moderate");
});

test("a building that was not assessable before is so again, and is not taken for withdrawn", async () => {
  const { bench, reviewing } = await opened({ Nadia: "severe" });
  server.next(undoneTo(null, false));
  await reviewing.undo();
  expect(bench.grades.get("B7")!.get("Nadia")).toBeNull();
  expect(markGrade).toHaveBeenLastCalledWith(bench.map, 7, "na");
});

test("an undo comes after what it undoes has reached the server", async () => {
  let arrive = (): void => undefined;
  const emptied = new Promise<void>((done) => {
    arrive = done;
  });
  const outbox = { emptied: () => emptied } as unknown as Bench["outbox"];
  const { reviewing } = await opened({ Nadia: "severe" }, { outbox });
  server.next(undoneTo(null, true));
  const undoing = reviewing.undo();
  await Promise.resolve();
  expect(server.asked.map((one) => one.path)).not.toContain("/api/undo");
  arrive();
  await undoing;
  expect(server.asked.map((one) => one.path)).toContain("/api/undo");
});

test("an undo that the server refuses changes nothing, and is told", async () => {
  const { bench, reviewing } = await opened({ Nadia: "severe" });
  server.next({ status: 422, body: { error: "B7: you have no grade to undo" } });
  await reviewing.undo();
  expect(bench.grades.get("B7")!.get("Nadia")).toBe("severe");
  expect(markGrade).not.toHaveBeenCalled();
  expect(document.querySelector('[role="alert"]')?.textContent).toContain("no grade to undo");
});

test("a withdrawn grade is no grade of mine: its note does not go with the next", async () => {
  reviews = [review("Nadia", null, { is_withdrawn: true, note: "old" })];
  const { bench, reviewing } = await opened({});
  expect(bench.side.querySelector(".grade.mine")).toBeNull();
  expect(bench.side.querySelector(".reviews")?.textContent).toContain("Grade withdrawn");
  reviewing.grade("light");
  expect(bench.outbox.add).toHaveBeenCalledWith(
    expect.not.objectContaining({ note: expect.anything() }),
  );
});

test("a new grade keeps the note of the last one", async () => {
  reviews = [review("Nadia", "severe", { note: "roof gone" }), review("Omar", "light")];
  const { bench, reviewing } = await opened({});
  reviewing.grade("destroyed");
  expect(bench.outbox.add).toHaveBeenCalledWith(
    expect.objectContaining({ source_id: "B7", grade: "destroyed", note: "roof gone" }),
  );
});

test("nobody grades without a name", async () => {
  const me = { reviewer: "", is_blind: false, was_shown: false, reasons: [] };
  const { bench, reviewing } = await opened({}, { me });
  reviewing.grade("light");
  expect(bench.outbox.add).not.toHaveBeenCalled();
  expect(document.querySelector('[role="alert"]')?.textContent).toContain("Enter your name first");
});

test("the map shows my grade, else the last of the others, else what the model says", () => {
  const shown = (by: [string, string | null][]): string | null =>
    shownGrade(
      { me: { reviewer: "Nadia" }, grades: new Map([["B7", new Map(by)]]) } as unknown as Bench,
      BUILDING,
    );
  expect(
    shown([
      ["Nadia", "light"],
      ["Omar", "severe"],
    ]),
  ).toBe("light");
  expect(
    shown([
      ["Omar", "severe"],
      ["Rami", "none"],
    ]),
  ).toBe("none");
  expect(
    shown([
      ["Nadia", null],
      ["Omar", "severe"],
    ]),
  ).toBe("na");
  expect(shown([])).toBeNull();
});
