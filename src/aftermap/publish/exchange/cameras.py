"""A reconstruction to products/cameras.json and back: where every photograph was taken.

Coordinates are absolute in the named CRS, heights above the named datum; the rotation turns world
axes (east, north, up) into camera axes (x right, y down, z forward). The first entries are the
placed photographs in their order: products/source.tif points at them by that index.
The format is public: docs/reference/cameras.md.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from aftermap.errors import CaseError
from aftermap.geo.pose_interpolation import pose_at
from aftermap.geo.tuples import matrix6
from aftermap.geo.uncertainty import ce90_in_middle_m, on_own_map
from aftermap.model.camera import (
    Camera,
    Frame,
    Matrix3,
    Matrix6,
    PlacedFrame,
    Reconstruction,
    Vector3,
)
from aftermap.model.runs import Skipped
from aftermap.model.sighting import SURFACE_SIGMA_M
from aftermap.model.trajectory import PoseSource, Trajectory
from aftermap.publish.shared.files import json_text, write_whole
from aftermap.publish.shared.left_out import merged

ROTATION_TOLERANCE = 1e-6
NO_PLACE = "no longer has a pose: its shot was located again"
_BY_OTHER_WAYS = (PoseSource.RESECTED.value, PoseSource.TELEMETRY.value)
GROUND_SIGMA_M = 5.0
"""Of the level of the ground that a frame of a clip looks at, where no picture measured it."""


@dataclass(frozen=True, kw_only=True)
class CameraEntry:
    """One photograph, or one frame of a clip. All but its name is None where it was not placed.

    ``time_s`` is the exact presentation time as a fraction in text, such as "1001/30000".
    ``position_covariance`` is ``position_covariance_m2`` again, under the name that frames of clips
    have it by. ``ce90_m`` is of the ground in the middle of the picture, on the globe;
    ``ce90_in_case_m`` on this case's own map, whose frames all share an error that it leaves out.
    ``readout_ms`` is how long the shutter rolls, and the velocities how the camera moved (east,
    north, up) and turned (about its own axes) meanwhile; None where it is taken to be a global one.
    """

    name: str
    sha256: str | None
    registered: bool
    reason: str | None
    width_px: int | None = None
    height_px: int | None = None
    camera_model: str | None = None
    params: tuple[float, ...] | None = None
    focal_px: float | None = None
    rotation_cam_from_world: Matrix3 | None = None
    position_m: Vector3 | None = None
    position_sigma_m: Vector3 | None = None
    reprojection_px: float | None = None
    position_covariance_m2: Matrix3 | None = None
    group: int | None = None
    mapped: bool = False
    clip: str | None = None
    clip_sha256: str | None = None
    time_s: str | None = None
    shot: int | None = None
    position_covariance: Matrix3 | None = None
    ce90_m: float | None = None
    ce90_in_case_m: float | None = None
    source: str | None = None
    readout_ms: float | None = None
    readout_sigma_ms: float | None = None
    readout_source: str | None = None
    readout_decision: str | None = None
    velocity_m_s: Vector3 | None = None
    turning_rad_s: Vector3 | None = None


@dataclass(frozen=True, kw_only=True)
class CameraList:
    """The content of a cameras.json: a CRS, a vertical datum and every photograph known.

    ``vertical`` says how surely up is up where pictures alone had to find it.
    """

    crs: str
    vertical_datum: str
    frames: tuple[CameraEntry, ...]
    vertical: dict[str, Any] | None = None


def write_cameras(
    reconstruction: Reconstruction,
    path: str | Path,
    *,
    left_out: Sequence[Skipped] = (),
    flights: Sequence[Trajectory] = (),
    frames: Sequence[Frame] = (),
) -> Path:
    """The path of the written file. ``left_out`` adds what earlier steps could not use.

    ``flights`` place those of the ``frames`` that the reconstruction does not hold.
    """
    flown = clip_frame_entries(reconstruction, flights, frames)
    there = {entry.sha256 for entry in flown}
    skipped = merged(left_out, reconstruction.skipped)
    content = CameraList(
        crs=reconstruction.crs,
        vertical_datum=str(reconstruction.vertical_datum),
        frames=(
            *(_placed_entry(reconstruction, placed) for placed in reconstruction.placed),
            *flown,
            *(
                CameraEntry(
                    name=item.name, sha256=item.sha256, registered=False, reason=item.reason
                )
                for item in skipped
                if item.sha256 is None or item.sha256 not in there
            ),
        ),
        vertical=_vertical(reconstruction),
    )
    return write_whole(json_text(asdict(content)), Path(path))


def _vertical(reconstruction: Reconstruction) -> dict[str, Any] | None:
    vertical = reconstruction.vertical
    return None if vertical is None else asdict(vertical) | {"is_trusted": vertical.is_trusted}


def refill_cameras(
    path: Path,
    reconstruction: Reconstruction,
    flights: Sequence[Trajectory],
    frames: Sequence[Frame],
) -> int:
    """Write the ``frames`` of these clips anew into a file that is there; how many have a place.

    All else stays as it is, in its order.
    """
    known = read_cameras(path)
    flown = clip_frame_entries(reconstruction, flights, frames)
    there = {entry.sha256 for entry in flown}
    of_clips = {flight.clip_sha256 for flight in flights}
    others = [entry for entry in known.frames if entry.sha256 not in there]
    gone = [one for one in others if one.clip_sha256 in of_clips and one.source in _BY_OTHER_WAYS]
    placed = [one for one in others if one.registered and one not in gone]
    left_out = [one for one in others if not one.registered] + [
        CameraEntry(name=one.name, sha256=one.sha256, registered=False, reason=NO_PLACE)
        for one in gone
    ]
    content = replace(known, frames=(*placed, *flown, *left_out))
    write_whole(json_text(asdict(content)), path)
    return len(flown)


def read_cameras(path: str | Path) -> CameraList:
    """The cameras of a file written by :func:`write_cameras`, every rotation checked.

    Keys that this version does not know are passed over, as the format may grow.

    Raises CaseError where the file is no list of cameras.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        frames = tuple(_entry(item) for item in content["frames"])
        cameras = CameraList(
            crs=content["crs"],
            vertical_datum=content["vertical_datum"],
            frames=frames,
            vertical=content.get("vertical"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CaseError(
            f"{path}: is not a camera list ({error}); "
            "delete it and run `aftermap map` again to recreate it"
        ) from error
    for entry in frames:
        _check(entry, path)
    return cameras


def _placed_entry(reconstruction: Reconstruction, placed: PlacedFrame) -> CameraEntry:
    camera = reconstruction.cameras[placed.camera]
    reason = reconstruction.why_not_mapped(placed)
    return CameraEntry(
        name=placed.frame.name,
        sha256=placed.frame.sha256,
        registered=True,
        reason=reason,
        width_px=camera.width_px,
        height_px=camera.height_px,
        camera_model=camera.model,
        params=camera.params,
        focal_px=camera.focal_px,
        rotation_cam_from_world=placed.pose.rotation_cam_from_world,
        position_m=placed.pose.position_m,
        position_sigma_m=position_sigma_m(placed),
        reprojection_px=placed.reprojection_px,
        position_covariance_m2=_known(placed.pose.covariance_m2),
        group=placed.group,
        mapped=reason is None,
        readout_ms=1000 * camera.readout_s,
        readout_sigma_ms=None if camera.readout_sigma_s is None else 1000 * camera.readout_sigma_s,
        readout_source=str(camera.readout_source),
        readout_decision=camera.readout_decision or None,
        velocity_m_s=None if placed.velocity is None else placed.velocity[:3],
        turning_rad_s=None if placed.velocity is None else placed.velocity[3:],
        **_clip_fields(placed, camera, on_map=placed.group == reconstruction.mapped_group),
    )


def _clip_fields(placed: PlacedFrame, camera: Camera, *, on_map: bool) -> dict[str, Any]:
    moment = placed.frame.moment
    if moment is None:
        return {}
    return {
        "clip": moment.clip_name,
        "clip_sha256": moment.clip_sha256,
        "time_s": str(moment.time_s),
        "shot": moment.shot,
        "position_covariance": _known(placed.pose.covariance_m2),
        "ce90_m": _ce90_m(placed, camera, _on_the_globe(placed) if on_map else placed.covariance),
        "ce90_in_case_m": _ce90_m(placed, camera, placed.covariance_in_case) if on_map else None,
        "source": _source_of(placed).value,
    }


def clip_frame_entries(
    reconstruction: Reconstruction, flights: Sequence[Trajectory], frames: Sequence[Frame]
) -> tuple[CameraEntry, ...]:
    """The frames of clips that were placed in another way than by the reconstruction."""
    paths = {path.clip_sha256: path for path in flights if path.crs == reconstruction.crs}
    there = {placed.frame.sha256 for placed in reconstruction.placed}
    found = [
        _clip_frame_entry(frame, paths[frame.moment.clip_sha256])
        for frame in frames
        if frame.sha256 not in there and frame.moment and frame.moment.clip_sha256 in paths
    ]
    return tuple(entry for entry in found if entry is not None)


def _clip_frame_entry(frame: Frame, path: Trajectory) -> CameraEntry | None:
    moment = frame.moment
    pose = None if moment is None else pose_at(path, moment.shot, moment.time_s)
    if moment is None or pose is None:
        return None
    camera = path.camera_of(moment.shot)
    by = {
        PoseSource.TELEMETRY: "located from telemetry only",
        PoseSource.RESECTED: "located by hand",
    }
    spread = _known(pose.pose.covariance_m2)
    variances = [pose.covariance[axis][axis] for axis in range(3)]
    return CameraEntry(
        name=frame.name,
        sha256=frame.sha256,
        registered=True,
        reason=f"{by.get(pose.source, 'interpolated between two frames')}; not used for the map",
        width_px=camera.width_px,
        height_px=camera.height_px,
        camera_model=camera.model,
        params=camera.params,
        focal_px=camera.focal_px,
        rotation_cam_from_world=pose.pose.rotation_cam_from_world,
        position_m=pose.pose.position_m,
        position_sigma_m=(math.sqrt(variances[0]), math.sqrt(variances[1]), math.sqrt(variances[2]))
        if spread
        else None,
        position_covariance_m2=spread,
        clip=moment.clip_name,
        clip_sha256=moment.clip_sha256,
        time_s=str(moment.time_s),
        shot=moment.shot,
        position_covariance=spread,
        ce90_m=ce90_in_middle_m(pose.pose, pose.covariance, camera, path.ground_m, GROUND_SIGMA_M),
        source=pose.source.value,
    )


def _source_of(placed: PlacedFrame) -> PoseSource:
    is_registered = placed.frame.is_registered
    return PoseSource.REGISTERED if is_registered else PoseSource.RECONSTRUCTION


def _on_the_globe(placed: PlacedFrame) -> Matrix6 | None:
    """Covariance for looking at the case's surface, with the shift that both have in common."""
    if placed.covariance is None or placed.covariance_in_case is None:
        return placed.covariance
    return matrix6(on_own_map(placed.covariance, placed.covariance_in_case))


def _ce90_m(placed: PlacedFrame, camera: Camera, covariance: Matrix6 | None) -> float | None:
    """Of the ground in the middle of the picture, which the map knows, at the level it sees."""
    level_m = float(np.mean(placed.ground_m))
    return ce90_in_middle_m(placed.pose, covariance, camera, level_m, SURFACE_SIGMA_M)


def position_sigma_m(placed: PlacedFrame) -> Vector3 | None:
    """One standard deviation east, north and up; None where the covariance is not known."""
    variances = [placed.pose.covariance_m2[axis][axis] for axis in range(3)]
    if not all(math.isfinite(variance) and variance >= 0 for variance in variances):
        return None
    east, north, up = (math.sqrt(variance) for variance in variances)
    return east, north, up


def _known(covariance_m2: Matrix3) -> Matrix3 | None:
    return covariance_m2 if np.isfinite(covariance_m2).all() else None


def _entry(item: dict[str, Any]) -> CameraEntry:
    known = {field.name for field in fields(CameraEntry)}
    return CameraEntry(**{key: _frozen(value) for key, value in item.items() if key in known})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _check(entry: CameraEntry, path: Path) -> None:
    if not entry.registered:
        return
    rotation = np.asarray(entry.rotation_cam_from_world, float)
    if rotation.shape != (3, 3) or not _is_rotation(rotation):
        raise CaseError(
            f"{path}: the rotation of {entry.name} is not a rotation; "
            "delete the file and run `aftermap map` again to recreate it"
        )


def _is_rotation(matrix: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    straight = np.allclose(matrix @ matrix.T, np.eye(3), atol=ROTATION_TOLERANCE)
    return bool(straight and abs(np.linalg.det(matrix) - 1) < ROTATION_TOLERANCE)
