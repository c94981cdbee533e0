"""A rolling shutter in the twin: each row is what the camera sees from where it is by then."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_district import small

from aftermap.geo.lens import projected_px
from aftermap_twin.clip_paths import DRONE, station_at
from aftermap_twin.flight import INTERVAL_S, stations_of
from aftermap_twin.making import scene_for
from aftermap_twin.options import Flight
from aftermap_twin.render import ROLLING_ROWS, radiance, studio_for
from aftermap_twin.truth import mark_px

ROLLING = small(readout_s=0.05)


def test_a_row_is_rendered_from_where_the_camera_is_by_then():
    stations = stations_of(ROLLING)
    station = stations[0]
    studio = studio_for(ROLLING, scene_for(ROLLING, stations))
    rolled = radiance(studio, station)
    for row in (0, 120, 236):
        later_s = 0.05 * ((row + ROLLING_ROWS / 2) / 240 - 0.5)
        _, place = station.pose_after(later_s)
        there = replace(station, position_m=tuple(place))
        still = radiance(replace(studio, options=small()), there)
        assert np.allclose(rolled[row : row + ROLLING_ROWS], still[row : row + ROLLING_ROWS])
    assert not np.allclose(rolled[:4], radiance(replace(studio, options=small()), station)[:4])


def test_marks_are_seen_in_the_row_that_is_exposed_while_they_are_there():
    station = stations_of(ROLLING)[0]
    place = np.array(station.position_m) * [1, 1, 0] + [3.0, 4.0, 0.0]
    seen = mark_px(ROLLING, station, place)
    rotation, centre = station.pose_after(0.05 * (seen[1] / 240 - 0.5))
    again = projected_px((rotation @ (place - centre))[None], ROLLING.params)[0]
    assert np.abs(again - seen).max() < 1e-3
    assert np.abs(mark_px(small(), station, place) - seen).max() > 0.1


@pytest.mark.parametrize("flight", list(Flight))
def test_velocities_of_a_flight_are_those_from_one_photograph_to_the_next(flight):
    options = small(flight=flight, photos=40, width_px=800, height_px=600)
    stations = stations_of(options)
    steps = np.diff([s.position_m for s in stations], axis=0) / INTERVAL_S
    told = np.array([s.velocity_m_s for s in stations])
    same_line = (told[1:] == told[:-1]).all(axis=1)
    assert same_line.sum() >= len(stations) / 2
    # 0.6 m of jitter in each position
    off = np.median(np.abs(steps - told[1:])[same_line][:, :2])
    assert off < 3 * 0.6 / INTERVAL_S < np.median(np.linalg.norm(told, axis=1))


def test_a_clip_moves_and_turns_as_its_path_does():
    now, then = station_at(DRONE, 12.0), station_at(DRONE, 12.02)
    rotation, place = now.pose_after(0.02)
    assert np.allclose(place, then.position_m, atol=1e-3)
    assert np.allclose(rotation, then.rotation_cam_from_world, atol=1e-4)
    assert np.linalg.norm(now.velocity_m_s) > 1
    assert np.linalg.norm(now.turning_rad_s) > 0.01
