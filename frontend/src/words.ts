// The words and colours of the field, and numbers as they are read.

import type { Grade } from "./api.js";
import { texts } from "./texts.js";

/** Blue to red by way of yellow: told apart with every common colour blindness. */
export const GRADE_COLOURS: Record<Grade, string> = {
  none: "#2c7bb6",
  light: "#abd9e9",
  moderate: "#fee090",
  severe: "#f46d43",
  destroyed: "#a50026",
};
/** Between a number and its unit, which no line break parts. */
const SPACE = "\u00a0";
export const NOT_ASSESSED_COLOUR = "#8a8f94";
export const PASSAGE_COLOURS: [string, string][] = [
  ["truck", "#2c7bb6"],
  ["car", "#abd9e9"],
  ["nobody", "#d7191c"],
  ["not_seen", "#8a8f94"],
];

export function gradeWord(grade: Grade | null | undefined): string {
  return grade ? texts.grades[grade] : texts.grades.notAssessed;
}

/** Above what a height is, by the code of its datum. */
export function datumWord(datum: string | null | undefined): string {
  return texts.datums[datum ?? "unknown"] ?? String(datum);
}

export function metres(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value))
    return texts.common.notKnown;
  return `${value.toFixed(digits)}${SPACE}m`;
}

export function length(value: number): string {
  return value >= 1000
    ? `${(value / 1000).toFixed(2)}${SPACE}km`
    : `${value.toFixed(value < 10 ? 2 : 1)}${SPACE}m`;
}

export function area(value: number): string {
  return value >= 1e6
    ? `${(value / 1e6).toFixed(3)}${SPACE}km²`
    : `${value.toFixed(value < 100 ? 1 : 0)}${SPACE}m²`;
}

export function percent(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined
    ? texts.common.unknown
    : `${Math.round(100 * fraction)}${SPACE}%`;
}

export function compass(azimuth: number | null | undefined): string {
  if (azimuth === null || azimuth === undefined) return texts.common.unknown;
  const whole_deg = (Math.round(azimuth) + 360) % 360;
  return `${texts.compass[Math.round(whole_deg / 45) % 8]} ${whole_deg}°`;
}

export function degrees(value: number | null | undefined): string {
  return value == null ? texts.common.unknown : `${Math.round(value)}°`;
}

/** A ground sample distance in centimetres, without its unit. */
export function centimetres(length_m: number | null | undefined): string {
  return length_m == null ? texts.common.unknown : (100 * length_m).toFixed(1);
}

/** Hours, minutes, seconds and thousandths on the clip's own clock. */
export function timeCode(seconds: number): string {
  const sign = seconds < 0 ? "-" : "";
  const ms = Math.round(Math.abs(seconds) * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  return (
    `${sign}${Math.floor(ms / 3600000)}:${two(Math.floor(ms / 60000) % 60)}:` +
    `${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`
  );
}

export function bytes(size: number): string {
  if (size >= 1e9) return `${(size / 1e9).toFixed(1)}${SPACE}GB`;
  return size >= 1e6
    ? `${(size / 1e6).toFixed(0)}${SPACE}MB`
    : `${Math.ceil(size / 1e3)}${SPACE}kB`;
}

const UNIT = /_(m2|m3|m|deg|px|s|fraction)$/;

/** A column's name as a person reads it: ``roof_fraction`` -> "roof". */
export function plainName(name: string): string {
  return name.replace(UNIT, "").replaceAll("_", " ");
}

export function unitOf(name: string): string {
  const unit = UNIT.exec(name)?.[1] ?? "";
  return { m2: "m²", m3: "m³", m: "m", deg: "°", px: "px", s: "s", fraction: "%" }[unit] ?? "";
}
