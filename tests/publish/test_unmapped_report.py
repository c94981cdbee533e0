"""The report of poses without a map: where the cameras were, why there is no map, what next."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import report_scene as scene
from hypothesis import given
from hypothesis import strategies as st

from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import LOCAL
from aftermap.model.camera import FrameSet
from aftermap.model.media import FocalSource, VerticalDatum
from aftermap.model.runs import Skipped
from aftermap.publish import IndexOnlyFacts, write_index_only_report
from aftermap.publish.report.figures import photographs
from aftermap.publish.report.index_only_page import next_steps
from aftermap.publish.report.pose_plan import pose_plan

WHY = "no two placed photographs overlap at a usable angle; add <photographs>"


def facts(reconstruction, **changes):
    base = IndexOnlyFacts(
        case_name="raqqa",
        command="aftermap map",
        versions=(("aftermap", "0"),),
        started_at="2026-07-01T10:00:00Z",
        reconstruction=reconstruction,
        frames=FrameSet(
            crs=scene.UTM,
            vertical_datum=VerticalDatum.ELLIPSOID,
            frames=tuple(one.frame for one in reconstruction.placed),
            skipped=(),
        ),
        elevation=None,
        why=WHY,
        clips=(),
        ingest_skipped=(),
        stages=(),
    )
    return replace(base, **changes)


def unmapped(tmp_path, **changes):
    """Poses without a map, and 400 tie points around them of which one is far off."""
    rng = np.random.default_rng(8)
    middle = np.array([scene.EAST_M + 60, scene.NORTH_M - 50, scene.GROUND_M])
    points = middle + rng.normal(0, 30, (400, 3))
    points[0, 0] += 1e5
    points[1] = np.nan
    each = np.arange(400)
    np.savez(tmp_path / "points.npz", xyz_m=points, frame_index=each % 20, point_index=each)
    made = scene.reconstruction(points=str(tmp_path / "points.npz"), no_map_because=WHY)
    return replace(made, **changes)


def turned(placed, rotation):
    """The same camera, looking elsewhere."""
    rows = tuple(tuple(float(v) for v in row) for row in rotation)
    return replace(placed, pose=replace(placed.pose, rotation_cam_from_world=rows))


@pytest.fixture
def report_on(tmp_path):
    def write(reconstruction, **changes):
        made = write_index_only_report(facts(reconstruction, **changes), tmp_path)
        told = json.loads((tmp_path / "report.json").read_text("utf-8"))
        return SimpleNamespace(html=made.page.read_text("utf-8"), json=told)

    return write


def test_every_figure_of_the_page_is_that_of_the_json_beside_it(report_on, tmp_path):
    report = report_on(unmapped(tmp_path))
    shown = re.findall(r'<data value="([^"]*)" data-key="([^"]*)">', report.html)
    assert len(shown) > 100
    for value, key in shown:
        found = report.json
        for part in key.split("."):
            found = found[int(part)] if part.isdigit() else found[part]
        assert value == repr(found)


def test_the_reason_is_on_the_page_and_nothing_runs_in_it(report_on, tmp_path):
    report = report_on(unmapped(tmp_path))
    assert report.json["why"] == WHY
    assert "add &lt;photographs&gt;" in report.html
    assert "<photographs>" not in report.html
    assert "<script" not in report.html
    assert {one["mapped"] for one in report.json["photographs"]["placed_list"]} == {False}


def test_a_surface_without_an_orthophoto_is_told_with_its_shares(report_on, tmp_path, rasters):
    report = report_on(scene.reconstruction(), elevation=rasters[0])
    assert report.json["surface"]["measured_fraction"] == rasters[0].measured_fraction
    assert report.json["verdict"][0].startswith("There is no orthophoto")
    assert "no surface model, and nothing" not in report.html
    assert report.json["photographs"]["mapped"] == 20


def test_without_any_pose_there_is_no_plan_and_no_accuracy(report_on, tmp_path):
    none = replace(
        unmapped(tmp_path),
        placed=(),
        cameras=(),
        points="",
        group_sizes=(),
        skipped=(Skipped(name="a.jpg", reason="blurred", sha256="0" * 64),),
        reprojection_px=np.nan,
    )
    report = report_on(none, clips=())
    assert report.json["poses"] is None
    assert report.json["verdict"][0] == "There is no map: the images could not be aligned."
    assert [one["name"] for one in report.json["left_out_list"]] == ["a.jpg"]
    assert "Camera positions" not in report.html


def test_the_plan_is_a_plan(tmp_path):
    """East is right, north is up, one length is one length, and a far point does not shrink it."""
    made = unmapped(tmp_path)
    plan = pose_plan(made, "m")
    xy = np.array([one.pose.position_m[:2] for one in made.placed])
    at = np.array([(dot.x, dot.y) for dot in plan.cameras])
    scale = np.linalg.norm(at[0] - at[19]) / np.linalg.norm(xy[0] - xy[19])
    assert np.allclose(at - at[0], (xy - xy[0]) * (scale, -scale))
    assert (at > 0).all()
    assert (at < (plan.across, plan.down)).all()
    assert np.ptp(at[:, 0]) > plan.across / 4
    assert plan.shown + plan.beyond == 399  # the one that is no number is neither
    assert plan.beyond < 60
    assert [dot.title for dot in plan.cameras] == [one.frame.name for one in made.placed]


@pytest.mark.parametrize(("crs", "drawn"), [(LOCAL, 12), (scene.UTM, 20)])
def test_groups_are_drawn_together_only_where_it_is_known_how_they_lie(tmp_path, crs, drawn):
    made = unmapped(tmp_path, crs=crs)
    placed = tuple(replace(one, group=int(i >= 12)) for i, one in enumerate(made.placed))
    plan = pose_plan(replace(made, placed=placed), "units")
    assert len(plan.cameras) == drawn
    assert plan.apart == 20 - drawn
    seen = sum(i % 20 < drawn for i in range(400) if i != 1)  # the point that is no number
    assert plan.shown + plan.beyond == seen


@pytest.mark.parametrize(("yaw_deg", "right", "down"), [(0, 0, -1), (90, 1, 0), (180, 0, 1)])
def test_a_slanting_camera_shows_where_it_looks(tmp_path, yaw_deg, right, down):
    made = unmapped(tmp_path)
    first = turned(made.placed[0], rotation_cam_from_world(yaw_deg, -30, 0))
    plan = pose_plan(replace(made, placed=(first, *made.placed[1:])), "m")
    ((x1, y1, x2, y2),) = plan.looks  # the others look down
    assert (x1, y1) == (plan.cameras[0].x, plan.cameras[0].y)
    way = np.array([x2 - x1, y2 - y1])
    assert np.allclose(way / np.linalg.norm(way), (right, down), atol=1e-9)


@given(shift=st.floats(-1e7, 1e7), size=st.floats(1e-3, 1e4), flat=st.booleans())
def test_a_plan_holds_its_cameras_wherever_they_are(shift, size, flat):
    made = scene.reconstruction(points="nowhere.npz")
    placed = tuple(
        replace(
            one,
            pose=replace(one.pose, position_m=(shift + size * i, 0.0 if flat else size * i**2, 9)),
        )
        for i, one in enumerate(made.placed)
    )
    plan = pose_plan(replace(made, placed=placed), "units")
    assert plan.shown == plan.beyond == 0
    assert all(0 < dot.x < plan.across and 0 < dot.y < plan.down for dot in plan.cameras)


def test_cameras_that_all_stand_in_one_point_have_no_plan(tmp_path):
    made = scene.reconstruction(points="nowhere.npz")
    there = made.placed[0].pose
    placed = tuple(replace(one, pose=there) for one in made.placed)
    assert pose_plan(replace(made, placed=placed), "m") is None


def steps_of(made):
    return " ".join(next_steps(made, photographs(facts(made))))


def test_what_to_do_next_follows_from_the_poses(tmp_path):
    sound = unmapped(tmp_path)
    assert "baseline" not in steps_of(sound)
    assert "could be aligned" not in steps_of(sound)
    assert "--gcp" not in steps_of(sound)
    near = tuple(
        replace(
            one,
            pose=replace(
                one.pose,
                position_m=(
                    scene.EAST_M + 0.1 * i,
                    scene.NORTH_M,
                    scene.GROUND_M + 60,
                ),
            ),
        )
        for i, one in enumerate(sound.placed)
    )
    assert "baseline is too short" in steps_of(replace(sound, placed=near))
    lost = tuple(Skipped(name=f"{n}", reason="x", sha256=f"{n}") for n in range(30))
    assert "Only 20 of 50 images could be aligned" in steps_of(replace(sound, skipped=lost))
    assert "--gcp" in steps_of(replace(sound, crs=LOCAL))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"crs": LOCAL, "vertical_datum": VerticalDatum.LOCAL}, "local"),
        (
            {"cameras": (replace(scene.CAMERA, focal_prior_source=FocalSource.ASSUMED),)},
            "focal_assumed",
        ),
        ({"warnings": ("The vertical is uncertain by 4 degrees.",)}, "reconstruction"),
    ],
)
def test_what_is_weak_about_the_poses_is_said(report_on, tmp_path, changes, code):
    assert report_on(unmapped(tmp_path)).json["warnings"] == []
    report = report_on(unmapped(tmp_path, **changes))
    assert [one["code"] for one in report.json["warnings"]] == [code]
    assert f'data-code="{code}"' in report.html
