import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Saved } from "../src/api.js";
import { type Decision, Outbox } from "../src/outbox.js";
import { FakeServer } from "./server.js";

const KEY = "aftermap.outbox.case";
const LONG_MS = 60_000;
let reviewer = "Nadia";

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  document.body.replaceChildren();
  reviewer = "Nadia";
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function decision(sourceId: string, second: number): Decision {
  return { source_id: sourceId, grade: "severe", at: `2026-01-01T00:00:0${second}.000Z` };
}

function opened(): { outbox: Outbox; said: [number, string | null][]; saved: string[] } {
  const said: [number, string | null][] = [];
  const saved: string[] = [];
  const outbox = new Outbox(
    KEY,
    () => reviewer,
    (count, trouble) => said.push([count, trouble]),
    (one: Decision, _: Saved) => saved.push(one.source_id),
  );
  return { outbox, said, saved };
}

function kept(): string[] {
  return Object.keys(localStorage).filter((name) => name.startsWith(KEY));
}

test("a decision is in the browser before the server has answered, and gone once it has", async () => {
  const server = new FakeServer();
  const { outbox, saved } = opened();
  outbox.add(decision("B1", 1));
  expect(kept()).toHaveLength(1);
  expect(saved).toEqual([]);
  await vi.advanceTimersByTimeAsync(0);
  expect(server.asked).toEqual([{ path: "/api/grades", body: decision("B1", 1) }]);
  expect(saved).toEqual(["B1"]);
  expect(kept()).toEqual([]);
  expect(outbox.count).toBe(0);
});

test("what the server did not hear is sent again with the same time, by which it is known", async () => {
  const server = new FakeServer();
  server.next("unreachable", { status: 503, body: { error: "the record is in use" } });
  const { outbox, said, saved } = opened();
  outbox.add(decision("B1", 1));
  await vi.advanceTimersByTimeAsync(0);
  expect(kept()).toHaveLength(1);
  expect(said.at(-1)).toEqual([1, expect.stringContaining("not responding")]);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(server.asked.map((one) => one.body)).toEqual(Array(3).fill(decision("B1", 1)));
  expect(said).toContainEqual([1, "the record is in use"]);
  expect(said.at(-1)).toEqual([0, null]);
  expect(saved).toEqual(["B1"]);
});

test("after it was saved nothing is sent again", async () => {
  const server = new FakeServer();
  const { outbox } = opened();
  outbox.add(decision("B1", 1));
  await vi.advanceTimersByTimeAsync(LONG_MS);
  await outbox.send();
  opened();
  expect(server.asked).toHaveLength(1);
});

test("decisions go one after the other, in the order in which they were made", async () => {
  const server = new FakeServer();
  server.next("unreachable");
  const { outbox, saved } = opened();
  outbox.add(decision("B1", 1));
  outbox.add(decision("B2", 2));
  outbox.add(decision("B1", 3));
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(server.asked.map((one) => one.body.source_id)).toEqual(["B1", "B1", "B2", "B1"]);
  expect(saved).toEqual(["B1", "B2", "B1"]);
});

test("a decision that the server refuses is told and does not hold up the next", async () => {
  const server = new FakeServer();
  server.next({ status: 422, body: { error: "B1: is not a building of this case" } });
  const { outbox, saved } = opened();
  outbox.add(decision("B1", 1));
  outbox.add(decision("B2", 2));
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(document.querySelector('[role="alert"]')?.textContent).toContain("B1: is not a building");
  expect(saved).toEqual(["B2"]);
  expect(server.asked).toHaveLength(2);
  expect(kept()).toEqual([]);
});

test("what an earlier window left is sent by the next, the oldest first", async () => {
  new FakeServer("unreachable");
  const earlier = opened();
  earlier.outbox.add(decision("B2", 2));
  earlier.outbox.add(decision("B1", 1));
  vi.clearAllTimers(); // the window is closed
  const server = new FakeServer();
  const { outbox } = opened();
  expect(outbox.count).toBe(2);
  await outbox.send();
  expect(server.asked.map((one) => one.body.source_id)).toEqual(["B1", "B2"]);
  expect(kept()).toEqual([]);
});

test("entries of another case and damaged ones are left alone", () => {
  localStorage.setItem(`${KEY}/a`, "{");
  localStorage.setItem(`${KEY}2/a/B1`, JSON.stringify({ reviewer, decision: decision("B1", 1) }));
  expect(opened().outbox.count).toBe(0);
});

test("decisions of somebody else wait, by name, and go out when they are back", async () => {
  const server = new FakeServer();
  server.next("unreachable");
  const { outbox, said, saved } = opened();
  outbox.add(decision("B1", 1));
  await vi.advanceTimersByTimeAsync(0);
  reviewer = "Omar";
  outbox.add(decision("B2", 2));
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(saved).toEqual(["B2"]);
  expect(said.at(-1)).toEqual([1, expect.stringContaining("Nadia")]);
  reviewer = "Nadia";
  await outbox.send();
  expect(saved).toEqual(["B2", "B1"]);
  expect(server.asked).toHaveLength(3);
});

test("an undo waits until nothing of this reviewer is on its way", async () => {
  const server = new FakeServer();
  server.next("unreachable");
  const { outbox } = opened();
  outbox.add(decision("B1", 1));
  let isEmptied = false;
  void outbox.emptied().then(() => {
    isEmptied = true;
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(isEmptied).toBe(false);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(isEmptied).toBe(true);
});
