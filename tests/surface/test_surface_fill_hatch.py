"""The hatch of filled ground: at every scale, over nothing that was measured, and under nothing."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from known_ground import grid

from aftermap.geo.crs import LOCAL
from aftermap.geo.grid import Block, blocks_of
from aftermap.geo.hatch import PAPER as LIGHT
from aftermap.geo.hatch import PERIOD_PX
from aftermap.geo.hatch import STROKE as DARK
from aftermap.surface.fill_hatch import hatched, next_overview
from aftermap.surface.ortho import IMAGE
from aftermap.surface.pyramid import open_hatched_cog

DARK_PX = 4


def painted(rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 255, (rows, columns, 4)).astype(np.uint8)
    image[..., 3] = np.where(rng.random((rows, columns)) < 0.8, 255, 0)
    return image, rng.random((rows, columns)) < 0.4


@given(seed=st.integers(0, 99), row=st.integers(0, 50), column=st.integers(0, 50))
def test_the_hatch_covers_what_is_filled_and_leaves_the_rest(seed, row, column):
    image, filled = painted(40, 30, seed)
    out = hatched(image, filled, (row, column), draped=False)
    assert (out[~filled] == image[~filled]).all()
    assert (out[filled, 3] == 255).all()
    assert set(np.unique(out[filled, :3])) == {LIGHT, DARK}
    dark = (np.add.outer(np.arange(40), np.arange(30)) + row + column) % PERIOD_PX < DARK_PX
    assert ((out[..., 0] == DARK) == dark)[filled].all()


def test_a_photograph_under_the_hatch_shows_between_its_lines_only():
    image, filled = painted(60, 60)
    flat, draped = (hatched(image, filled, (0, 0), draped=d) for d in (False, True))
    assert (draped[~filled] == image[~filled]).all()
    differ = (flat != draped).any(-1)
    assert not differ[~filled | (image[..., 3] == 0)].any()
    assert 0.2 < differ[filled & (image[..., 3] > 0)].mean() < 0.45


@given(seed=st.integers(0, 99), rows=st.integers(1, 9), columns=st.integers(1, 9))
def test_no_colour_crosses_between_a_photograph_and_filled_ground(seed, rows, columns):
    image, filled = painted(rows, columns, seed)
    image[filled, :3] = 200
    image[~filled, :3] = 10
    small, still = next_overview(image, filled)
    assert still.shape == (-(-rows // 2), -(-columns // 2))
    shown = small[..., 3] > 0
    assert (small[still & shown, :3] == 200).all()
    assert (small[~still & shown, :3] == 10).all()


def test_an_overview_is_the_mean_of_what_is_shown():
    image = np.zeros((2, 4, 4), np.uint8)
    image[0, :2] = [[10, 20, 30, 255], [30, 40, 50, 255]]
    image[:, 2:] = (80, 90, 100, 255)
    small, still = next_overview(image, np.zeros((2, 4), bool))
    assert small.tolist() == [[[20, 30, 40, 128], [80, 90, 100, 255]]]
    assert not still.any()


@pytest.fixture(scope="module", params=[False, True])
def made(request, tmp_path_factory):
    over = grid(1501, 1203, 0.1)
    image = np.full((1203, 1501, 4), (40, 90, 60, 255), np.uint8)
    image[:100, :100] = 0
    filled = np.zeros((1203, 1501), bool)
    filled[400:, 600:] = True
    filled[:, 200:216] = True
    path = tmp_path_factory.mktemp("hatch") / "orthophoto.tif"
    layer = replace(IMAGE, tags={"AFTERMAP_FILLED": "x"})
    with open_hatched_cog(path, over, layer, draped=request.param) as out:
        for block in blocks_of(over, 512):
            cut = np.s_[block.row : block.row + 512, block.column : block.column + 512]
            out.write(block, image[cut], filled[cut])
    return path, image, filled, request.param


def test_the_mark_is_as_clear_in_every_overview_as_in_the_map(made):
    path, _, filled, draped = made
    with rasterio.open(path) as file:
        levels = [1, *file.overviews(1)]
    assert levels == [1, 2, 4]
    for number, level in enumerate(levels):
        where = {} if number == 0 else {"overview_level": number - 1}
        with rasterio.open(path, **where) as file:
            bands = file.read()
        inside = filled[::level, ::level][: bands.shape[1], : bands.shape[2]]
        inside[:, : 300 // level] = False
        core = bands[:, 420 // level :, 620 // level :]
        share = {grey: (core[:3] == grey).all(0).mean() for grey in (DARK, LIGHT)}
        assert share[DARK] == pytest.approx(DARK_PX / PERIOD_PX, abs=0.02)
        assert share[LIGHT] == pytest.approx((1 if draped else 2) * DARK_PX / PERIOD_PX, abs=0.02)
        assert (core[3] == 255).all()
        strip = bands[:3, 500 // level :, 204 // level : 212 // level]
        assert (strip == DARK).all(0).any()
        own = bands[:3, : 390 // level, 620 // level :]
        assert (own == np.array([40, 90, 60])[:, None, None]).all()
        assert (bands[3, : 96 // level, : 96 // level] == 0).all()


def test_the_file_is_a_cog_that_says_what_it_is(made):
    with rasterio.open(made[0]) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.tags()["AFTERMAP_FILLED"] == "x"
        assert file.descriptions == ("red", "green", "blue", "alpha")
        assert [one.name for one in file.colorinterp] == ["red", "green", "blue", "alpha"]
        assert file.crs.to_epsg() == 32637
        assert file.transform.a == 0.1
        assert file.nodata is None
    assert [p.name for p in made[0].parent.iterdir()] == ["orthophoto.tif"]


def test_a_picture_without_a_place_and_an_error_on_the_way(tmp_path):
    local = replace(grid(40, 30, 0.5), crs=LOCAL, east_m=-20.3, north_m=8.1)
    image, filled = painted(30, 40)
    whole = Block(row=0, column=0, rows=30, columns=40)
    with open_hatched_cog(tmp_path / "one.tif", local, IMAGE, draped=False) as out:
        out.write(whole, image, filled)
    with rasterio.open(tmp_path / "one.tif") as file:
        assert "local" in file.crs.to_wkt().lower()
        assert (file.read(4)[filled] == 255).all()

    def fail():
        with open_hatched_cog(tmp_path / "two.tif", local, IMAGE, draped=False) as out:
            out.write(whole, image, filled)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["one.tif"]
