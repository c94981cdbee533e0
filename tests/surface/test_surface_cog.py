"""Blocks to a cloud-optimised GeoTIFF: what is in the file, its order, and in how much memory."""

import json
import struct
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import rasterio
from known_ground import UTM, grid
from rasterio.enums import ColorInterp

from aftermap.geo.crs import LOCAL
from aftermap.geo.grid import Block, blocks_of
from aftermap.surface.cog import Layer, open_cog
from aftermap.surface.ortho import IMAGE, SOURCE

SURFACE = Layer(
    dtype="float32",
    bands=("height",),
    nodata=-9999.0,
    unit="metre",
    overviews="average",
    tags={"AFTERMAP_VERTICAL_DATUM": "ellipsoid"},
)
TILE_OFFSETS, WIDTH, SUBFILE = 324, 256, 254


def write(path, over, layer, values, *, size=512, backwards=False):
    blocks = list(blocks_of(over, size))
    with open_cog(path, over, layer) as out:
        for block in reversed(blocks) if backwards else blocks:
            rows = slice(block.row, block.row + block.rows)
            columns = slice(block.column, block.column + block.columns)
            out.write(block, values[..., rows, columns])
    return path


def directories(path):
    """Offset, width and first tile's offset of every image directory, in the order of the chain."""
    data = path.read_bytes()
    assert data[:4] == b"II*\0"
    found, at = [], struct.unpack_from("<I", data, 4)[0]
    while at:
        count = struct.unpack_from("<H", data, at)[0]
        tags = {}
        for k in range(count):
            tag, kind, number, value = struct.unpack_from("<HHII", data, at + 2 + 12 * k)
            tags[tag] = (kind, number, value)
        _, number, where = tags[TILE_OFFSETS]
        tiles = (where,) if number == 1 else struct.unpack_from(f"<{number}I", data, where)
        width = tags[WIDTH][2] & 0xFFFF
        found.append((at, width, tags.get(SUBFILE, (0, 0, 0))[2], [t for t in tiles if t]))
        at = struct.unpack_from("<I", data, at + 2 + 12 * count)[0]
    return found


@pytest.fixture(scope="module")
def heights():
    row, column = np.indices((1300, 1700), dtype=np.float32)
    values = (240 + 0.01 * column + 3 * np.sin(row / 40)).astype(np.float32)
    values[:200, :300] = -9999.0
    return values


@pytest.fixture(scope="module")
def surface(heights, tmp_path_factory):
    over = grid(1700, 1300, 0.25)
    return write(tmp_path_factory.mktemp("cog") / "surface.tif", over, SURFACE, heights)


def test_every_directory_comes_before_every_tile_and_large_before_small(surface):
    chain = directories(surface)
    assert [width for _, width, _, _ in chain] == [1700, 850, 425]
    assert [bool(kind & 1) for _, _, kind, _ in chain] == [False, True, True]  # reduced images
    offsets = [at for at, *_ in chain]
    assert offsets == sorted(offsets)
    assert offsets[-1] < min(tiles[0] for *_, tiles in chain)
    # Small pictures come first in the data, so that a first look reads the head of the file only.
    for (*_, larger), (*_, smaller) in pairwise(chain):
        assert max(smaller) < min(larger)
    with rasterio.open(surface) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_the_file_holds_what_was_written_and_says_what_it_is(surface, heights):
    with rasterio.open(surface) as file:
        assert file.block_shapes == [(512, 512)]
        assert file.compression.value == "DEFLATE"
        assert file.profile["tiled"]
        assert file.overviews(1) == [2, 4]
        assert (file.dtypes, file.nodata, file.units) == (("float32",), -9999.0, ("metre",))
        assert file.descriptions == ("height",)
        assert file.crs.to_epsg() == int(UTM.removeprefix("EPSG:"))
        assert file.transform.a == -file.transform.e == 0.25
        assert file.tags()["AREA_OR_POINT"] == "Area"
        assert file.tags()["AFTERMAP_VERTICAL_DATUM"] == "ellipsoid"
        assert np.array_equal(file.read(1), heights)
        half = file.read(1, out_shape=(650, 850))
    known = half != -9999.0
    assert not known[:99, :149].any()
    assert known[101:, 151:].all()
    mean = heights.reshape(650, 2, 850, 2).mean(axis=(1, 3))
    assert np.abs(half - mean)[101:, 151:].max() < 1e-3  # an average, without any -9999 in it
    assert half[known].min() > 230


