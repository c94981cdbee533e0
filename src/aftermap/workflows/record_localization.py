"""What ``aftermap locate`` found -> the case: poses, ties, index, cameras.json, chain of custody.

The poses are kept in ``products/located/``, one file a clip; a later ``aftermap map`` takes them
from there. Poses of other shots that were located before stay.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aftermap.errors import CaseError
from aftermap.execute import LocalExecutor
from aftermap.model.clip import Clip, Sidecar
from aftermap.model.sighting import SightingIndex
from aftermap.model.trajectory import PoseSource, Trajectory
from aftermap.progress import NoProgress
from aftermap.publish.exchange.cameras import refill_cameras
from aftermap.record import Case
from aftermap.record.artefact import canonical_json, decode_artefact, encode_artefact
from aftermap.record.disk import write_text
from aftermap.run import Runner, Stage
from aftermap.viewshed import SightingOptions, index_clips
from aftermap.workflows.clips import FRAMES, TRACKS, deliver_clips, measured_by
from aftermap.workflows.stages import POSES, SURFACE
from aftermap.workflows.trajectories import LOCATED, by_hand_in, flights_of, mapped_place

INDEXED = Stage(name="located", version=8, answer=SightingIndex)
COMMAND = "aftermap map"


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What the record keeps of the question."""

    clip: str
    clip_sha256: str
    ties: str
    ties_sha256: str


def keep(case_path: Path, path: Trajectory, ties: Path) -> tuple[Path, tuple[str, ...]]:
    """The file of the poses in the case, and what became of them line by line."""
    with Case.create_or_open(case_path) as case:
        stored = case.store.add(ties)
        asked = _Asked(
            clip=path.clip_name,
            clip_sha256=path.clip_sha256,
            ties=ties.name,
            ties_sha256=stored.sha256,
        )
        sidecar = Sidecar(name=ties.name, sha256=stored.sha256, path=stored.path)
        file = case.products / _name_of(path)
        path = _with_earlier(path, file, case, asked)
        progress = NoProgress()
        with Runner(case, command="locate", options=asked, progress=progress) as run:
            case.add_media((), sidecars=[sidecar])
            write_text(file, canonical_json(encode_artefact(path, root=case.path)) + "\n")
            run.deliver(file, _name_of(path))
            case.note(
                "located",
                subject=path.clip_sha256,
                detail={
                    "name": path.clip_name,
                    "ties": asked.ties,
                    "ties_sha256": asked.ties_sha256,
                    "shots": sorted({pose.shot for pose in path.poses}),
                    "poses": len(path.poses),
                },
            )
            known = f"points stored in the case, SHA-256 {stored.sha256}"
            return file, (known, *_index_clip(case, run, path))


def _name_of(path: Trajectory) -> str:
    return f"{LOCATED}/{Path(path.clip_name).stem}-{path.clip_sha256[:8]}.json"


def _with_earlier(path: Trajectory, file: Path, case: Case, asked: _Asked) -> Trajectory:
    """The path with the shots that were located before, if they are in the same coordinates."""
    notes = (*path.notes, f"from {asked.ties}, SHA-256 {asked.ties_sha256}")
    path = replace(path, notes=notes)
    try:
        earlier = decode_artefact(
            Trajectory, json.loads(file.read_text(encoding="utf-8")), root=case.path
        )
    except (OSError, ValueError):
        return path
    new = {pose.shot for pose in path.poses}
    kept = [pose for pose in earlier.poses if pose.shot not in new]
    if not kept or (earlier.crs, earlier.vertical_datum) != (path.crs, path.vertical_datum):
        return path
    cameras = {pose.shot: earlier.camera_of(pose.shot) for pose in kept}
    cameras |= dict(path.shot_cameras)
    poses = sorted((*path.poses, *kept), key=lambda pose: (pose.shot, pose.time_s))
    return replace(
        path,
        poses=tuple(poses),
        shot_cameras=tuple(sorted(cameras.items(), key=lambda c: c[0])),
        notes=tuple(dict.fromkeys((*notes, *earlier.notes))),
    )


def _index_clip(case: Case, run: Runner, path: Trajectory) -> tuple[str, ...]:
    """The clip's rows of the index and its frames in cameras.json made anew, with these poses."""
    clips = {one.sha256: one for one in case.media() if isinstance(one, Clip)}
    if path.clip_sha256 not in clips:
        return (
            f"{path.clip_name} is not a clip of the case; add it with aftermap map to index it",
        )
    try:
        cameras = run.latest_result(POSES, command=COMMAND)
        elevation = run.latest_result(SURFACE, command=COMMAND)
        tracked = run.latest_result(TRACKS, command=COMMAND).clips
        footage = run.latest_result(FRAMES, command=COMMAND).clips
    except CaseError:
        return ("not indexed yet; run aftermap map on the same footage to index these poses",)
    (taken,) = [one for one in footage if one.clip_sha256 == path.clip_sha256]
    (clip,) = [one for one in tracked if one.sha256 == path.clip_sha256]
    place = mapped_place(cameras, elevation)
    flights = flights_of(place, [clip], [taken], cameras, by_hand_in(case))
    run.skip(flights.skipped)
    options = SightingOptions()
    with LocalExecutor(1, progress=NoProgress()) as executor:
        seen = run.stage(
            INDEXED,
            options,
            [flights.paths, clip, place.ground, measured_by(place.ground)],
            lambda files: index_clips(
                flights.paths, [clip], place.ground, files, executor, options
            ),
        )
    case.replace_clips(seen)
    deliver_clips(seen, run)
    listed = refill_cameras(case.products / "cameras.json", cameras, flights.paths, taken.frames)
    run.deliver(case.products / "cameras.json", "cameras.json")
    skipped = (f"{one.name}: {one.reason}" for one in flights.skipped)
    return (*_lines(flights.paths, seen, listed), *skipped)


def _lines(paths: Sequence[Trajectory], seen: SightingIndex, listed: int) -> tuple[str, ...]:
    by_hand = [p.shot for path in paths for p in path.poses if p.source is PoseSource.RESECTED]
    shots = ", ".join(str(shot + 1) for shot in sorted(set(by_hand)))
    told = f"shot {shots} located by hand" if shots else "no shot located by hand"
    seconds = sum(one.segment_count for one in seen.clips)
    return (
        (
            f"index: {seconds} seconds of the clip, {told}; cameras.json: {listed} frames located "
            "without the reconstruction"
        ),
        "the report is updated by the next aftermap map",
    )
