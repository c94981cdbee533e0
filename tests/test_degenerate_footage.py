"""Footage that shows no depth: one line and the right status, and what there is is delivered."""

import cv2
import numpy as np
import pytest

from aftermap.cli import status_of

WIDTH, HEIGHT = 600, 450
COUNT = 6


def scene(seed=3):
    """(HEIGHT, WIDTH) grey with blobs of every size, as rubble has."""
    rng = np.random.default_rng(seed)
    grey = np.zeros((HEIGHT, WIDTH), np.float32)
    for cell in (4, 8, 16, 40, 90):
        coarse = rng.normal(0, 1, (HEIGHT // cell + 2, WIDTH // cell + 2)).astype(np.float32)
        grey += cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 30 * grey, 0, 255).astype(np.uint8)


def zoomed(index):
    by = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 0, 1 + index / COUNT)
    return cv2.warpAffine(scene(), by, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)


PICTURES = {
    "one picture saved again": lambda _: scene(),
    "copies and their mirror images": lambda i: scene(i // 2)[:, :: (-1) ** i],
    "constant colour": lambda i: np.full((HEIGHT, WIDTH), 40 + 30 * i, np.uint8),
    "noise": lambda i: np.random.default_rng(i).integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8),
    "a zoom": zoomed,
}


def mapped(kind, tmp_path, capsys):
    """The status, the one line, and the case of a map of such pictures."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(COUNT):
        quality = [cv2.IMWRITE_JPEG_QUALITY, 90 + index]  # so that no two files are the same
        cv2.imwrite(str(folder / f"{index}.jpg"), PICTURES[kind](index), quality)
    case = tmp_path / "case"
    words = ["map", str(folder), "--case", str(case), "--quality", "draft", "--workers", "1"]
    status = status_of(words)
    told = capsys.readouterr()
    (line,) = [one for one in told.err.splitlines() if one.startswith("aftermap: ")]
    assert "Traceback" not in told.err
    assert "internal error in Aftermap" not in line
    return status, line, case


@pytest.mark.parametrize("kind", [kind for kind in PICTURES if kind != "a zoom"])
def test_pictures_that_join_nowhere_deliver_nothing_and_say_so(kind, tmp_path, capsys):
    status, line, case = mapped(kind, tmp_path, capsys)
    assert status == 2
    assert "overlap" in line
    assert not (case / "products/cameras.json").exists()


def test_a_zoom_is_no_flight(tmp_path, capsys):
    """It would be explained by a flight at a flat wall, and a map of that wall would be made up."""
    status, line, case = mapped("a zoom", tmp_path, capsys)
    assert status == 2
    assert "only rotated or zoomed" in line
    assert not (case / "products/cameras.json").exists()
