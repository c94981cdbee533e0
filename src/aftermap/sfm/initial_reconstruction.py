"""Tracks -> rough poses, by COLMAP's mapping on a thin choice of tracks.

A few hundred well-spread tracks per photograph are enough to find out how the photographs hang
together; the accuracy comes from the adjustment afterwards. Where a focal length is known that is
the incremental mapping. Where all are assumed, the global one (Pan et al. 2024, GLOMAP) goes first:
on a forward flight every pair of frames alone fits almost any focal length, so that a model grown
from one pair ends anywhere. Measured on two forward stretches of real clips (dorian): most models
grown so leave 10 to 40 px at the median over all tracks, with steps to all sides, and adjust to
less than half the focal length. Solved for at once, both and a third stretch go ahead in even steps
and fit to 0.23 to 0.27 px after the adjustment.
World frame: whatever COLMAP gives. Pixels: corner origin, COLMAP's own.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pycolmap

from aftermap.errors import CaseError
from aftermap.geo.arrays import Array, Int32Array, Uint32Array
from aftermap.imaging.robust_geometry import global_models, incremental_models
from aftermap.model.camera import Frame
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.projection_kernel import Observations, State, residuals_px
from aftermap.sfm.tracks import Tracks, thinned_tracks
from aftermap.sfm.triangulate import triangulate_points

MIN_FRAMES = 3
TRACKS_PER_FRAME = 200
"""Enough to place a frame among its neighbours; the mapping's cost grows faster than this."""
GLOBAL_TRACKS_PER_FRAME = 800
"""For the global mapping: the longest tracks of a forward flight lie at the horizon."""
MAX_ERROR_SHARE = 0.004
"""Largest reprojection error that is kept, as a share of the picture's longer side."""
FITS_SHARE = 0.002
"""An observation fits a model within this share of the longer side."""
ONE_THREAD = 1
"""With more, COLMAP adds in the order in which they end: one footage gave two models in turn, and a
focal length of 799.86 or 799.64 px after the adjustment (practice flight with clips). At this size
of problem the others save nothing: 1.38 s of CPU beside 1.43 s."""
CALIBRATED = 2
"""COLMAP's name (number) for a pair with an essential matrix; it estimates its own from there."""


@dataclass(frozen=True, kw_only=True)
class InitialReconstruction:
    """One connected group: frame indices (n,), cam_from_world rotations, positions, lenses.

    ``lenses`` maps a camera key to COLMAP's eight OPENCV parameters.
    """

    frames: Int32Array
    rotations: Array
    positions: Array
    lenses: dict[str, Array]


def skeletons_of(
    frames: Sequence[Frame], keypoints: Sequence[Array], tracks: Tracks, options: PoseOptions
) -> list[InitialReconstruction]:
    """The groups of frames that hang together, the largest first; frames in none are missing.

    ``keypoints`` holds (K, 2) pixels of each frame. Raises CaseError where the temporary folder
    cannot
    be written.
    """
    if len(tracks) == 0:
        return []
    _quiet()
    with tempfile.TemporaryDirectory(prefix="aftermap-") as folder:
        database = Path(folder) / "skeleton.db"
        many = Path(folder) / "many.db"
        try:
            _write_database(database, frames, keypoints, thinned_tracks(tracks, TRACKS_PER_FRAME))
            if all(_focal_unknown(frame) for frame in frames):
                thin = thinned_tracks(tracks, GLOBAL_TRACKS_PER_FRAME)
                _write_database(many, frames, keypoints, thin)
        except RuntimeError as error:  # COLMAP's word for anything that SQLite says
            raise CaseError(
                f"{folder}: cannot be written ({error}); free space on the disk of the temporary "
                "folder, or set TMPDIR to a folder on another disk"
            ) from error
        if many.exists():
            return _without_focal(database, many, Path(folder), frames, keypoints, tracks, options)
        return _grow_models(database, Path(folder), frames, options)


def _grow_models(
    database: Path, folder: Path, frames: Sequence[Frame], options: PoseOptions
) -> list[InitialReconstruction]:
    """The largest model of a few attempts: more frames in one piece are better than more pieces."""
    models: list[InitialReconstruction] = []
    for seed in range(options.seed, options.seed + 3):
        models = max(models, _map_once(database, folder, frames, seed), key=_largest)
        if models and _largest(models) > 0.9 * len(frames):
            break
    return models


