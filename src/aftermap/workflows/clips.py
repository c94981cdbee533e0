"""The clips of a case: what pipeline.py joins of them, from the file to the path of the camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from aftermap.errors import InputError, NoTelemetryError
from aftermap.frames import (
    ClipFrameOptions,
    ClipFrames,
    Recorded,
    clip_frames,
    given_masks,
    with_found_pose,
    with_given_mask,
    with_recorded_positions,
)
from aftermap.frames.proxy import proxy_of
from aftermap.geo.measured_heights import confidence_beside
from aftermap.localization import shot_place, shot_tasks
from aftermap.media import Ingested, RefusedFootageError, ingest
from aftermap.media.telemetry import track_in
from aftermap.model.camera import Frame
from aftermap.model.clip import Clip, product_name
from aftermap.model.runs import Executor, Skipped, SkipReason, Workspace
from aftermap.model.sighting import Ground, SightingIndex
from aftermap.model.telemetry import Track
from aftermap.model.trajectory import ShotPlace, Trajectory
from aftermap.record import Case
from aftermap.run import Runner, Stage
from aftermap.viewshed import SightingOptions, index_clips
from aftermap.workflows.map_accuracy import map_sigma_m
from aftermap.workflows.stages import MASKS

LONGER_SHARE = 1.5
"""A record this many times as long as the clip, or longer, is of another clip."""


@dataclass(frozen=True, kw_only=True)
class ExtractedFrames:
    """What was taken out of the clips, in their order."""

    clips: tuple[ClipFrames, ...]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The shots without telemetry that were looked for in the reference."""

    shots: tuple[ShotPlace, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """The clips with the telemetry that belongs to them."""

    clips: tuple[Clip, ...]


TRACKS = Stage(name="tracks", version=2, answer=Tracked)
FRAMES = Stage(name="frames", version=1, answer=ExtractedFrames)
REGISTERED = Stage(name="registered", version=4, answer=Registration)
PROXIES = Stage(name="proxies", version=1, answer=ExtractedFrames)
SIGHTINGS = Stage(name="sightings", version=6, answer=SightingIndex)


@dataclass(frozen=True, kw_only=True)
class Filmed:
    """The clips with their tracks, their frames with what was recorded, and what was left out."""

    clips: tuple[Clip, ...]
    footage: ExtractedFrames
    frames: tuple[Recorded, ...]
    skipped: tuple[Skipped, ...]


def ingest_footage(
    paths: Sequence[Path], masks: Path | None, case: Case, run: Runner, executor: Executor
) -> Ingested:
    """What is given, hashed, kept and recorded; also where it is refused, since the case has it."""
    try:
        received = run.each_time("photographs", lambda: ingest(paths, case.store, executor, masks))
    except RefusedFootageError as refused:
        _record(refused.received, case)
        raise
    _record(received, case)
    case.add_masks({one.sha256: received.masks.get(one.sha256) for one in received.originals})
    run.skip(received.skipped)
    return received


def _record(received: Ingested, case: Case) -> None:
    sidecars = [one for some in received.sidecars.values() for one in some]
    case.add_media(received.originals, received.skipped, sidecars)


def read_given_masks(ingested: Ingested, run: Runner, executor: Executor) -> dict[str, Path]:
    """What users' masks leave out of photographs and clips, by the SHA-256 of the original.

    Each is made once and stays, whichever others come and go.
    """
    if not ingested.masks:
        return {}
    cache = run.item_cache(MASKS, None)
    return run.each_time(
        "masks", lambda: given_masks(ingested.originals, ingested.masks, cache, executor)
    )


def read_clips(
    ingested: Ingested, masks: Mapping[str, Path], run: Runner, executor: Executor
) -> Filmed:
    """Tracks read, shots found and frames chosen for every clip that came in."""
    if not ingested.clips:
        return Filmed(clips=(), footage=ExtractedFrames(clips=()), frames=(), skipped=())
    clips, skipped = _read_tracks(ingested)
    run.stage(TRACKS, None, [clips], lambda _: Tracked(clips=clips))  # for later commands
    options = ClipFrameOptions()
    footage = run.stage(
        FRAMES,
        options,
        [clips],
        lambda files: _choose_frames(clips, ingested, options, files, executor),
    )
    frames = [
        one
        for clip, taken in zip(clips, footage.clips, strict=True)
        for one in with_recorded_positions(_masked(taken, masks.get(clip.sha256), run), clip.track)
    ]
    left_out = [one for taken in footage.clips for one in taken.skipped]
    return Filmed(clips=clips, footage=footage, frames=tuple(frames), skipped=(*skipped, *left_out))


def _masked(taken: ClipFrames, given: Path | None, run: Runner) -> tuple[Frame, ...]:
    """The frames of a clip without what its own mask leaves out of all of them."""
    return (
        taken.frames
        if given is None
        else with_given_mask(taken.frames, given, run.item_cache(MASKS, None))
    )


def locate_in_reference(
    filmed: Filmed, reference: Path | None, dem: Path | None, run: Runner, executor: Executor
) -> Registration:
    """The shots of clips without positions, as far as the reference shows where they were.

    Raises InputError where the reference has no heights beside it.
    """
    without = [one.frame for one in filmed.frames if one.geotag is None]
    if reference is None or not without:
        return Registration()
    surface = dem or reference.with_name("surface.tif")
    if not surface.exists():
        raise InputError(
            f"{reference}: needs an elevation model; give one with --dem (there is no "
            f"{surface.name} beside it)"
        )
    sigma_m = map_sigma_m(reference)
    tasks = shot_tasks(without, reference, surface, sigma_m)
    return run.stage(
        REGISTERED,
        None,
        [
            [(frame.sha256, frame.mask) for frame in without],
            reference,
            surface,
            confidence_beside(surface),
            sigma_m,
        ],
        lambda _: Registration(shots=tuple(executor.map(shot_place, tasks, label="shots"))),
    )


def with_places(filmed: Filmed, registration: Registration) -> Filmed:
    """The frames of registered shots with the place that was found; those of lost shots left out.

    A shot that the reference does not show could still be tied to another by a few wrong matches,
    and then be placed wrongly with a good conscience. It is named instead, with the reason.
    """
    places = {
        (shot.clip_sha256, pose.time_s): pose for shot in registration.shots for pose in shot.poses
    }
    lost = {(shot.clip_sha256, shot.shot): shot for shot in registration.shots if shot.reason}
    crs = {(one.clip_sha256, one.shot): one.crs for one in registration.shots if not one.reason}
    frames = []
    for one in filmed.frames:
        moment = one.frame.moment
        shot = None if moment is None else (moment.clip_sha256, moment.shot)
        if moment is not None and shot in crs:
            pose = places.get((moment.clip_sha256, moment.time_s))
            frames.append(with_found_pose(one.frame, pose, crs[shot]))
        elif shot not in lost:
            frames.append(one)
    skipped = [
        Skipped(
            name=f"{shot.clip_name}, shot {shot.shot + 1}",
            sha256=shot.clip_sha256,
            reason=f"not located: {shot.reason}",
            code=SkipReason.NOT_LOCATED,
        )
        for shot in lost.values()
    ]
    return replace(filmed, frames=tuple(frames), skipped=(*filmed.skipped, *skipped))


def sightings(
    paths: Sequence[Trajectory],
    clips: Sequence[Clip],
    ground: Ground,
    run: Runner,
    executor: Executor,
) -> SightingIndex:
    """What every second of every clip saw of the ground."""
    options = SightingOptions()
    seen = run.stage(
        SIGHTINGS,
        options,
        [paths, clips, ground, measured_by(ground)],
        lambda files: index_clips(paths, clips, ground, files, executor, options),
    )
    run.skip(seen.skipped)
    deliver_clips(seen, run)
    return seen


def measured_by(ground: Ground) -> Path | None:
    """What says which heights of the ground were measured; None where it is no map of Aftermap."""
    return None if ground.path is None else confidence_beside(ground.path)


def deliver_clips(seen: SightingIndex, run: Runner) -> None:
    """The footprints and the STAC item of every clip, under their public names."""
    for file in (name for one in seen.clips for name in (one.footprints, one.item)):
        run.deliver(file, f"clips/{Path(file).name}")


def proxies(
    clips: Sequence[Clip], stored: Mapping[str, Path], run: Runner, executor: Executor
) -> None:
    """A small copy of every clip for playing, made once; one that cannot be made is told."""
    cache = run.item_cache(PROXIES, None)
    work = partial(_copy_clip, stored=dict(stored), files=cache)
    made = run.each_time("proxies", lambda: list(executor.map(work, clips, label="copies")))
    run.skip(one for one in made if isinstance(one, Skipped))
    for clip, copy in zip(clips, made, strict=True):
        if isinstance(copy, Path):
            run.deliver(copy, f"clips/{product_name(clip.name, clip.sha256)}.mp4")


def _copy_clip(clip: Clip, stored: Mapping[str, Path], files: Workspace) -> Path | Skipped:
    try:
        return proxy_of(clip, stored[clip.sha256], files)
    except InputError as error:
        reason = str(error).removeprefix(f"{clip.name}: ")
        return Skipped(name=clip.name, reason=f"no playback copy: {reason}", sha256=clip.sha256)


def _choose_frames(
    clips: Sequence[Clip],
    ingested: Ingested,
    options: ClipFrameOptions,
    files: Workspace,
    executor: Executor,
) -> ExtractedFrames:
    work = partial(_taken_out, stored=dict(ingested.stored), options=options, files=files)
    return ExtractedFrames(clips=tuple(executor.map(work, clips, label="clips")))


def _taken_out(
    clip: Clip, stored: Mapping[str, Path], options: ClipFrameOptions, files: Workspace
) -> ClipFrames:
    return clip_frames(clip, stored[clip.sha256], options, files)


def _read_tracks(ingested: Ingested) -> tuple[tuple[Clip, ...], tuple[Skipped, ...]]:
    """The clips with the telemetry that belongs to them, and the records that were not used."""
    clips, skipped = [], []
    for clip in ingested.clips:
        track = None
        for sidecar in ingested.sidecars.get(clip.sha256, ()):
            found = _read_track(sidecar.path, sidecar.name, sidecar.sha256, clip)
            if isinstance(found, Skipped):
                skipped.append(found)
            elif track is None:
                track = found
            else:
                reason = f"{clip.name} already has telemetry from {track.name}"
                skipped.append(Skipped(name=sidecar.name, reason=reason, sha256=sidecar.sha256))
        if track is None:
            inside = _read_track(ingested.stored[clip.sha256], clip.name, clip.sha256, clip)
            if not isinstance(inside, Skipped):
                track = inside
            elif inside.code is not SkipReason.NO_TELEMETRY:
                skipped.append(replace(inside, name=f"{clip.name}, embedded telemetry"))
        skipped += [] if track is None else _refused_records(track)
        clips.append(replace(clip, track=track))
    return tuple(clips), tuple(skipped)


def _refused_records(track: Track) -> list[Skipped]:
    """What a record holds and was not believed, each kind with its reason."""
    refused = [
        Skipped(name=f"{track.name}, {one.name}", reason=one.reason, sha256=track.sha256)
        for one in track.refused
    ]
    if not any(sample.lonlat_deg for sample in track.samples):
        reason = "has times but no valid positions, so it locates nothing"
        refused.append(Skipped(name=track.name, reason=reason, sha256=track.sha256))
    return refused


def _read_track(path: Path, name: str, sha256: str, clip: Clip) -> Track | Skipped:
    """The telemetry in a file, or why it says nothing about this clip."""
    try:
        track = track_in(path, name=name, sha256=sha256)
    except InputError as error:
        code = SkipReason.NO_TELEMETRY if isinstance(error, NoTelemetryError) else None
        reason = str(error).removeprefix(f"{name}: ")
        return Skipped(name=name, reason=reason, sha256=sha256, code=code)
    ends = track.samples[:1] + track.samples[-1:]
    span_s = ends[-1].time_s - ends[0].time_s if ends else Fraction(0)
    if span_s > LONGER_SHARE * clip.duration_s + 5:
        reason = (
            f"its telemetry lasts {float(span_s):.0f} s and {clip.name} "
            f"{float(clip.duration_s):.0f} s, so it belongs to another clip; give the matching "
            "file"
        )
        return Skipped(name=name, reason=reason, sha256=sha256)
    return track
