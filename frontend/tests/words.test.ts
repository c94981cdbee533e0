// @vitest-environment node
import { describe, expect, test } from "vitest";
import {
  area,
  bytes,
  centimetres,
  compass,
  datumWord,
  degrees,
  gradeWord,
  length,
  metres,
  percent,
  plainName,
  timeCode,
  unitOf,
} from "../src/words.js";

describe("time codes", () => {
  test.each([
    [0, "0:00:00.000"],
    [59.9994, "0:00:59.999"],
    [59.9996, "0:01:00.000"],
    [3599.9999, "1:00:00.000"],
    [36_061.5, "10:01:01.500"],
    [-1.25, "-0:00:01.250"],
  ])("%d s", (seconds, code) => {
    expect(timeCode(seconds)).toBe(code);
  });

  test("the moments of one clip sort as their codes do", () => {
    const codes = [0.04, 9.96, 10, 59.999, 60, 601, 3600.001].map(timeCode);
    expect([...codes].sort()).toEqual(codes);
  });
});

describe("directions", () => {
  test.each([
    [0, "N 0°"],
    [22.4, "N 22°"],
    [22.6, "NE 23°"],
    [180, "S 180°"],
    [337.6, "N 338°"],
    [359.7, "N 0°"],
    [360, "N 0°"],
  ])("%d", (azimuth, words) => {
    expect(compass(azimuth)).toBe(words);
  });
});

describe("lengths and areas", () => {
  test.each([
    [length(1.234), "1.23 m"],
    [length(12.34), "12.3 m"],
    [length(999.94), "999.9 m"],
    [length(1000), "1.00 km"],
    [area(12.34), "12.3 m²"],
    [area(1234.4), "1234 m²"],
    [area(1e6), "1.000 km²"],
    [metres(3.25), "3.3 m"],
    [metres(3.25, 0), "3 m"],
    [centimetres(0.0234), "2.3"],
    [bytes(1), "1 kB"],
    [bytes(2_500_000), "3 MB"],
    [bytes(2_500_000_000), "2.5 GB"],
    [percent(0.125), "13 %"],
    [degrees(12.4), "12°"],
  ])("%s", (words, expected) => {
    expect(words).toBe(expected.replace(" ", "\u00a0")); // a unit stays with its number
  });
});

test("what is not known is never told as zero", () => {
  expect(metres(null)).toBe("not known");
  expect(metres(Number.NaN)).toBe("not known");
  for (const one of [percent(null), compass(null), degrees(null), centimetres(null)]) {
    expect(one).toBe("?");
  }
  expect(gradeWord(null)).toBe("Not assessed");
  expect(datumWord(null)).toBe("datum not known");
});

test("grade none is a grade", () => {
  expect(gradeWord("none")).toBe("No visible damage");
});

test("a column's name as a person reads it, with its unit apart", () => {
  expect([plainName("roof_height_m"), unitOf("roof_height_m")]).toEqual(["roof height", "m"]);
  expect([plainName("dark_hole_m2"), unitOf("dark_hole_m2")]).toEqual(["dark hole", "m²"]);
  expect([plainName("hole_fraction"), unitOf("hole_fraction")]).toEqual(["hole", "%"]);
  expect([plainName("apron_sides"), unitOf("apron_sides")]).toEqual(["apron sides", ""]);
});
