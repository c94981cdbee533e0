import json
import math
from dataclasses import replace

import numpy as np
import pytest
import report_scene as scene
from hypothesis import given
from hypothesis import strategies as st

from aftermap.errors import CaseError
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.model.camera import CameraPose, Vertical, VerticalWitness
from aftermap.model.runs import Skipped
from aftermap.publish.exchange.cameras import read_cameras, write_cameras

SPECIFIED = {
    "name",
    "sha256",
    "registered",
    "reason",
    "width_px",
    "height_px",
    "camera_model",
    "params",
    "focal_px",
    "rotation_cam_from_world",
    "position_m",
    "position_sigma_m",
    "reprojection_px",
}


def test_index_of_a_frame_is_its_place_among_the_placed(tmp_path):
    """source.tif points into this list, so placed frames come first and keep their order."""
    built = scene.reconstruction(skipped=(Skipped(name="A.JPG", reason="is blurred", sha256="ab"),))
    path = write_cameras(built, tmp_path / "cameras.json")
    frames = json.loads(path.read_text("utf-8"))["frames"]
    assert [frame["name"] for frame in frames[:20]] == [p.frame.name for p in built.placed]
    assert all(frame["registered"] for frame in frames[:20])
    assert frames[20]["name"] == "A.JPG"


def test_the_vertical_and_its_witnesses_are_in_the_file_and_survive_it(tmp_path):
    """docs/reference/cameras.md: null where recorded positions say which way is up."""
    witness = VerticalWitness(
        name="roll", off_deg=0.4, off_sigmas=0.3, sigma_deg=1.2, other_sigma_deg=None, is_used=True
    )
    vertical = Vertical(sigma_deg=0.7, witnesses=(witness,))
    path = write_cameras(scene.reconstruction(vertical=vertical), tmp_path / "cameras.json")
    content = json.loads(path.read_text("utf-8"))["vertical"]
    assert (content["sigma_deg"], content["is_trusted"]) == (0.7, True)
    assert content["witnesses"][0]["name"] == "roll"
    assert read_cameras(path).vertical == content
    untold = write_cameras(scene.reconstruction(), tmp_path / "other.json")
    assert json.loads(untold.read_text("utf-8"))["vertical"] is None


def test_every_specified_key_is_there_and_a_skipped_frame_has_no_numbers(tmp_path):
    built = scene.reconstruction(skipped=(Skipped(name="A.JPG", reason="is blurred", sha256="ab"),))
    content = json.loads(write_cameras(built, tmp_path / "cameras.json").read_text("utf-8"))
    assert content["crs"] == "EPSG:32637"
    assert content["vertical_datum"] == "ellipsoid"
    assert all(set(frame) >= SPECIFIED for frame in content["frames"])
    skipped = content["frames"][-1]
    assert (skipped["registered"], skipped["reason"]) == (False, "is blurred")
    assert all(
        skipped[key] is None for key in SPECIFIED - {"name", "sha256", "registered", "reason"}
    )


def test_sigma_is_the_root_of_the_covariance_diagonal(tmp_path):
    cameras = read_cameras(write_cameras(scene.reconstruction(), tmp_path / "cameras.json"))
    assert cameras.frames[0].position_sigma_m == pytest.approx((0.05, 0.06, 0.1))


def test_unknown_covariance_is_null_and_not_a_number(tmp_path):
    placed = scene.placed_frames()
    nowhere = ((math.nan,) * 3,) * 3
    pose = replace(placed[0].pose, covariance_m2=nowhere)
    built = scene.reconstruction(placed=(replace(placed[0], pose=pose), *placed[1:]))
    text = write_cameras(built, tmp_path / "cameras.json").read_text("utf-8")
    assert "NaN" not in text
    assert read_cameras(tmp_path / "cameras.json").frames[0].position_sigma_m is None


@given(
    angles=st.tuples(st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180)),
    position=st.tuples(*[st.floats(-1e7, 1e7, allow_nan=False)] * 3),
    name=st.text(min_size=1, max_size=30),
)
def test_poses_and_names_survive_the_file(tmp_path_factory, angles, position, name):
    placed = scene.placed_frames()[0]
    rotation = tuple(tuple(map(float, row)) for row in rotation_cam_from_world(*angles))
    pose = CameraPose(
        rotation_cam_from_world=rotation,
        position_m=position,
        covariance_m2=placed.pose.covariance_m2,
    )
    placed = replace(placed, pose=pose, frame=replace(placed.frame, name=name))
    path = tmp_path_factory.mktemp("cameras") / "cameras.json"
    read = read_cameras(write_cameras(scene.reconstruction(placed=(placed,)), path)).frames[0]
    assert read.name == name
    assert read.position_m == position
    assert np.array_equal(read.rotation_cam_from_world, rotation)


@pytest.mark.parametrize("name", ['صورة "1".jpg', "<script>.jpg", "broken\udcff.jpg", "a\nb.jpg"])
def test_any_file_name_a_disk_can_hold_survives(tmp_path, name):
    built = scene.reconstruction(skipped=(Skipped(name=name, reason="is truncated"),))
    assert read_cameras(write_cameras(built, tmp_path / "c.json")).frames[-1].name == name


def test_what_two_steps_report_is_listed_once_and_twins_stay_two(tmp_path):
    twin = Skipped(name="copy.jpg", reason="is empty")
    built = scene.reconstruction(placed=(), skipped=(twin, twin))
    cameras = read_cameras(write_cameras(built, tmp_path / "c.json", left_out=(twin,)))
    assert len(cameras.frames) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[: len(text) // 2], "is not a camera list"),
        (lambda text: text.replace('"crs"', '"srs"', 1), "is not a camera list"),
        (lambda text: json.dumps(_mirrored(json.loads(text))), "is not a rotation"),
    ],
)
def test_a_damaged_file_is_told_in_one_line(tmp_path, change, says):
    path = write_cameras(scene.reconstruction(), tmp_path / "cameras.json")
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(CaseError, match=says):
        read_cameras(path)


def _mirrored(content):
    rotation = content["frames"][0]["rotation_cam_from_world"]
    rotation[0] = [-value for value in rotation[0]]
    return content


def test_a_file_that_cannot_be_written_names_the_file_and_leaves_the_old_one(tmp_path):
    folder = tmp_path / "products"
    folder.write_text("a file where the folder should be")
    with pytest.raises(CaseError, match=r"cameras\.json: could not be written"):
        write_cameras(scene.reconstruction(), folder / "cameras.json")
    assert folder.read_text() == "a file where the folder should be"


def test_nothing_half_written_stays_behind(tmp_path):
    write_cameras(scene.reconstruction(), tmp_path / "cameras.json")
    assert [path.name for path in tmp_path.iterdir()] == ["cameras.json"]