def _without_focal(
    database: Path,
    many: Path,
    folder: Path,
    frames: Sequence[Frame],
    keypoints: Sequence[Array],
    tracks: Tracks,
    options: PoseOptions,
) -> list[InitialReconstruction]:
    """The model that most observations fit, of one solved at once and, if it is poor, one grown."""
    at_once = _solve_at_once(many, folder, frames, options.seed)
    fit = fit_of(at_once[0], frames, keypoints, tracks) if at_once else 0.0
    if at_once and _largest(at_once) > 0.9 * len(frames) and fit > 0.5 * len(tracks.frame):
        return at_once
    grown = _grow_models(database, folder, frames, options)
    if not grown or fit > fit_of(grown[0], frames, keypoints, tracks):
        return at_once
    return grown


def fit_of(
    skeleton: InitialReconstruction,
    frames: Sequence[Frame],
    keypoints: Sequence[Array],
    tracks: Tracks,
) -> int:
    """How many observations of all tracks lie near where a model's triangulated points do.

    ``keypoints`` holds (K, 2) pixels of each frame.
    """
    state, sights = model_observations(skeleton, frames, keypoints, tracks)
    off = np.empty_like(sights.xy_px)
    residuals_px(state, sights, off)
    reach = FITS_SHARE * max(max(f.width_px, f.height_px) for f in frames)
    return int(((off**2).sum(axis=1) < reach**2).sum())


def model_observations(
    skeleton: InitialReconstruction,
    frames: Sequence[Frame],
    keypoints: Sequence[Array],
    tracks: Tracks,
) -> tuple[State, Observations]:
    """A model's cameras and triangulated tracks, and where its frames (in its numbering) see them.

    ``keypoints`` holds (K, 2) pixels of each frame. Tracks that fewer than two of its frames see
    are
    left out.
    """
    own = [frames[i] for i in skeleton.frames]
    keys = tuple(dict.fromkeys(f.camera_key for f in own))
    lenses = np.stack([_lens(skeleton.lenses[key]) for key in keys])
    camera_of = np.array([keys.index(f.camera_key) for f in own], np.int32)
    rough = State(skeleton.rotations, skeleton.positions, lenses, camera_of, np.zeros((0, 3)))
    sights = _sights_in(skeleton, keypoints, tracks)
    return rough._replace(points=triangulate_points(rough, sights)), sights


def _lens(params: Array) -> Array:
    """That of the adjustment; COLMAP's shutters are global."""
    return np.array([(params[0] + params[1]) / 2, *params[2:8], 0.0])


def _sights_in(
    skeleton: InitialReconstruction, keypoints: Sequence[Array], tracks: Tracks
) -> Observations:
    """Observations of the group, in its own numbering of frames, of tracks seen twice in it."""
    number = np.full(len(keypoints), -1, np.int32)
    number[skeleton.frames] = np.arange(len(skeleton.frames))
    mine = number[tracks.frame] >= 0
    counts = np.bincount(tracks.track[mine], minlength=len(tracks))
    mine &= counts[tracks.track] >= 2
    frame, feature = tracks.frame[mine], tracks.feature[mine]
    xy = np.stack([keypoints[f][k] for f, k in zip(frame, feature, strict=True)])
    start = np.concatenate([[0], np.cumsum(counts[counts >= 2])]).astype(np.int32)
    return Observations(number[frame], start, xy.astype(np.float64))


def _largest(models: list[InitialReconstruction]) -> int:
    return len(models[0].frames) if models else 0


def _focal_unknown(frame: Frame) -> bool:
    return frame.focal_sigma_px > 0.05 * frame.focal_px


def _quiet() -> None:
    pycolmap.logging.minloglevel = pycolmap.logging.Level.FATAL.value


def _write_database(
    path: Path, frames: Sequence[Frame], keypoints: Sequence[Array], tracks: Tracks
) -> None:
    with pycolmap.Database.open(path) as database:
        cameras = {f.camera_key: f for f in frames}
        camera_ids, rig_ids = {}, {}
        for key, frame in cameras.items():
            camera_ids[key] = database.write_camera(_camera(frame))
            rig = pycolmap.Rig()
            rig.add_ref_sensor(_sensor(camera_ids[key]))
            rig_ids[key] = database.write_rig(rig)
        images = []
        for index, frame in enumerate(frames):
            camera_id = camera_ids[frame.camera_key]
            image = database.write_image(pycolmap.Image(name=str(index), camera_id=camera_id))
            shot = pycolmap.Frame()
            shot.rig_id = rig_ids[frame.camera_key]
            shot.add_data_id(pycolmap.data_t(_sensor(camera_id), image))
            database.write_frame(shot)
            database.write_keypoints(image, keypoints[index].astype(np.float32))
            images.append(image)
        for (i, j), matches in _pairs_in(tracks).items():
            geometry = pycolmap.TwoViewGeometry()
            geometry.config = CALIBRATED
            geometry.inlier_matches = matches
            database.write_matches(images[i], images[j], matches)
            database.write_two_view_geometry(images[i], images[j], geometry)


