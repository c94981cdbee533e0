"""A caption burned into half of a flight's photographs, and masked: it stays out of the map."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import rasterio

from aftermap.execute import LocalExecutor
from aftermap.model.camera import Reconstruction
from aftermap.progress import NoProgress
from aftermap.record import StageFolder
from aftermap.record.artefact import decode_artefact
from aftermap.surface import SurfaceOptions, orthophoto_of, surface_of

CAPTION = np.s_[240:400, 90:510]
MAGENTA = (255, 0, 255)
"""Nothing in the district has this colour."""


@pytest.fixture(scope="module")
def placed(mapped) -> Reconstruction:
    (answer,) = (mapped.case / "products" / "stages").glob("poses-*/answer.json")
    return decode_artefact(
        Reconstruction, json.loads(answer.read_text())["answer"], root=mapped.case
    )


def with_caption(placed: Reconstruction, folder, *, masked: bool) -> Reconstruction:
    """Every second photograph with a plate of magenta letters, always in the same place."""
    folder.mkdir()
    mask = np.full((450, 600), 255, np.uint8)
    mask[CAPTION] = 0
    cv2.imwrite(str(folder / "mask.png"), mask)
    frames = []
    for number, one in enumerate(placed.placed):
        if number % 2:
            pixels = cv2.imread(one.frame.path)
            pixels[CAPTION] = MAGENTA
            for row in range(270, 400, 30):
                cv2.putText(pixels, "BREAKING NEWS 24", (95, row), 0, 1.4, (0, 0, 0), 4)
            path = str(folder / f"{number}.png")
            cv2.imwrite(path, pixels)
            over = str(folder / "mask.png") if masked else None
            frames.append(replace(one, frame=replace(one.frame, path=path, mask=over)))
        else:
            frames.append(one)
    return replace(placed, placed=tuple(frames))


def drawn(cameras: Reconstruction, folder):
    """Heights, counts, (rows, columns, 3) colours and the numbers of photographs."""
    options = SurfaceOptions.of("draft")
    with LocalExecutor(1, progress=NoProgress()) as executor:
        elevation = surface_of(cameras, options, StageFolder(folder=folder / "s"), executor)
        picture = orthophoto_of(
            cameras, elevation, options, StageFolder(folder=folder / "o"), executor
        )
    arrays = []
    for raster in (elevation.surface, elevation.confidence, picture.image, picture.source):
        with rasterio.open(raster.path) as file:
            arrays.append(file.read().squeeze())
    return arrays


def magenta_pixels(image) -> int:
    red, green, blue, alpha = image.astype(int)
    return int(((alpha > 0) & (np.minimum(red, blue) - green > 60)).sum())


@pytest.mark.exhaustive
def test_a_masked_caption_stays_out_and_its_photographs_stay_in(mapped, placed, tmp_path):
    clean = [
        mapped.raster("surface.tif"),
        mapped.raster("confidence.tif"),
        np.stack([mapped.raster("orthophoto.tif", band) for band in (1, 2, 3, 4)]),
    ]
    bare = drawn(with_caption(placed, tmp_path / "bare", masked=False), tmp_path / "bare")
    masked = drawn(with_caption(placed, tmp_path / "masked", masked=True), tmp_path / "masked")
    assert magenta_pixels(clean[2]) == 0
    assert magenta_pixels(bare[2]) > 300  # without the mask it is painted on the ground
    assert magenta_pixels(masked[2]) == 0

    shown = masked[3] != 65535
    assert (masked[3][shown] % 2 == 1).mean() > 0.15  # from photographs with a mask
    assert (masked[1] > 0).sum() > 0.85 * (clean[1] > 0).sum()
    assert np.median(masked[1][masked[1] > 0]) >= np.median(clean[1][clean[1] > 0]) - 2
