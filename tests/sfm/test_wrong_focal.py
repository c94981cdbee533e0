"""A flat nadir flight whose photographs state a wrong focal length: no wrong height goes unsaid."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from aftermap.config import Settings
from aftermap.pipeline import Mapped, map_footage

pytest.importorskip("embreex")
from aftermap_twin import TwinOptions, make

pytestmark = pytest.mark.slow

FLIGHT = TwinOptions(
    seed=1,
    photos=12,
    width_px=480,
    height_px=360,
    ground_sample_m=0.15,
    flat=True,
    focal_error=0.05,
    marks=4,
)


class Quiet:
    """Progress that nobody reads."""

    def stage(self, name):
        pass

    def advance(self, label, done, total):
        pass

    def note(self, text):
        pass


@dataclass(frozen=True, kw_only=True)
class Flown:
    twin: Path
    products: Path
    mapped: Mapped

    def positions_m(self):
        """True and found position of every photograph, (N, 3) each, in one order."""
        true = json.loads((self.twin / "truth" / "cameras.json").read_text(encoding="utf-8"))
        found = json.loads((self.products / "cameras.json").read_text(encoding="utf-8"))
        at = {f["name"]: f["position_m"] for f in true["frames"]}
        placed = [f for f in found["frames"] if f["registered"]]
        return np.array([at[f["name"]] for f in placed]), np.array(
            [f["position_m"] for f in placed]
        )


@pytest.fixture(scope="session")
def flown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong-focal")
    make(folder / "twin", FLIGHT)
    settings = replace(Settings(), quality=type(Settings().quality)("draft"))
    mapped = map_footage(
        [folder / "twin" / "images"],
        folder / "case",
        settings,
        fresh=False,
        progress=Quiet(),
        workers=1,
    )
    return Flown(twin=folder / "twin", products=folder / "case" / "products", mapped=mapped)


def ground_m(path):
    with rasterio.open(path) as file:
        return float(np.ma.median(file.read(1, masked=True)))


def test_every_photograph_is_placed_within_the_noise_of_its_gps(flown):
    true, found = flown.positions_m()
    error = found - true
    sigma = np.array(FLIGHT.gps_sigma_m)
    assert len(true) == 12
    assert (error.std(axis=0) < sigma).all()
    assert (np.abs(error.mean(axis=0)) < 3 * sigma / np.sqrt(len(true))).all()


def test_heights_are_right_to_2_percent_or_the_user_is_warned_that_they_may_not_be(flown):
    true, found = flown.positions_m()
    flown_at = np.median(true[:, 2]) - ground_m(flown.twin / "truth" / "surface.tif")
    mapped_at = np.median(found[:, 2]) - ground_m(flown.products / "surface.tif")
    off = mapped_at / flown_at - 1
    warned = [
        line
        for line in flown.mapped.summary_lines
        if line.startswith("Warning") and ("Heights may be wrong" in line or "focal" in line)
    ]
    assert abs(off) < 0.02 or warned, f"heights are {off:+.1%} off and nothing is said"
