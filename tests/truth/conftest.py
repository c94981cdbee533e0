"""The flight and its map, made once for all tests that only look."""

from pathlib import Path

import pytest
from known_district import PHOTOS, PIXEL_M, Mapped, map_here

from aftermap_twin import TwinOptions, make


@pytest.fixture(scope="session")
def options() -> TwinOptions:
    return TwinOptions(photos=PHOTOS, width_px=600, height_px=450, ground_sample_m=PIXEL_M)


@pytest.fixture(scope="session")
def flight(options: TwinOptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("embreex", reason="the twin needs the optional extra aftermap[twin]")
    return make(tmp_path_factory.mktemp("truth") / "flight", options).folder


@pytest.fixture(scope="session")
def mapped(flight: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapped:
    case = tmp_path_factory.mktemp("mapped") / "case"
    assert map_here(flight / "images", case) == 0
    return Mapped(case=case, flight=flight)
