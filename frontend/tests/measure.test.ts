import { describe, expect, test } from "vitest";
import type { LonLat, Profile } from "../src/api.js";
import { areaM2, lengthM, profileChart } from "../src/measure.js";

const EARTH_M = 6371008.8;
const DEGREE_M = (EARTH_M * Math.PI) / 180;

describe("lengths", () => {
  test("a degree of a meridian is a degree of the circle", () => {
    const line: LonLat[] = [
      [39, 35],
      [39, 36],
    ];
    expect(lengthM(line)).toBeCloseTo(DEGREE_M, 3);
  });

  test("a short way along a parallel shrinks with the cosine of the latitude", () => {
    const line: LonLat[] = [
      [39, 60],
      [39.001, 60],
    ];
    expect(lengthM(line)).toBeCloseTo(0.001 * DEGREE_M * 0.5, 3);
  });

  test("a line is as long as its parts, and one point has no length", () => {
    const [a, b, c]: LonLat[] = [
      [39, 36],
      [39.01, 36.02],
      [39.02, 36.01],
    ];
    expect(lengthM([a!, b!, c!])).toBeCloseTo(lengthM([a!, b!]) + lengthM([b!, c!]), 6);
    expect(lengthM([a!])).toBe(0);
  });

  test("across the date line it goes the short way", () => {
    const line: LonLat[] = [
      [179.9, 0],
      [-179.9, 0],
    ];
    expect(lengthM(line)).toBeCloseTo(0.2 * DEGREE_M, 3);
  });
});

describe("areas", () => {
  const square: LonLat[] = [
    [39, 36],
    [39.001, 36],
    [39.001, 36.001],
    [39, 36.001],
  ];

  test("an eighth of the sphere", () => {
    const eighth: LonLat[] = [
      [0, 0],
      [90, 0],
      [90, 90],
      [0, 90],
    ];
    expect(areaM2(eighth) / ((4 * Math.PI * EARTH_M ** 2) / 8)).toBeCloseTo(1, 9);
  });

  test("a small rectangle is its sides multiplied", () => {
    const width = lengthM([
      [39, 36.0005],
      [39.001, 36.0005],
    ]);
    const height = lengthM([
      [39, 36],
      [39, 36.001],
    ]);
    expect(areaM2(square) / (width * height)).toBeCloseTo(1, 6);
  });

  test("neither the sense of rotation nor a closing corner counts", () => {
    const area = areaM2(square);
    expect(areaM2([...square].reverse())).toBeCloseTo(area, 3);
    expect(areaM2([...square, square[0]!])).toBeCloseTo(area, 3);
  });
});

describe("height profiles", () => {
  const profile: Profile = {
    along_m: [0, 1, 2, 3, 4],
    height_m: [10, 12, 40, null, 11],
    photographs: [3, 3, 0, null, 4],
  };
  const parts = (found: Profile, name: string): number =>
    (profileChart(found).querySelector(`path.${name}`)?.getAttribute("d")?.match(/M/g) ?? [])
      .length;

  test("what was measured is drawn through, what was filled dashed, what is not known not at all", () => {
    expect(parts(profile, "measured")).toBe(1);
    expect(parts(profile, "filled")).toBe(1);
  });

  test("a filled height sets no scale", () => {
    const ticks = [...profileChart(profile).querySelectorAll("text")].map((one) => one.textContent);
    expect(ticks.slice(0, 2)).toEqual(["12.0", "10.0"]);
  });

  test("one photograph alone measures nothing", () => {
    expect(parts({ ...profile, photographs: [1, 1, 1, 1, 1] }, "measured")).toBe(0);
  });

  test("a reader of the screen is told whether some of it was filled", () => {
    const label = (found: Profile): string => profileChart(found).getAttribute("aria-label") ?? "";
    expect(label(profile)).toContain("filled");
    const all = { along_m: [0, 1], height_m: [1, 2], photographs: [2, 2] };
    expect(label(all)).not.toContain("filled");
  });

  test("without any height it says so", () => {
    const none = { along_m: [0, 1], height_m: [null, null], photographs: [null, null] };
    expect(profileChart(none).textContent).toBe("No height is known along this line.");
  });
});
