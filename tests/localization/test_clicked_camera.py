"""A camera by clicks on a map whose error is known: what of it reaches the ground, and what not.

The map is moved as a whole, as its error would move it, and what the picture shows moves with it
or does not. The sigmas that are stated have to say the same.
"""

import ast
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import aftermap
from aftermap.geo.axes import rotation_cam_from_world
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap.geo.lens import rays_cam
from aftermap.geo.uncertainty import ground_covariance_m2
from aftermap.localization import clicked_camera, tracking
from aftermap.localization.clicked_camera import (
    ground_ce90_m,
    on_case_map,
    solved_camera,
)
from aftermap.localization.correspondences import Correspondence
from aftermap.localization.drape import places_met
from aftermap.localization.object_points import object_points_of
from aftermap.localization.reference import reference_of
from aftermap.model.clip import Clip
from aftermap.model.media import FocalPrior, FocalSource
from aftermap.model.sighting import SURFACE_SIGMA_M

CORNER = (500_700.0, 3_978_400.0)
LENS = (440.0, 440.0, 240.0, 136.0, 0.0, 0.0, 0.0, 0.0)
PLACE = np.array([500_745.0, 3_978_305.0, 310.0])
TURN = rotation_cam_from_world(4, -50, 0)
ACROSS_M, UP_M = 2.0, 4.0
CLIP = Clip(
    sha256="c" * 64,
    name="news.mp4",
    size_bytes=1,
    width_px=480,
    height_px=272,
    container="mp4",
    codec="h264",
    start_s=Fraction(0),
    duration_s=Fraction(1),
    frame_rate_hz=Fraction(10),
    time_base_s=Fraction(1, 10),
    focal=FocalPrior(focal_px=440.0, sigma_px=40.0, source=FocalSource.ASSUMED),
)


def surface(*, off_m=(0.0, 0.0, 0.0)):
    """Ground with blocks on it, off by so much east, north and up as a whole."""
    rng = np.random.default_rng(8)
    height = np.full((250, 250), 250.0)
    for _ in range(40):
        row, column = rng.integers(0, 220, 2)
        height[row : row + 20, column : column + 25] = 250 + rng.uniform(4, 14)
    corner = (CORNER[0] + off_m[0], CORNER[1] + off_m[1])
    grey = np.zeros(height.shape, np.uint8)
    return reference_of("EPSG:32637", grey, height + off_m[2], corner, (0.4, 0.4), (ACROSS_M, UP_M))


def ties(*, off_m=(0.0, 0.0, 0.0), given):
    """Clicks without any error of their own, on a map that is off by so much."""
    rng = np.random.default_rng(2)
    clicked = rng.uniform([30, 40], [450, 250], (16, 2))
    true = places_met(surface(), PLACE, rays_cam(clicked, LENS) @ TURN)
    lonlat = transformed_xy("EPSG:32637", WGS84, true[:, :2] + off_m[:2])
    return [
        Correspondence(
            line=line,
            time_s=Fraction(0),
            frame=None,
            xy_px=(float(px), float(py)),
            lonlat_deg=(float(lon), float(lat)),
            height_m=float(up) if given else None,
        )
        for line, ((px, py), (lon, lat), up) in enumerate(
            zip(clicked, lonlat, true[:, 2], strict=True), start=2
        )
    ]


def camera_on(reference, clicks):
    return solved_camera(
        CLIP, object_points_of(clicks, reference, Path("ties.csv")), reference, what="ties"
    )


def shown_m(reference, camera):
    """East, north, up of the ground in the middle of the picture."""
    ray = rays_cam([[240, 136]], camera.pose.params) @ camera.pose.rotation_cam_from_world
    return places_met(reference, camera.pose.position_m, ray)[0]


def test_a_map_too_high_lifts_the_camera_and_shows_the_same_ground():
    """Heights of the surface: its error up is in the camera's sigma, and in no CE90."""
    off = (0.0, 0.0, UP_M)
    true, lifted = surface(), surface(off_m=off)
    right = camera_on(true, ties(given=False))
    high = camera_on(lifted, ties(off_m=off, given=False))
    assert high.pose.position_m - right.pose.position_m == pytest.approx([0, 0, UP_M], abs=0.02)
    moved = shown_m(lifted, high) - shown_m(true, right)
    assert moved == pytest.approx([0, 0, UP_M], abs=0.02)
    assert high.position_sigma_m[2] > UP_M
    same = replace(true, sigma_m=(ACROSS_M, 0.0))
    without = camera_on(same, ties(given=False))
    assert ground_ce90_m(right.pose, CLIP, true) == ground_ce90_m(without.pose, CLIP, same)


def test_a_height_that_was_given_is_off_against_the_map():
    """The camera stays where the given heights put it, and its ray meets the map too early."""
    true, lifted = surface(), surface(off_m=(0.0, 0.0, UP_M))
    right = camera_on(true, ties(given=True))
    high = camera_on(lifted, ties(given=True))
    assert high.pose.position_m == pytest.approx(right.pose.position_m, abs=0.02)
    moved = (shown_m(lifted, high) - shown_m(true, right))[:2]
    assert np.linalg.norm(moved) > 2.0
    ground = shown_m(true, right)[None]
    relative = on_case_map(right.pose, true).covariance
    own = relative - np.diag([0, 0, UP_M**2, 0, 0, 0])
    more = ground_covariance_m2(right.pose.position_m, ground, relative) - ground_covariance_m2(
        right.pose.position_m, ground, own
    )
    assert np.sqrt(np.trace(more[0])) == pytest.approx(np.linalg.norm(moved), rel=0.05)


def test_what_a_map_is_off_across_is_in_the_ce90_but_for_that_on_the_map_itself():
    off = (ACROSS_M, -ACROSS_M, 0.0)
    true, aside = surface(), surface(off_m=off)
    right = camera_on(true, ties(given=False))
    moved = camera_on(aside, ties(off_m=off, given=False))
    assert shown_m(aside, moved) - shown_m(true, right) == pytest.approx(off, abs=0.3)
    whole = ground_ce90_m(right.pose, CLIP, true)
    own = ground_ce90_m(on_case_map(right.pose, true), CLIP, true)
    assert whole > 2.146 * ACROSS_M
    assert own < whole - ACROSS_M


PACKAGE = Path(aftermap.__file__).parent


def test_clicked_cameras_have_one_solver_and_surface_heights_one_sigma():
    """Two policies and two sigmas gave two CE90 for the same clicks; a third would show here."""
    sources = {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
        for path in PACKAGE.rglob("*.py")
    }
    solvers = {
        name
        for name, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "resect"
    }
    assert solvers == {"localization/clicked_camera.py"}
    homes = {
        name
        for name, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == "SURFACE_SIGMA_M" for t in node.targets)
    }
    assert homes == {"model/sighting.py"}


def test_a_carried_pose_believes_heights_of_the_surface_as_a_solved_one_does():
    assert tracking.SURFACE_SIGMA_M == clicked_camera.SURFACE_SIGMA_M == SURFACE_SIGMA_M