def test_the_order_of_the_blocks_does_not_matter(surface, heights, tmp_path):
    over = grid(1700, 1300, 0.25)
    other = write(tmp_path / "surface.tif", over, SURFACE, heights, size=700, backwards=True)
    with rasterio.open(other) as file:
        assert np.array_equal(file.read(1), heights)
    assert [d[1:3] for d in directories(other)] == [d[1:3] for d in directories(surface)]


def test_a_picture_has_colours_and_an_alpha_and_a_source_its_nearest_overview(tmp_path):
    over = grid(1100, 600, 0.1)
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (4, 600, 1100)).astype(np.uint8)
    image[3] = np.where(image[3] > 60, 255, 0)
    path = write(tmp_path / "orthophoto.tif", over, IMAGE, image)
    with rasterio.open(path) as file:
        assert file.colorinterp == (
            ColorInterp.red,
            ColorInterp.green,
            ColorInterp.blue,
            ColorInterp.alpha,
        )
        assert file.nodata is None
        assert np.array_equal(file.read(), image)
    numbers = rng.choice([3, 500, 65535], (600, 1100)).astype(np.uint16)
    path = write(tmp_path / "source.tif", over, SOURCE, numbers)
    with rasterio.open(path) as file:
        assert (file.nodata, file.dtypes) == (65535, ("uint16",))
        assert file.overviews(1)
        assert set(np.unique(file.read(1, out_shape=(300, 550)))) == {3, 500, 65535}


def test_blocks_that_were_never_written_have_no_data(tmp_path):
    over = grid(1200, 700)
    path = tmp_path / "surface.tif"
    with open_cog(path, over, SURFACE) as out:
        out.write(Block(row=512, column=0, rows=100, columns=50), np.ones((100, 50), np.float32))
    with rasterio.open(path) as file:
        values = file.read(1)
    assert (values == 1).sum() == 5000
    assert (values == -9999.0).sum() == values.size - 5000


def test_a_raster_smaller_than_a_tile_and_one_without_a_place_are_fine(tmp_path):
    over = grid(30, 20)
    local = type(over)(crs=LOCAL, east_m=0, north_m=0, cell_m=0.5, columns=30, rows=20)
    for number, one in enumerate((over, local)):
        values = np.full((20, 30), 7, np.float32)
        path = write(tmp_path / f"{number}.tif", one, SURFACE, values)
        with rasterio.open(path) as file:
            assert (file.read(1) == 7).all()
            assert (file.crs.to_epsg() is None) == (one is local)
            if one is local:
                assert "local" in file.crs.to_wkt().lower()


def test_an_error_while_writing_leaves_no_file(tmp_path):
    def fail():
        with open_cog(tmp_path / "surface.tif", grid(600, 600), SURFACE) as out:
            out.write(Block(row=0, column=0, rows=9, columns=9), np.ones((9, 9), np.float32))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


MEASURE = """
import json, resource, sys
from pathlib import Path
import numpy as np
from aftermap.geo.grid import blocks_of
from aftermap.model.raster import Grid
from aftermap.surface.cog import Layer, open_cog

side = int(sys.argv[2])
grid = Grid(crs="EPSG:32637", east_m=5e5, north_m=4e6, cell_m=0.1, columns=side, rows=side)
layer = Layer(dtype="float32", bands=("height",), nodata=-9999.0, unit="metre",
              overviews="nearest", tags={})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_cog(Path(sys.argv[1]), grid, layer) as out:
    for block in blocks_of(grid, 1024):
        out.write(block, np.full((block.rows, block.columns), block.row, np.float32))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([before * 1024, peak * 1024]))
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="memory is counted in KiB on Linux"
)
def test_a_raster_is_never_held_in_memory_whole(tmp_path):
    side = 7680
    run = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", MEASURE, str(tmp_path / "large.tif"), str(side)],
        check=True,
        capture_output=True,
        text=True,
    )
    before, peak = json.loads(run.stdout)
    whole = 4 * side * side
    assert whole > 230e6
    assert peak - before < 150e6  # GDAL's cache of 64 MB, a block, and the libraries
    with rasterio.open(tmp_path / "large.tif") as file:
        assert file.overviews(1)
