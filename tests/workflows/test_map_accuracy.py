"""How far a map may lie off, from the list of its cameras."""

import json

import pytest

from aftermap.localization.reference import SIGMA_M
from aftermap.workflows.map_accuracy import map_sigma_m


def _camera(sigma_m, mapped):
    turn = [[1, 0, 0], [0, -1, 0], [0, 0, -1]]
    return {
        "name": "a.jpg",
        "sha256": None,
        "registered": True,
        "reason": None,
        "mapped": mapped,
        "rotation_cam_from_world": turn,
        "position_m": [0, 0, 9],
        "position_sigma_m": sigma_m,
    }


def test_a_map_is_off_by_as_much_as_its_cameras(tmp_path):
    frames = [_camera([2, 3, 5], True), _camera([2.2, 2.6, 5.2], True), _camera([90, 90, 9], False)]
    content = {"crs": "EPSG:32637", "vertical_datum": "barometric", "frames": frames}
    (tmp_path / "cameras.json").write_text(json.dumps(content))
    assert map_sigma_m(tmp_path / "orthophoto.tif") == pytest.approx((2.8, 5.1))


def test_a_map_on_another_datum_is_no_surer_than_longitudes_in_it(tmp_path):
    frames = [_camera([0.02, 0.02, 0.05], True)]
    frames[0]["position_m"] = [448_724, 445_051, 300]
    content = {"crs": "EPSG:22770", "vertical_datum": "control", "frames": frames}
    (tmp_path / "cameras.json").write_text(json.dumps(content))
    assert map_sigma_m(tmp_path / "orthophoto.tif") == pytest.approx((5 / 2**0.5, 0.05))


def test_a_map_without_its_cameras_is_a_good_aerial_one(tmp_path):
    assert map_sigma_m(tmp_path / "orthophoto.tif") == SIGMA_M
    (tmp_path / "cameras.json").write_text('{"crs": "EPSG:32637"}')
    assert map_sigma_m(tmp_path / "orthophoto.tif") == SIGMA_M
    none = {"crs": "LOCAL", "vertical_datum": "local", "frames": [_camera(None, True)]}
    (tmp_path / "cameras.json").write_text(json.dumps(none))
    assert map_sigma_m(tmp_path / "orthophoto.tif") == SIGMA_M