def _camera(frame: Frame) -> pycolmap.Camera:
    focal = frame.focal_px
    centre = frame.width_px / 2, frame.height_px / 2
    return pycolmap.Camera(
        model="OPENCV",
        width=frame.width_px,
        height=frame.height_px,
        params=[focal, focal, *centre, 0, 0, 0, 0],
        has_prior_focal_length=True,
    )


def _sensor(camera_id: int) -> pycolmap.sensor_t:
    return pycolmap.sensor_t(pycolmap.SensorType.CAMERA, camera_id)


def _pairs_in(tracks: Tracks) -> dict[tuple[int, int], Uint32Array]:
    """Matches between any two frames that share tracks."""
    firsts, seconds = [], []
    for lag in range(1, int(np.diff(tracks.start).max(initial=1))):
        first = np.flatnonzero(tracks.track[lag:] == tracks.track[:-lag])
        firsts.append(first)
        seconds.append(first + lag)
    if not firsts:
        return {}
    a, b = np.concatenate(firsts), np.concatenate(seconds)
    pair = np.stack([tracks.frame[a], tracks.frame[b]], axis=1)
    order = np.lexsort((pair[:, 1], pair[:, 0]))
    unique, begin = np.unique(pair[order], axis=0, return_index=True)
    matches = np.stack([tracks.feature[a], tracks.feature[b]], axis=1)[order].astype(np.uint32)
    parts = np.split(matches, begin[1:])
    return {(int(i), int(j)): part for (i, j), part in zip(unique, parts, strict=True)}


def _options(frames: Sequence[Frame], seed: int) -> pycolmap.IncrementalPipelineOptions:
    """COLMAP's settings for a quick, rough model of well-verified tracks."""
    tolerance = MAX_ERROR_SHARE * max(max(f.width_px, f.height_px) for f in frames)
    focal_unknown = any(_focal_unknown(frame) for frame in frames)
    options = pycolmap.IncrementalPipelineOptions()
    options.random_seed = seed
    options.num_threads = ONE_THREAD
    options.extract_colors = False
    options.min_model_size = MIN_FRAMES
    options.ba_refine_focal_length = focal_unknown
    options.mapper.abs_pose_refine_focal_length = focal_unknown
    options.ba_refine_extra_params = not all(_focal_unknown(frame) for frame in frames)
    options.mapper.filter_max_reproj_error = tolerance
    options.mapper.abs_pose_max_error = 3 * tolerance
    options.mapper.init_max_error = tolerance
    options.mapper.init_min_num_inliers = 40
    options.mapper.abs_pose_min_num_inliers = 20
    options.triangulation.merge_max_reproj_error = tolerance
    options.triangulation.complete_max_reproj_error = tolerance
    options.ba_global_frames_ratio = options.ba_global_points_ratio = 1.4
    options.ba_global_max_refinements = 2
    options.ba_local_max_refinements = 1
    options.ba_local_max_num_iterations = 10
    options.ba_global_max_num_iterations = 20
    return options


def _map_once(
    database: Path, folder: Path, frames: Sequence[Frame], seed: int
) -> list[InitialReconstruction]:
    pycolmap.set_random_seed(seed)
    return _skeletons(incremental_models(database, folder, _options(frames, seed)), frames)


def _solve_at_once(
    database: Path, folder: Path, frames: Sequence[Frame], seed: int
) -> list[InitialReconstruction]:
    pycolmap.set_random_seed(seed)
    options = pycolmap.GlobalPipelineOptions()
    options.random_seed = seed
    options.num_threads = ONE_THREAD
    options.min_model_size = MIN_FRAMES
    options.mapper.bundle_adjustment.refine_extra_params = False
    return _skeletons(global_models(database, folder, options), frames)


def _skeletons(
    models: Sequence[pycolmap.Reconstruction], frames: Sequence[Frame]
) -> list[InitialReconstruction]:
    """COLMAP's models as ours; a frame stays in the first one that holds it."""
    taken: set[int] = set()
    found = []
    for model in models:
        images = {int(i.name): i for i in model.images.values() if i.has_pose}
        own = sorted(set(images) - taken)
        if len(own) >= MIN_FRAMES:
            taken |= set(own)
            found.append(_skeleton(frames, own, images))
    return found


def _skeleton(
    frames: Sequence[Frame], own: Sequence[int], images: dict[int, pycolmap.Image]
) -> InitialReconstruction:
    poses = [images[i].cam_from_world() for i in own]
    return InitialReconstruction(
        frames=np.array(own, np.int32),
        rotations=np.stack([pose.rotation.matrix() for pose in poses]),
        positions=np.stack([images[i].projection_center() for i in own]),
        lenses={frames[i].camera_key: np.array(images[i].camera.params) for i in own},
    )
