import { expect, test } from "vitest";
import { measured } from "../src/evidence.js";

test.each([
  [measured(1.554, 0.126, "m"), "1.55 ± 0.13 m"],
  [measured(0.574, 0.0612, "%"), "57.4 ± 6.1 %"],
  [measured(144.2, null, "m²"), "144 m²"],
  [measured(6, 1, ""), "6.00 ± 1.00"],
])("a measure with its standard deviation and unit: %s", (words, expected) => {
  expect(words).toBe(expected);
});
