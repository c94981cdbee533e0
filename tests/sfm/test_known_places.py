"""A map without place or scale, laid onto buildings whose longitude and latitude are known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.support.made_up_views import LENS, cameras_of, photograph

from aftermap.errors import ControlError
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import LOCAL, WGS84, transformed_xy
from aftermap.geo.lens import seen_px
from aftermap.model.camera import CameraPose
from aftermap.model.media import VerticalDatum
from aftermap.model.outlines import PLACE_ROLE, KnownPlace
from aftermap.sfm.known_places import laid_on_places

CRS = "EPSG:32618"
ORIGIN_M = np.array([290_000.0, 2_938_500.0])
SCALE, YAW = 0.25, np.radians(70.0)
"""Metres in a unit of the local frame, and how far its north is turned from grid north."""


def _local(folder):
    """Pictures over a local frame, 100 units above its ground, each in sight of all places."""
    placed = []
    for k in range(4):
        one = photograph(folder, (0, 0, 0), name=f"{k}.png", seed=k)
        pose = CameraPose(
            rotation_cam_from_world=tuple(
                map(tuple, rotation_cam_from_world(0.0, -35.0, 0.0).tolist())
            ),
            position_m=(60.0 * k, 0.0, 100.0),
            covariance_m2=one.pose.covariance_m2,
        )
        placed.append(replace(one, pose=pose, ground_m=(-2.0, 30.0)))
    points = folder / "points.npz"
    np.savez(
        points,
        xyz_m=np.array([[0.0, 0.0, 0.0], [100.0, 200.0, 20.0]]),
        frame_index=np.array([0, 1, 4], np.int32),
        point_index=np.array([0, 1, 1], np.int32),
    )
    return replace(
        cameras_of(*placed),
        crs=LOCAL,
        vertical_datum=VerticalDatum.LOCAL,
        points=str(points),
    )


def _on_map(local_xy):
    turn = np.array([[np.cos(YAW), -np.sin(YAW)], [np.sin(YAW), np.cos(YAW)]])
    return SCALE * np.asarray(local_xy, float) @ turn.T + ORIGIN_M


def _places(local, count=8, noise_m=0.0):
    rng = np.random.default_rng(3)
    spots = np.column_stack([rng.uniform(-50, 200, count), rng.uniform(60, 260, count)])
    known = _on_map(spots) + rng.normal(0, noise_m, (count, 2))
    lonlat = transformed_xy(CRS, WGS84, known)
    places = []
    for k, spot in enumerate(spots):
        middle = np.array([[*spot, 2.05 / SCALE]])
        seen = [
            (one.frame.name, tuple(seen_px(middle, one.pose, LENS.params)[0].tolist()))
            for one in local.placed
        ]
        places.append(
            KnownPlace(
                name=f"B{k}",
                lonlat_deg=tuple(lonlat[k].tolist()),
                half_height_m=2.05,
                seen_px=tuple(seen),
            )
        )
    return places


def test_exact_places_give_place_scale_and_north(tmp_path):
    local = _local(tmp_path)
    laid = laid_on_places(local, _places(local), None)
    assert (laid.crs, laid.vertical_datum) == (CRS, VerticalDatum.GROUND)
    for before, after in zip(local.placed, laid.placed, strict=True):
        expected = [*_on_map(before.pose.position_m[:2]), SCALE * 100.0]
        assert after.pose.position_m == pytest.approx(expected, abs=0.05)
        # What was ahead of the camera is ahead of it still, on the turned map.
        ahead = np.array(before.pose.rotation_cam_from_world)[2]
        turned = np.array(after.pose.rotation_cam_from_world)[2]
        assert turned[:2] == pytest.approx((_on_map(ahead[:2]) - ORIGIN_M) / SCALE, abs=1e-3)
        assert after.ground_m == pytest.approx((-2 * SCALE, 30 * SCALE), rel=1e-3)
    with np.load(laid.points) as points:
        expected = [*_on_map((100.0, 200.0)), SCALE * 20.0]
        assert points["xyz_m"][1] == pytest.approx(expected, abs=0.05)
        assert points["frame_index"].tolist() == [0, 1]  # of the mapped frames alone


def test_the_stated_error_of_the_scale_covers_the_scatter_of_places(tmp_path):
    local = _local(tmp_path)
    sizes, stated = [], []
    for seed in range(6):
        places = _places(local, count=10)
        rng = np.random.default_rng(100 + seed)
        moved = [
            replace(
                one,
                lonlat_deg=tuple(
                    transformed_xy(
                        CRS,
                        WGS84,
                        transformed_xy(WGS84, CRS, [one.lonlat_deg]) + rng.normal(0, 1.0, (1, 2)),
                    )[0].tolist()
                ),
            )
            for one in places
        ]
        (tmp_path / "points.npz").unlink()
        laid = laid_on_places(_local(tmp_path), moved, CRS)
        sizes.append(laid.placed[0].pose.position_m[2] / 100.0 / SCALE - 1)
        (told,) = [text for text in laid.warnings if "known places" in text]
        stated.append(float(told.split("wrong by ")[1].split(" %")[0]) / 100)
    standard = np.array(sizes) / np.array(stated)
    assert 0.4 < np.sqrt(np.mean(standard**2)) < 1.8
    assert 0.005 < np.median(stated) < 0.05


def test_a_place_that_the_others_contradict_is_named_and_not_used(tmp_path):
    local = _local(tmp_path)
    places = _places(local, noise_m=0.5)
    lon, lat = places[2].lonlat_deg
    places[2] = replace(places[2], lonlat_deg=(lon + 0.0006, lat))
    laid = laid_on_places(local, places, None)
    assert any("building B2 disagrees" in text for text in laid.warnings)
    assert {mark.name for mark in laid.control} == {f"B{k}" for k in range(8) if k != 2}
    assert {mark.role for mark in laid.control} == {PLACE_ROLE}
    assert laid.placed[0].pose.position_m[2] == pytest.approx(25.0, rel=0.03)


def test_places_of_another_town_are_refused(tmp_path):
    local = _local(tmp_path)
    rng = np.random.default_rng(5)
    wrong = [
        replace(one, lonlat_deg=(-77.1 + rng.uniform(-1, 1) / 500, 26.5 + rng.uniform(-1, 1) / 500))
        for one in _places(local)
    ]
    with pytest.raises(ControlError, match="do not fit the images"):
        laid_on_places(local, wrong, None)


def test_too_few_places_in_sight_are_refused(tmp_path):
    local = _local(tmp_path)
    with pytest.raises(ControlError, match="3 outlined buildings"):
        laid_on_places(local, _places(local)[:3], None)


def test_the_shared_error_of_place_is_in_the_covariance_but_not_within_the_case(tmp_path):
    local = _local(tmp_path)
    local = replace(
        local,
        placed=tuple(replace(one, covariance_in_case=one.covariance) for one in local.placed),
    )
    laid = laid_on_places(local, _places(local, noise_m=3.0), None)
    whole = np.array(laid.placed[0].covariance)
    within = np.array(laid.placed[0].covariance_in_case)
    assert np.sqrt(whole[0, 0]) > 0.5
    assert np.sqrt(within[0, 0]) == pytest.approx(0.1 * SCALE, rel=0.1)
