"""Measures on evidence sheets and on the page: the same numbers under the same labels."""

import re
from pathlib import Path

from aftermap.assessment.names import NAMES
from aftermap.publish.damage.evidence_sheet import MeasureRow
from aftermap.publish.damage.measure_rows import LABELS, measured_rows

TEXTS = Path(__file__).parents[2] / "frontend" / "src" / "texts.ts"


def labels_of_the_page() -> dict[str, str]:
    block = re.search(r"(?ms)^  measures: \{$(.*?)^  \}", TEXTS.read_text("utf-8"))
    assert block is not None
    return dict(re.findall(r'(?m)^\s*(\w+):\s*"([^"]*)",$', block.group(1)))


def test_the_page_has_a_label_for_every_measure_and_for_nothing_else():
    assert set(labels_of_the_page()) == set(NAMES)


def test_sheets_and_the_page_call_a_measure_the_same():
    page = labels_of_the_page()
    sheets = {name: label for name, label, _ in LABELS}
    assert len(sheets) == len(LABELS)
    assert sheets == {name: page[name].replace("\N{EN DASH}", "-") for name in sheets}


def test_the_unit_of_a_label_is_that_of_its_name():
    units = {"m": "m", "m2": "m²", "fraction": "%"}
    for name, _, unit in LABELS:
        assert unit == units.get(name.rsplit("_", 1)[-1], ""), name


def test_rows_are_in_the_order_of_labels_with_their_sigmas():
    values = {
        "measured_fraction": 0.9,
        "measured_fraction_sigma": 0.0,
        "contrast": 3.0,
        "roof_height_m": 6.5,
        "roof_height_m_sigma": 0.2,
        "hole_fraction": None,
        "apron_sides": 2.0,
    }
    assert measured_rows(values) == (
        MeasureRow(name="roof height above ground", value=6.5, sigma=0.2, unit="m"),
        MeasureRow(name="holes in the roof", value=None, sigma=None, unit="%"),
        MeasureRow(name="sides with rubble (of 4)", value=2.0, sigma=None, unit=""),
        MeasureRow(name="footprint measured", value=0.9, sigma=0.0, unit="%"),
    )
