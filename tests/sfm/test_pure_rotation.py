"""A camera that turns on the spot is told from one that flies, by the pictures alone."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from aftermap.sfm.projection_kernel import Observations
from aftermap.sfm.pure_rotation import only_turns, only_zooms

SIZE_PX = (960, 540)
FOCAL_PX = 1000.0
FRAMES = 9


def frames_of(keys: tuple[str, ...]) -> Any:
    return [SimpleNamespace(camera_key=key, width_px=960, height_px=540) for key in keys]


def sights_of(points: npt.NDArray[np.float64], yaw_deg: float, step_m: float) -> Observations:
    """What frames see that turn and move step by step; noise of half a pixel."""
    rng = np.random.default_rng(4)
    rows = []
    for index in range(FRAMES):
        turn = Rotation.from_euler("y", yaw_deg * (index - FRAMES // 2), degrees=True).as_matrix()
        cam = (points - [step_m * (index - FRAMES // 2), 0, 0]) @ turn.T
        xy = FOCAL_PX * cam[:, :2] / cam[:, 2:] + np.divide(SIZE_PX, 2)
        xy += rng.normal(0, 0.5, xy.shape)
        inside = ((xy > 0) & (xy < SIZE_PX)).all(axis=1)
        rows += [(track, index, *xy[track]) for track in np.flatnonzero(inside)]
    table = np.array(sorted(rows))
    _, counts = np.unique(table[:, 0], return_counts=True)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return Observations(table[:, 1].astype(np.int32), start, np.ascontiguousarray(table[:, 2:]))


def ground(relief_m: float) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(3)
    xy = rng.uniform(-150, 150, (4000, 2))
    return np.column_stack([xy, 100 - rng.uniform(0, relief_m, len(xy))])


def test_a_turn_on_the_spot_is_one_whatever_the_ground() -> None:
    for relief_m in (0.0, 20.0):
        assert only_turns(frames_of(("a",) * FRAMES), sights_of(ground(relief_m), 3.0, 0.0))


def test_a_flight_is_none_not_even_over_flat_ground() -> None:
    for relief_m in (0.0, 5.0, 20.0):
        for yaw_deg in (0.0, 1.0):
            sights = sights_of(ground(relief_m), yaw_deg, 6.0)
            assert not only_turns(frames_of(("a",) * FRAMES), sights)


def test_nothing_is_said_of_a_camera_that_stands_still_or_of_two_cameras() -> None:
    assert not only_turns(frames_of(("a",) * FRAMES), sights_of(ground(20.0), 0.01, 0.0))
    assert not only_turns(frames_of(("a",) * 8 + ("b",)), sights_of(ground(20.0), 3.0, 0.0))


def test_a_zoom_is_one_and_neither_a_turn_nor_a_flight_is() -> None:
    from_above = sights_of(ground(20.0), 0.0, 0.0)
    grown = np.array([1 + 0.08 * index for index in range(FRAMES)])[from_above.frame]
    middle = np.divide(SIZE_PX, 2)
    zoom = from_above._replace(xy_px=(from_above.xy_px - middle) * grown[:, None] + middle)
    assert only_zooms(frames_of(("a",) * FRAMES), zoom)
    for yaw_deg, step_m in ((3.0, 0.0), (0.0, 6.0)):
        moved = sights_of(ground(20.0), yaw_deg, step_m)
        assert not only_zooms(frames_of(("a",) * FRAMES), moved)
