"""What is known of shutters, and to which photographs it applies."""

import csv
from importlib.resources import files

import pytest

from aftermap.frames.readouts import readout_of


def rows():
    text = (files("aftermap.frames") / "readouts.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_every_row_names_who_measured_it_and_how_well():
    for row in rows():
        assert row["source"]
        readout_ms = float(row["readout_ms"])
        assert readout_ms == 0 or (3 <= readout_ms <= 120 and float(row["sigma_ms"]) >= 2)
        assert readout_ms == 0 or int(row["long_side_px"]) > int(row["short_side_px"])


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row['model']} {row['long_side_px']}")
def test_a_photograph_as_measured_has_what_was_measured(row):
    size_px = int(row["long_side_px"] or 5472), int(row["short_side_px"] or 3648)
    found = readout_of(row["make"], row["model"].lower(), size_px)
    assert found is not None
    assert 1000 * found.readout_s == pytest.approx(float(row["readout_ms"]))
    assert found.basis == row["source"]


def test_a_wide_crop_of_the_same_rows_takes_as_much_less():
    """OpenDroneMap has 19 ms for the 16:9 picture of the Mavic Mini, measured by itself."""
    found = readout_of("DJI", "FC7203", (4000, 2250))
    assert found is not None
    assert 1000 * found.readout_s == pytest.approx(19, abs=0.5)


def test_two_modes_of_a_sensor_are_told_apart_and_a_third_is_not_guessed():
    small, large = (readout_of("DJI", "FC8482", size) for size in ((4032, 3024), (8064, 6048)))
    assert small is not None
    assert large is not None
    assert (small.readout_s, large.readout_s) == (0.021, 0.058)
    assert readout_of("DJI", "FC8482", (2016, 1512)) is None


def test_a_smaller_copy_takes_as_long_and_a_larger_picture_is_another_mode():
    small = readout_of("DJI", "FC300S", (2000, 1500))
    assert small is not None
    assert small.readout_s == pytest.approx(0.033)
    assert readout_of("DJI", "FC300S", (8000, 6000)) is None


@pytest.mark.parametrize(
    ("make", "model", "size_px"),
    [
        ("Canon", "PowerShot A3300 IS", (2304, 1728)),
        (None, None, (4000, 3000)),
        ("DJI", "FC300S", (3000, 4000)),
    ],
)
def test_what_is_in_no_table_is_not_known(make, model, size_px):
    assert readout_of(make, model, size_px) is None
