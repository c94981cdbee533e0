"""Every photograph with one burned-in caption, and masks beside them: the map is as without it."""

import json
import shutil
import sqlite3

import cv2
import numpy as np
import pytest
import rasterio
from known_district import Mapped, map_here, positions
from PIL import Image
from rasterio.warp import Resampling, reproject

CAPTION = np.s_[330:430, 40:560]
MAGENTA = (255, 0, 255)
NOBODY = 65535
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def masked(flight, tmp_path_factory) -> Mapped:
    """The flight with a channel's letters in every photograph, which keep their metadata."""
    folder = tmp_path_factory.mktemp("with_caption") / "images"
    shutil.copytree(flight / "images", folder)
    for file in sorted(folder.iterdir()):
        burned_in(file)
        mask = np.full((450, 600), 255, np.uint8)
        mask[CAPTION] = 0
        assert cv2.imwrite(str(folder / f"{file.stem}_mask.png"), mask)
    case = folder.parent / "case"
    assert map_here(folder, case) == 0
    return Mapped(case=case, flight=flight)


def burned_in(file):
    with Image.open(file) as image:
        pixels = np.array(image)
        kept = {"exif": image.info.get("exif", b""), "xmp": image.info.get("xmp", b"")}
    pixels[CAPTION] = MAGENTA
    for row in range(355, 430, 25):
        cv2.putText(pixels, "BREAKING NEWS 24 - BREAKING", (45, row), 0, 1.0, (0, 0, 0), 3)
    Image.fromarray(pixels).save(file, quality=95, **kept)


def test_masks_are_no_photographs_and_are_named_in_the_record(masked, flight):
    names = {file.name for file in (flight / "images").iterdir()}
    with sqlite3.connect(masked.case / "case.gpkg") as record:
        assert {name for (name,) in record.execute("SELECT name FROM media")} == names
        query = "SELECT detail FROM custody WHERE action = 'masked'"
        said = [json.loads(detail) for (detail,) in record.execute(query)]
    record.close()
    assert {one["name"] for one in said} == {f"{name.rsplit('.', 1)[0]}_mask.png" for name in names}
    kept = list((masked.case / "media").rglob(f"{said[0]['mask_sha256']}.mask"))
    assert len(kept) == 1
    assert any("have a mask" in note for note in masked.json("report.json")["notes"])


def test_the_cameras_are_where_they_were(mapped, masked):
    own, true = positions(masked)
    clear, _ = positions(mapped)
    assert len(own) == len(clear)
    errors = [np.linalg.norm(found - true, axis=1) for found in (own, clear)]
    assert np.median(errors[0]) < np.median(errors[1]) + 0.3


def test_nothing_of_the_caption_is_drawn_and_the_rest_is_the_same_map(mapped, masked):
    colours = np.stack([masked.raster("orthophoto.tif", band) for band in (1, 2, 3)]).astype(int)
    drawn = masked.raster("source.tif") != NOBODY
    red, green, blue = colours
    assert ((np.minimum(red, blue) - green > 60) & drawn).sum() == 0
    assert drawn.sum() > 0.7 * (mapped.raster("source.tif") != NOBODY).sum()

    heights, counts = both(mapped, masked)
    agreed = (counts[0] >= 2) & (counts[1] >= 2)
    assert agreed.sum() > 0.6 * (counts[0] >= 2).sum()
    apart = heights[1][agreed] - heights[0][agreed]
    apart -= np.median(apart)  # of the whole block: heights come from few GNSS fixes
    assert 1.4826 * np.median(np.abs(apart)) < 0.1


def both(mapped, masked):
    """Heights and counts of two maps over the cells that they share."""
    with rasterio.open(mapped.product("surface.tif")) as one:
        shape, transform, crs = one.shape, one.transform, one.crs
        heights = [one.read(1).astype(float)]
    with rasterio.open(mapped.product("confidence.tif")) as one:
        counts = [one.read(1).astype(float)]
    for name, into in (("surface.tif", heights), ("confidence.tif", counts)):
        with rasterio.open(masked.product(name)) as other:
            out = np.zeros(shape)
            reproject(
                other.read(1).astype(float),
                out,
                src_transform=other.transform,
                src_crs=other.crs,
                dst_transform=transform,
                dst_crs=crs,
                resampling=Resampling.nearest,
            )
        into.append(out)
    return heights, counts


@pytest.mark.parametrize(
    ("size", "grey", "said"),
    [((450, 700), 255, "is 700 x 450 pixels and"), ((450, 600), 0, "masks all of")],
)
def test_a_wrong_mask_is_one_line(flight, tmp_path, capfd, size, grey, said):
    first = sorted((flight / "images").iterdir())[0]
    (tmp_path / "f").mkdir()
    shutil.copyfile(first, tmp_path / "f" / first.name)
    assert cv2.imwrite(str(tmp_path / f"f/{first.stem}_mask.png"), np.full(size, grey, np.uint8))
    capfd.readouterr()
    assert map_here(tmp_path / "f", tmp_path / "case") == 2
    line = capfd.readouterr().err.strip().splitlines()[-1]
    assert f"{first.stem}_mask.png: {said}" in line
