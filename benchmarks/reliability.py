"""Draws docs/images/reliability.png from results/grades.json: python -m benchmarks.reliability."""

import json
from pathlib import Path

import cv2
import numpy as np

RESULTS = Path(__file__).parent / "results/grades.json"
PICTURE = Path(__file__).parents[1] / "docs/images/reliability.png"
SIDE, EDGE = 520, 64
WAYS = {
    "aligned": ("held-out seeds", (160, 90, 20)),
    "shifted_2_m": ("outlines 2 m off", (40, 110, 200)),
    "video_only": ("video only", (90, 140, 40)),
}
INK, FAINT = (60, 60, 60), (215, 215, 215)


def main() -> None:
    """Draw confidence against how often a grade was right; a dot's area is its buildings."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    whole = SIDE + 2 * EDGE
    image = np.full((whole, whole, 3), 255, np.uint8)
    for tenth in range(0, 11, 2):
        at = round(SIDE * tenth / 10)
        cv2.line(image, (EDGE + at, EDGE), (EDGE + at, EDGE + SIDE), FAINT, 1)
        cv2.line(image, (EDGE, EDGE + SIDE - at), (EDGE + SIDE, EDGE + SIDE - at), FAINT, 1)
        _write(image, f"{tenth / 10:.1f}", (EDGE + at - 12, EDGE + SIDE + 22))
        _write(image, f"{tenth / 10:.1f}", (EDGE - 36, EDGE + SIDE - at + 5))
    cv2.line(image, (EDGE, EDGE + SIDE), (EDGE + SIDE, EDGE), FAINT, 2, cv2.LINE_AA)
    for row, (way, (label, colour)) in enumerate(WAYS.items()):
        if way not in found:
            continue
        places = [
            (round(EDGE + SIDE * one["confidence"]), round(EDGE + SIDE * (1 - one["right"])))
            for one in found[way]["reliability"]
        ]
        cv2.polylines(image, [np.int32(places)], isClosed=False, color=colour, lineType=cv2.LINE_AA)
        for place, one in zip(places, found[way]["reliability"], strict=True):
            radius = round(2 + np.sqrt(one["buildings"]) * 0.8)
            cv2.circle(image, place, radius, colour, -1, cv2.LINE_AA)
        at_y = EDGE + 24 + 24 * row
        cv2.circle(image, (EDGE + 20, at_y - 5), 6, colour, -1, cv2.LINE_AA)
        _write(image, f"{label}: {found[way]['buildings']} buildings", (EDGE + 34, at_y))
    _write(image, "confidence of the grade", (EDGE + SIDE // 2 - 80, EDGE + SIDE + 46))
    _write(image, "share of grades that are right", (EDGE - 36, EDGE - 20))
    cv2.imwrite(str(PICTURE), image)


def _write(image: np.ndarray, text: str, place: tuple[int, int]) -> None:
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
