import { afterEach, expect, test, vi } from "vitest";
import type { Clip, ClipTimes } from "../src/api.js";
import { Player } from "../src/player.js";
import { FakeServer } from "./server.js";

afterEach(() => vi.unstubAllGlobals());

/** A clip of 24000/1001 pictures a second, one of which is missing, that begins at 1/3 s. */
const TIMES: ClipTimes = { ticks: [0, 1001, 2002, 4004, 5005], tick_s: "1/24000", offset_s: "1/3" };
const CLIP = { sha256: "a".repeat(64), name: "flight" } as Clip;

async function loaded(time_s: number | null = null): Promise<Player> {
  new FakeServer({ body: TIMES });
  const player = new Player(() => undefined);
  const loading = player.load(CLIP, time_s, []);
  await vi.waitUntil(() => player.video.onloadeddata !== null);
  player.video.dispatchEvent(new Event("loadeddata"));
  await loading;
  return player;
}

test("the time of a frame is a fraction, as the clip has it", async () => {
  const player = await loaded();
  player.step(3);
  const [num, den] = player.exactTime.split("/").map(BigInt);
  // 1/3 + 4004/24000 = 12004 / 24000
  expect(num! * 24000n).toBe(12004n * den!);
});

test.each([0, 1, 2, 3, 4])("frame %i is asked for by the middle of its time", async (frame) => {
  const player = await loaded();
  player.seek(frame);
  const ends = [...TIMES.ticks.slice(1), 6006];
  const middle = (TIMES.ticks[frame]! + ends[frame]!) / 2 / 24000;
  expect(player.video.currentTime).toBeCloseTo(middle, 9);
});

test("a moment shows the frame that is on the screen at that moment", async () => {
  const player = await loaded();
  const at = (tick: number): number => player.frameAt(1 / 3 + tick / 24000);
  expect([0, 990, 1001, 3000, 4004, 99999].map(at)).toEqual([0, 0, 1, 2, 3, 4]);
  expect(player.frameAt(-5)).toBe(0);
});

test("a time that was rounded to thousandths of a frame still finds its frame", async () => {
  const player = await loaded();
  for (const [frame, tick] of TIMES.ticks.entries()) {
    expect(player.frameAt(Number((1 / 3 + tick / 24000).toFixed(4)))).toBe(frame);
  }
});

test("a clip opens at the moment that was asked for", async () => {
  const player = await loaded(1 / 3 + 2002 / 24000);
  expect(player.frameNumber).toBe(2);
  expect(player.element.textContent).toContain("frame 3 of 5");
});

test("steps end at the first and the last frame", async () => {
  const player = await loaded();
  player.step(-1);
  expect(player.frameNumber).toBe(0);
  player.step(10);
  expect(player.frameNumber).toBe(4);
});
