"""Dark spots of made-up roofs: which are found, and what is said of them."""

import numpy as np
import pytest
from shapely import box

from aftermap.assessment.cells import Cells
from aftermap.assessment.holes import INPUTS, dark_spots, hole_forest, hole_measures
from aftermap.assessment.roof_texture import RoofPicture
from aftermap.assessment.site import site_of
from aftermap.geo.polygon import cells_inside
from aftermap.model.raster import Grid

CELL_M = 0.1
SIDE = 240
ROOF = box(6.0, -18.0, 18.0, -6.0)


class Roof:
    """A level roof 12 m wide, 6 m above the ground at 100 m, grey in the sun."""

    def __init__(self) -> None:
        self.grid = Grid(
            crs="EPSG:32637", east_m=0.0, north_m=0.0, cell_m=CELL_M, columns=SIDE, rows=SIDE
        )
        self.outline = cells_inside(ROOF, self.grid)
        self.height_m = np.where(self.outline, 106.0, 100.0).astype(np.float32)
        self.known = np.ones((SIDE, SIDE), bool)
        self.rgb = np.full((SIDE, SIDE, 3), 170, np.uint8)

    def at(self, east_m: float, north_m: float, size_m: float):
        """The pixels of a square with this middle."""
        low, high = (round((v - size_m / 2) / CELL_M) for v in (-north_m, east_m))
        wide = round(size_m / CELL_M)
        return np.s_[low : low + wide, high : high + wide]

    def shown(self):
        """The roof's picture and its surroundings."""
        flat = np.zeros((SIDE, SIDE), np.float32)
        cells = Cells(
            grid=self.grid,
            height_m=np.where(self.known, self.height_m, np.float32(np.nan)),
            photographs=flat + 4,
            measured=self.known,
            filled=flat > 0,
            slope_east=flat,
            slope_north=flat,
            rough_m=flat,
            owner=self.outline.astype(np.int32),
        )
        inner = cells_inside(ROOF.buffer(-0.6), self.grid)
        picture = RoofPicture(grid=self.grid, rgb=self.rgb, inner=inner, outline=self.outline)
        return picture, site_of(cells, ROOF, 0)


def described(roof: Roof) -> list[dict[str, float]]:
    rows, _ = dark_spots(*roof.shown())
    return [dict(zip(INPUTS, row, strict=True)) for row in rows.tolist()]


def test_a_roof_in_the_sun_and_one_with_a_shadow_have_no_spot():
    roof = Roof()
    assert described(roof) == []
    roof.rgb[roof.at(12, -12, 3)] = 95
    assert described(roof) == []
    found = hole_measures(*roof.shown())
    assert found["dark_hole_m2"][0] == 0
    assert found["hole_probability"][0] == 0


def test_a_spot_is_told_by_its_size_its_light_and_its_place():
    roof = Roof()
    roof.rgb[roof.at(12, -12, 1.0)] = 10
    (spot,) = described(roof)
    assert 0.6 < spot["area_m2"] <= 1.0  # its rim is blurred into the light
    assert spot["light"] < 0.05
    assert spot["contrast"] < 0.1
    assert spot["depth_m"] == pytest.approx(5.75, abs=0.3)
    assert spot["least_depth_m"] == pytest.approx(5.6, abs=0.2)
    assert spot["ring_shade_fraction"] < 0.2
    assert spot["known_fraction"] == 1
    assert spot["near_known_fraction"] == 1
    assert spot["raised_fraction"] == 0
    assert spot["roof_level_m"] == pytest.approx(0, abs=1e-3)


def test_what_stands_beside_a_spot_and_what_was_not_measured_is_told():
    roof = Roof()
    roof.rgb[roof.at(12, -12, 1.0)] = 10
    roof.height_m[roof.at(12, -12, 1.0)] += 1.5
    roof.known[roof.at(12.25, -12, 0.5)] = False
    (spot,) = described(roof)
    assert spot["height_m"] == pytest.approx(1.5, abs=0.1)
    assert 0.1 < spot["raised_fraction"] < 0.6
    assert spot["known_fraction"] == pytest.approx(0.75, abs=0.15)


def test_a_spot_in_a_shadow_says_so():
    roof = Roof()
    roof.rgb[roof.at(12, -12, 4.0)] = 95
    roof.rgb[roof.at(12, -12, 1.0)] = 10
    (spot,) = described(roof)
    assert spot["ring_shade_fraction"] > 0.9
    assert spot["near_shade_fraction"] > 0.9


def test_the_shipped_forest_asks_for_what_is_told():
    assert hole_forest().inputs == INPUTS
