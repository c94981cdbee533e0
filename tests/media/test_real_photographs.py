"""Photographs that real cameras took. Skipped where the data set is not beside the repository."""

from pathlib import Path

import pytest

from aftermap.media import files_in, probe
from aftermap.model.media import FocalSource, MediaItem, VerticalDatum

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def items_of(folder: Path) -> list[MediaItem]:
    if not folder.is_dir():
        pytest.skip(f"{folder.name}: the data set is not here")
    files, skipped = files_in([folder])
    assert all(one.reason.startswith("not a photograph or a video") for one in skipped)
    return [probe(file, name=file.name, sha256="0" * 64) for file in files]


def test_brighton_beach_flew_at_forty_metres_by_its_barometer() -> None:
    items = items_of(DATA / "brighton_beach" / "images")
    assert len(items) == 18
    assert items[0].relative_height_m == 39.8
    for item in items:
        assert item.geotag is not None
        assert item.geotag.vertical_datum is VerticalDatum.BAROMETRIC
        assert (item.geotag.lon_deg, item.geotag.lat_deg) == pytest.approx(
            (-91.99, 46.84), abs=0.01
        )
        assert item.relative_height_m == pytest.approx(39.8, abs=0.6)
        assert item.attitude is not None
        assert item.attitude.pitch_deg == pytest.approx(-89.9, abs=0.2)
        assert (item.width_px, item.height_px) == (4000, 2250)
        assert item.focal.source is FocalSource.SENSOR_DATABASE
        assert item.focal.focal_px == pytest.approx(2340, abs=25)
        assert item.clock == "camera local time, zone unknown"


def test_ochota_has_no_positions_and_pictures_of_half_size() -> None:
    items = items_of(DATA / "ochota_city")
    assert len(items) == 40
    for item in items:
        assert item.geotag is None
        assert item.attitude is None
        assert (item.width_px, item.height_px) == (2304, 1728)
        assert item.focal.source is FocalSource.SENSOR_DATABASE
        assert item.focal.focal_px == pytest.approx(28 / 43.27 * 2880, rel=0.02)  # a 28 mm lens
    assert {item.orientation for item in items} >= {6}


def test_frames_of_a_clip_say_nothing_and_are_used() -> None:
    items = items_of(DATA / "shushi_orbit")
    assert len(items) == 59
    assert {item.focal.source for item in items} == {FocalSource.ASSUMED}
