"""Buildings outlined in pictures: their footprints on the ground, against blocks of known size."""

import csv

import cv2
import numpy as np
import pytest
import rasterio
import shapely
from tests.support.made_up_views import (
    CELL_M,
    EAST_M,
    GROUND_M,
    LENS,
    NORTH_M,
    Block,
    cameras_of,
    elevation_of,
    photograph,
)

from aftermap.buildings.align import buildings_as_outlined
from aftermap.buildings.outline_hull import footprints_of_outlines
from aftermap.buildings.picture_outlines import known_places_of, outlines_in
from aftermap.errors import InputError
from aftermap.geo.lens import seen_px
from aftermap.geo.polygon import shape_of
from aftermap.model.building import ShiftSource

HOUSE = Block(east_m=60, north_m=75, wide_m=14, deep_m=9, high_m=5)
SHED = Block(east_m=85, north_m=70, wide_m=6, deep_m=6, high_m=3)


def _corners(block):
    w, s, e, n = block.box_m
    return np.array(
        [
            (x, y, GROUND_M + z)
            for x, y in ((w, s), (e, s), (e, n), (w, n))
            for z in (0.0, block.high_m)
        ]
    )


def _outlined(folder, cameras, blocks, **columns):
    """Masks of the blocks as the cameras see them, a pixel or two too wide, and their table."""
    (folder / "instances").mkdir(parents=True, exist_ok=True)
    rows = []
    for placed in cameras.placed:
        mask = np.zeros((600, 800), np.uint8)
        for value, (name, block) in enumerate(blocks.items(), start=1):
            hull = cv2.convexHull(
                seen_px(_corners(block), placed.pose, LENS.params).astype(np.int32)
            )
            cv2.fillConvexPoly(mask, hull, value)
            cv2.polylines(mask, [hull], True, value, 3)
            rows.append({"frame": placed.frame.name, "id_in_mask": value, "building": name})
        cv2.imwrite(str(folder / "instances" / f"{placed.frame.name[:-4]}.png"), mask)
    with (folder / "instances.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, [*rows[0], *columns])
        table.writeheader()
        table.writerows(row | columns for row in rows)
    return folder


def _flight(folder):
    """Slanting pictures from the south, 25 m above the ground: the drone of a news clip."""
    return cameras_of(
        *(
            photograph(folder, (50 + 6 * k, 20, 25), yaw_deg=-4 * k, pitch_deg=-20, name=f"{k}.png")
            for k in range(5)
        )
    )


def _agreement(footprint, block):
    drawn, true = shape_of(footprint.polygons_m), shapely.box(*block.box_m)
    return drawn.intersection(true).area / drawn.union(true).area


def _measured_up_to(elevation, north_m):
    """The surface with nothing measured farther north: a house whose walls no picture matched."""
    with rasterio.open(elevation.confidence.path, "r+") as raster:
        counts = raster.read(1)
        counts[: round((elevation.confidence.grid.north_m - north_m) / CELL_M)] = 0
        raster.write(counts, 1)
    return elevation


def test_a_footprint_lies_where_the_building_stands(tmp_path):
    cameras = _flight(tmp_path)
    folder = _outlined(tmp_path / "outlines", cameras, {"house": HOUSE, "shed": SHED})
    elevation = elevation_of(tmp_path, [HOUSE, SHED])
    found = footprints_of_outlines(outlines_in(folder), cameras, elevation)
    by_id = {one.source_id: one for one in found.footprints}
    assert _agreement(by_id["house"], HOUSE) > 0.85
    assert _agreement(by_id["shed"], SHED) > 0.7
    assert found.crs == cameras.crs
    assert found.skipped == ()


def test_what_no_picture_measured_is_found_from_the_outlines_alone(tmp_path):
    cameras = _flight(tmp_path)
    folder = _outlined(tmp_path / "outlines", cameras, {"house": HOUSE}, storeys=1)
    ground_alone = _measured_up_to(elevation_of(tmp_path, []), HOUSE.box_m[1])
    with_house = footprints_of_outlines(outlines_in(folder), cameras, ground_alone)
    (house,) = with_house.footprints
    assert house.levels == 1
    assert _agreement(house, HOUSE) > 0.3  # how deep it is, outlines from one side do not say
    west, south, east, _ = shape_of(house.polygons_m).bounds
    assert (west, south, east) == pytest.approx(HOUSE.box_m[:3], abs=2.0)


def test_a_building_in_no_mapped_picture_is_left_out_with_the_reason(tmp_path):
    cameras = _flight(tmp_path)
    folder = _outlined(tmp_path / "outlines", cameras, {"house": HOUSE})
    with (folder / "instances.csv").open("a") as file:
        file.write("other.png,1,elsewhere\n")
    cv2.imwrite(str(folder / "other.png"), np.ones((600, 800), np.uint8))
    found = footprints_of_outlines(outlines_in(folder), cameras, elevation_of(tmp_path, [HOUSE]))
    assert [(one.name, one.reason) for one in found.skipped] == [
        ("elsewhere", "is outlined in no mapped image")
    ]


def test_outlines_are_not_moved_by_edges_of_the_map(tmp_path):
    cameras = _flight(tmp_path)
    folder = _outlined(tmp_path / "outlines", cameras, {"house": HOUSE})
    found = footprints_of_outlines(outlines_in(folder), cameras, elevation_of(tmp_path, [HOUSE]))
    (house,) = buildings_as_outlined(found).buildings
    assert house.alignment.source is ShiftSource.OWN
    assert house.polygons_m == found.footprints[0].polygons_m


def test_known_places_come_with_the_middle_of_every_whole_outline(tmp_path):
    cameras = _flight(tmp_path)
    folder = _outlined(tmp_path / "outlines", cameras, {"house": HOUSE, "shed": SHED})
    (folder / "buildings.csv").write_text("building,lat,lon\nhouse,26.55,-77.1\nshed,,\n")
    (place,) = known_places_of(outlines_in(folder))
    assert (place.name, place.lonlat_deg) == ("house", (-77.1, 26.55))
    centre = (EAST_M + 60, NORTH_M + 75, GROUND_M + 2.5)
    for (name, seen), placed in zip(place.seen_px, cameras.placed, strict=True):
        assert name == placed.frame.name
        assert seen == pytest.approx(
            seen_px(np.array([centre]), placed.pose, LENS.params)[0], abs=8
        )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("frame,building\n0.png,house\n", "has no id_in_mask"),
        ("frame,id_in_mask,building\n0.png,zero,house\n", "id_in_mask of house in 0.png is 'zero'"),
        ("frame,id_in_mask,building\nmissing.png,1,house\n", "has no mask missing.png"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_in_one_line(tmp_path, table, said):
    folder = _outlined(tmp_path / "outlines", _flight(tmp_path), {"house": HOUSE})
    (folder / "instances.csv").write_text(table)
    with pytest.raises(InputError, match=said):
        outlines_in(folder)
