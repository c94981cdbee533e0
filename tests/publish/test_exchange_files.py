"""Grades in the forms of others: UNOSAT's schema and HXL."""

import csv
import io

import numpy as np
import pyogrio
import pytest
import shapely

from aftermap.errors import CaseError
from aftermap.publish.exchange.hxl import TAGS, hxl_text
from aftermap.publish.exchange.unosat import DamageSite, write_unosat

SITES = [
    DamageSite(
        site_id="بيت",
        lonlat_deg=(39.01, 35.95),
        main_class=1,
        sensor_date="2024-05-01",
        grade="destroyed",
        assessor="machine: model 1",
    ),
    DamageSite(site_id="2", lonlat_deg=(39.02, 35.96), main_class=None, grade="light"),
    DamageSite(site_id="3", lonlat_deg=(39.03, 35.97), main_class=None, reason="roof not seen"),
]


def test_damage_sites_have_unosats_fields_and_lose_nothing(tmp_path):
    path = write_unosat(tmp_path / "new" / "sites.gpkg", SITES)
    meta, _, shapes, columns = pyogrio.raw.read(path)
    fields = dict(zip(meta["fields"], columns, strict=True))
    assert meta["crs"] == "EPSG:4326"
    assert {
        "SiteID",
        "EventCode",
        "Municipality",
        "Governorate",
        "SensorDate",
        "Damage_Status",
        "Main_Damage_Site_Class",
    } <= set(fields)
    assert fields["SiteID"].tolist() == ["بيت", "2", "3"]
    classes = fields["Main_Damage_Site_Class"]
    assert classes[0] == 1
    assert np.isnan(classes[1:]).all()
    assert fields["grade"].tolist() == ["destroyed", "light", None]
    assert fields["not_assessed_reason"].tolist() == [None, None, "roof not seen"]
    assert [str(day)[:10] for day in fields["SensorDate"]] == ["2024-05-01", "NaT", "NaT"]
    assert shapely.get_coordinates(shapely.from_wkb(shapes)).tolist() == [
        list(site.lonlat_deg) for site in SITES
    ]


def test_writing_again_replaces_the_file(tmp_path):
    path = tmp_path / "sites.gpkg"
    write_unosat(path, SITES)
    write_unosat(path, SITES[:1])
    assert pyogrio.read_info(path)["features"] == 1
    assert [one.name for one in tmp_path.iterdir()] == ["sites.gpkg"]


def test_the_tags_stand_below_the_headings_and_no_cell_is_a_formula():
    text = hxl_text([{"source_id": "=1+1", "lat": "-3.5", "reasons": 'a, "b"', "grade": None}])
    heads, tags, row = csv.reader(io.StringIO(text))
    assert tags == [TAGS[name] for name in heads]
    assert all(tag.startswith("#") for tag in tags)
    cells = dict(zip(heads, row, strict=True))
    assert (cells["source_id"], cells["lat"], cells["grade"]) == ("'=1+1", "-3.5", "")
    assert cells["reasons"] == 'a, "b"'


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(CaseError, match="could not be written"):
        write_unosat(tmp_path / "file" / "sites.gpkg", SITES)
