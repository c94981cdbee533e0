"""A flight over surveyed marks, what a surveyor hands over, and how far its map is off."""

from dataclasses import dataclass, replace

import numpy as np
from made_up_flight import ORIGIN_M, block_of_flown, flown, ground, nadir, pixels_of
from scipy.spatial.transform import Rotation

from aftermap.sfm.block import adjust_with_outlier_rejection
from aftermap.sfm.focal import WEAK_FACTOR, with_focal_weight
from aftermap.sfm.gcp import SURVEY_SIGMA_M
from aftermap.sfm.gcp_file import control_in
from aftermap.sfm.levelling import world_from_pictures
from aftermap.sfm.projection_kernel import Observations
from aftermap.sfm.triangulate import triangulate_points

UTM = "EPSG:32637"
CLICK_PX = 0.3
GPS_BIAS_M = np.array([2.5, -1.5, 6.0])
FIELD = np.array(
    [
        [4, 2, 0],
        [106, 4, 2],
        [103, 74, 1],
        [3, 76, 3],
        [55, 40, 2],
        [54, 3, 1],
        [56, 75, 0],
        [5, 40, 2],
        [105, 38, 1],
        [30, 22, 0],
    ],
    float,
)
NAMES = [f"P{i + 1}" for i in range(len(FIELD))]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A flight whose receiver is off by metres, adjusted on its own."""

    flight: object
    block: object

    @property
    def numbers(self):
        return {i: i for i in range(len(self.block.frames))}


def surveyed_case(seed=21):
    """The flight, its receiver off by metres, adjusted on its own."""
    rng = np.random.default_rng(seed)
    flight = flown(rng, nadir(rng, tilt=2.0), ground(rng, count=500, relief=12.0), gps_m=0.8)
    frames = tuple(
        replace(f, prior_position_m=tuple(np.add(f.prior_position_m, GPS_BIAS_M)))
        for f in flight.frames
    )
    flight = replace(flight, frames=frames)
    block, _ = adjust_with_outlier_rejection(
        with_focal_weight(block_of_flown(flight, rng), WEAK_FACTOR), rounds=1
    )
    return Case(flight=flight, block=block)


def control_file(folder, flight, *, marks=FIELD, surveyed=None, crs=UTM, roles=None, names=NAMES):
    """The file a surveyor would hand over: true pixels with a person's error."""
    rng = np.random.default_rng(5)
    surveyed = ORIGIN_M + marks if surveyed is None else surveyed
    lines = [crs]
    for i, frame in enumerate(flight.frames):
        seen = pixels_of(flight.truth, i, marks)
        for k in np.flatnonzero(np.isfinite(seen[:, 0])):
            x, y = np.clip(seen[k] + rng.normal(0, CLICK_PX, 2), 0, [1200, 900])
            e, n, h = surveyed[k]
            role = roles[k] if roles else ""
            lines.append(f"{e:.9f} {n:.9f} {h:.4f} {x:.2f} {y:.2f} {frame.name} {names[k]} {role}")
    path = folder / "gcp_list.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return control_in(path)


def surveyed_m(marks=FIELD, seed=3):
    """As a receiver on each mark would give it."""
    noise = np.random.default_rng(seed).normal(0, 1, marks.shape) * SURVEY_SIGMA_M
    return ORIGIN_M + marks + noise


def adrift(case):
    """The same block where no photograph says where it was taken."""
    frames = tuple(
        replace(f, prior_position_m=None, prior_sigma_m=None) for f in case.flight.frames
    )
    turn = Rotation.from_euler("zyx", [130, 20, -15], degrees=True).as_matrix()
    truth = case.flight.truth
    rotations = truth.rotations @ turn.T
    positions, points = 0.05 * truth.positions @ turn.T, 0.05 * truth.points @ turn.T
    scale, rotation, shift = world_from_pictures(rotations, positions, points, frames)
    state = truth._replace(
        rotations=rotations @ rotation.T,
        positions=scale * positions @ rotation.T + shift,
        points=scale * points @ rotation.T + shift,
    )
    made = replace(case.flight, frames=frames)
    block = block_of_flown(made, np.random.default_rng(1), located=False, shaken=False)
    return replace(block, state=state._replace(lenses=block.state.lenses))


def map_error_m(block, case):
    """(N, 3) how far the map of a block is off all over the area, its pixels being true."""
    east, north, up = np.meshgrid(np.linspace(5, 105, 8), np.linspace(3, 75, 6), [0.0, 8.0])
    places = np.column_stack([east.ravel(), north.ravel(), up.ravel()])
    seen = np.stack(
        [pixels_of(case.flight.truth, i, places) for i in range(len(case.flight.frames))]
    )
    shown = np.isfinite(seen[..., 0])
    point, frame = np.nonzero(shown.T)
    start = np.concatenate([[0], np.cumsum(shown.sum(axis=0))]).astype(np.int32)
    sights = Observations(frame.astype(np.int32), start, seen[frame, point])
    return triangulate_points(block.state, sights) + block.offset_m - ORIGIN_M - places
