"""Who saw which building, and the pictures of it, as the record keeps them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aftermap.cli import status_of
from aftermap.errors import CaseError, InputError
from aftermap.model.assessment import Visibility
from aftermap.model.building import (
    Alignment,
    Building,
    Buildings,
    Footprint,
    ShiftSource,
    ViewTable,
)
from aftermap.model.evidence import CropWindow, Evidence, EvidenceKind, EvidenceSet, SourceShare
from aftermap.model.sighting import ClipIndex, GroundKind, SightingIndex
from aftermap.record import Case
from aftermap.record.building_views import replace_views
from aftermap.record.custody import entries_of, verify_chain
from aftermap.record.evidence_table import evidence_in, place_evidence, replace_evidence, sums_of
from aftermap.search import seen_of_building

CRS = "EPSG:32637"
CLIP, PHOTOGRAPH = "cd" * 32, "ab" * 32
RING = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0), (0.0, 0.0))
SEEN = Visibility(
    roof_fraction=0.9, views=2, facades=1, ground_sample_m=0.03, surface_photographs=4.0
)
NOT_SEEN = Visibility(
    roof_fraction=0.0, views=0, facades=0, ground_sample_m=None, surface_photographs=None
)


def buildings(*ids):
    still = Alignment(shift_m=(0.0, 0.0), sigma_m=0.3, residual_m=None, source=ShiftSource.NONE)
    return Buildings(
        crs=CRS,
        buildings=tuple(
            Building(
                footprint=Footprint(source_id=name, feature=i, polygons_m=((RING,),), area_m2=81.0),
                alignment=still,
                polygons_m=((RING,),),
            )
            for i, name in enumerate(ids)
        ),
    )


def view(building, *, time_s=None, rank_m=0.1, occluded=0.0):
    clip = None if time_s is None else CLIP
    return {
        "building": building,
        "sha256": PHOTOGRAPH if clip is None else "ee" * 32,
        "clip_sha256": clip,
        "time_s": time_s,
        "frame": 0,
        "distance_m": 80.0,
        "azimuth_deg": 210.0,
        "off_nadir_deg": 30.0,
        "ground_sample_m": 0.04,
        "framed_fraction": 1.0,
        "occluded_fraction": occluded,
        "faces": 4,
        "ce90_m": None,
        "rank_m": rank_m,
    }


def table(folder: Path, views) -> ViewTable:
    schema = pa.schema(
        [
            (
                name,
                pa.string()
                if "sha256" in name
                else pa.int32()
                if name in ("building", "frame", "faces")
                else pa.float64(),
            )
            for name in view(0)
        ]
    )
    for name, rows in (("v", views), ("c", [v for v in views if v["clip_sha256"]])):
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / f"{name}.parquet")
    return ViewTable(
        path=str(folder / "v.parquet"), clip_path=str(folder / "c.parquet"), views=len(views)
    )


def add_seconds(package, moments):
    """Segments of one second each from 0 on, with so many placed frames in each."""
    with package.transaction() as connection:
        for i, count in enumerate(moments):
            row = {
                "fid": 10 + i,
                "clip": "clip.mp4",
                "clip_sha256": CLIP,
                "shot": 0,
                "from_s": i,
                "to_s": i + 1,
                "time_code": "",
                "source": "reconstruction",
                "precision": "exact",
                "moments": count,
                "camera_east_m": 0,
                "camera_north_m": 0,
                "camera_height_m": 0,
                "axis_off_nadir_deg": 0,
                "axis_azimuth_deg": 0,
                "focal_px": 1,
                "ground": "surface",
                "ground_m": 0,
                "ground_sigma_m": 0,
                "pose_covariance": b"",
            }
            names, marks = ", ".join(row), ", ".join("?" for _ in row)
            sql = f"INSERT INTO segment ({names}) VALUES ({marks})"  # noqa: S608
            connection.execute(sql, tuple(row.values()))


@pytest.fixture
def case(tmp_path):
    with Case.create_or_open(tmp_path / "case") as opened:
        yield opened


@pytest.fixture
def filmed(case, tmp_path):
    """A case that once had a clip, so that it has the tables of clips."""
    from aftermap.viewshed.footprint_files import (  # noqa: PLC0415
        footprints_file,
        segments_file,
        sightings_file,
    )

    paths = [tmp_path / f"{name}.parquet" for name in ("f", "s", "t")]
    with (
        footprints_file(paths[0], CRS, {}),
        segments_file(paths[1]),
        sightings_file(paths[2]),
    ):
        pass
    index = ClipIndex(
        clip_sha256="ff" * 32,
        clip_name="none.mp4",
        name="none",
        crs=CRS,
        ground=GroundKind.FLAT,
        footprints=str(paths[0]),
        item="",
        segments=str(paths[1]),
        sightings=str(paths[2]),
        moments=0,
        segment_count=0,
        sighting_count=0,
    )
    case.replace_clips(SightingIndex(clips=(index,)))
    return case


def picture(tmp_path, name="B0-1a2b3c4d/view-1.jpg", **changed):
    path = tmp_path / name.replace("/", "_")
    path.write_bytes(name.encode())
    row = Evidence(
        building=0,
        source_id="B0",
        kind=EvidenceKind.VIEW,
        rank=1,
        path=str(path),
        name=name,
        file_sha256=hashlib.sha256(name.encode()).hexdigest(),
        original_sha256=CLIP,
        original_name="clip.mp4",
        time_s=2.5,
        time_exact="5/2",
        azimuth_deg=210.0,
        window=CropWindow(left_px=3, top_px=4, width_px=50, height_px=40, turn_deg=90.0, scale=2.0),
        sources=(SourceShare(sha256=PHOTOGRAPH, name="a.jpg", fraction=0.75),),
    )
    return replace(row, **changed)


def test_every_building_has_a_row_also_one_that_nobody_saw(case, tmp_path):
    views = table(tmp_path, [view(0), view(0, rank_m=0.2)])
    replace_views(case.package, buildings("B0", "B1"), views, (SEEN, NOT_SEEN))
    rows = case.package.rows(
        "SELECT building, source_id, views, ground_sample_m FROM building_seen"
    )
    assert rows == [(1, "B0", 2, 0.03), (2, "B1", 0, None)]
    ranks = case.package.rows("SELECT building, rank, sha256, ce90_m FROM building_view")
    assert ranks == [(1, 1, PHOTOGRAPH, None), (1, 2, PHOTOGRAPH, None)]


def test_a_newer_run_takes_the_place_of_the_older(case, tmp_path):
    replace_views(case.package, buildings("B0", "B1"), table(tmp_path, [view(1)]), (SEEN, SEEN))
    replace_views(case.package, buildings("B9"), table(tmp_path, [view(0)]), (SEEN,))
    assert case.package.rows("SELECT source_id FROM building_seen") == [("B9",)]
    assert case.package.rows("SELECT source_id FROM building_view") == [("B9",)]


def test_seconds_that_show_a_building_are_sightings_of_its_negated_number(filmed, tmp_path):
    add_seconds(filmed.package, [1, 1, 0, 1])
    moments = [
        view(1, time_s=0.5, rank_m=0.3),
        view(1, time_s=0.75, rank_m=0.2),
        view(1, time_s=1.0, rank_m=0.4),
        view(1, time_s=99.0),
    ]
    for _ in range(2):
        replace_views(
            filmed.package, buildings("B0", "B1"), table(tmp_path, moments), (NOT_SEEN, SEEN)
        )
    rows = filmed.package.rows("SELECT place, segment, best_ms, gsd_mm, ce90_dm FROM sighting")
    assert rows == [(-2, 10, 750, 40, None), (-2, 11, 0, 40, None)]


def test_seconds_that_were_filled_in_are_part_of_a_stretch(filmed, tmp_path):
    add_seconds(filmed.package, [1, 0, 1, 1, 1])
    moments = [view(0, time_s=0.5, rank_m=0.2), view(0, time_s=2.5), view(0, time_s=4.5)]
    replace_views(filmed.package, buildings("B0"), table(tmp_path, moments), (SEEN,))
    found = seen_of_building(filmed.package, "B0", limit=9)
    # The third second was looked at and does not show it, so that it parts the stretches.
    assert sorted((one.from_s, one.to_s) for one in found) == [(0, 3), (4, 5)]
    assert found[0].best_s == pytest.approx(2.5)


def test_photographs_and_clips_are_told_best_first(filmed, tmp_path):
    add_seconds(filmed.package, [1])
    rows = [view(0, rank_m=0.1, occluded=0.25), view(0, time_s=0.5, rank_m=0.3)]
    replace_views(filmed.package, buildings("B0"), table(tmp_path, rows), (SEEN,))
    first, second = seen_of_building(filmed.package, "B0", limit=9)
    assert (first.kind, first.occluded_fraction, first.faces) == ("photograph", 0.25, "S")
    assert (second.kind, second.clip_name, second.ce90_m) == ("clip", "clip.mp4", None)
    assert len(seen_of_building(filmed.package, "B0", limit=1)) == 1


def test_moments_are_told_where_the_clip_has_no_seconds_in_the_record(case, tmp_path):
    rows = [view(0, time_s=0.5), view(0, time_s=7.5, rank_m=0.2)]
    replace_views(case.package, buildings("B0"), table(tmp_path, rows), (SEEN,))
    assert [one.best_s for one in seen_of_building(case.package, "B0", limit=9)] == [0.5, 7.5]


def test_an_id_that_no_building_has_is_told_in_one_line(case, tmp_path):
    with pytest.raises(CaseError, match="run aftermap assess"):
        seen_of_building(case.package, "B0", limit=9)
    replace_views(case.package, buildings("B0"), table(tmp_path, []), (NOT_SEEN,))
    assert seen_of_building(case.package, "B0", limit=9) == []
    with pytest.raises(InputError, match="no building of this case"):
        seen_of_building(case.package, "'; DROP TABLE media; --", limit=9)


def test_the_command_tells_of_a_building(case, tmp_path, capsys):
    replace_views(case.package, buildings("B0"), table(tmp_path, [view(0)]), (SEEN,))
    assert status_of(["seen", str(case.path), "--building", "B0"]) == 0
    assert "SW 210°" in capsys.readouterr().out
    assert status_of(["seen", str(case.path), "--building", "B0", "--at", "1,1"]) == 2
    assert "--building ID" in capsys.readouterr().err


def test_evidence_comes_back_as_it_was_recorded(case, tmp_path):
    shown = EvidenceSet(rows=(picture(tmp_path),), pictured=(0,))
    replace_evidence(case.package, shown, actor="a test")
    folder = place_evidence(shown, case.products)
    (back,) = evidence_in(case.package, "B0", case.products)
    assert back == replace(shown.rows[0], path=str(folder / "B0-1a2b3c4d/view-1.jpg"))
    assert Path(back.path).read_bytes() == b"B0-1a2b3c4d/view-1.jpg"
    assert evidence_in(case.package, "B1", case.products) == ()


def test_pictures_of_an_earlier_run_are_gone_and_the_chain_holds_both(case, tmp_path):
    for name in ("B0-1a2b3c4d/view-1.jpg", "B0-1a2b3c4d/view-2.jpg"):
        shown = EvidenceSet(rows=(picture(tmp_path, name),), pictured=(0,))
        replace_evidence(case.package, shown, actor="a test")
        folder = place_evidence(shown, case.products)
    assert [path.name for path in (folder / "B0-1a2b3c4d").iterdir()] == ["view-2.jpg"]
    assert case.package.rows("SELECT file FROM evidence") == [("evidence/" + name,)]
    chain = [entry for entry in entries_of(case.package) if entry.action == "evidence made"]
    assert len(chain) == 2
    assert hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest() in chain[1].detail
    assert verify_chain(entries_of(case.package)) == ()


def test_the_list_of_digests_is_what_sha256sum_writes(tmp_path):
    one = picture(tmp_path)
    assert sums_of(EvidenceSet(rows=(one,), pictured=(0,))) == f"{one.file_sha256}  {one.name}\n"
