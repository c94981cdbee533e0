"""The clips of a case that have a place -> their paths, what they saw, and the copies to play."""

from dataclasses import replace

from aftermap.media import Ingested
from aftermap.model.camera import Reconstruction
from aftermap.model.runs import Skipped, SkipReason
from aftermap.model.sighting import SightingIndex
from aftermap.publish import ClipFacts
from aftermap.workflows.clips import Filmed, proxies, sightings
from aftermap.workflows.job import Job
from aftermap.workflows.trajectories import MapPlace, Trajectories, by_hand_in, flights_of


def index_footage(
    job: Job,
    received: Ingested,
    clips: Filmed,
    cameras: Reconstruction,
    place: MapPlace | None,
) -> tuple[tuple[ClipFacts, ...], Trajectories]:
    """Where the cameras of the clips were and what they saw, kept in the record and told."""
    if not clips.clips:
        return (), Trajectories(paths=())
    flights, seen = Trajectories(paths=()), SightingIndex(clips=())
    if place is not None:
        by_hand = by_hand_in(job.case)
        flights = flights_of(place, clips.clips, clips.footage.clips, cameras, by_hand)
        seen = sightings(flights.paths, clips.clips, place.ground, job.run, job.executor)
    told_before = {one.name for one in clips.skipped if one.code is SkipReason.NOT_LOCATED}
    others = tuple(one for one in flights.skipped if one.name not in told_before)
    flights = replace(flights, skipped=others)
    unseen = _without_place(clips, flights)
    job.run.skip((*flights.skipped, *unseen))
    job.case.replace_clips(replace(seen, skipped=(*seen.skipped, *_unindexed(clips, seen))))
    if job.settings.proxies:
        proxies(clips.clips, received.stored, job.run, job.executor)
    paths = {one.clip_sha256: one for one in flights.paths}
    indexes = {one.clip_sha256: one for one in seen.clips}
    told = tuple(
        ClipFacts(
            clip=clip,
            shots=len(taken.shots),
            frames=len(taken.frames),
            path=paths.get(clip.sha256),
            index=indexes.get(clip.sha256),
        )
        for clip, taken in zip(clips.clips, clips.footage.clips, strict=True)
    )
    return told, replace(flights, skipped=(*flights.skipped, *seen.skipped, *unseen))


def _unindexed(clips: Filmed, seen: SightingIndex) -> tuple[Skipped, ...]:
    """The clips of this run that an earlier one may have indexed and this one has not."""
    there = {one.clip_sha256 for one in seen.clips}
    return tuple(
        Skipped(name=clip.name, reason="not indexed", sha256=clip.sha256)
        for clip in clips.clips
        if clip.sha256 not in there
    )


def _without_place(clips: Filmed, flights: Trajectories) -> tuple[Skipped, ...]:
    """The clips of which no moment has a place, and that nothing was said of yet."""
    told = {path.clip_sha256 for path in flights.paths} | {one.sha256 for one in flights.skipped}
    reason = "it was reconstructed without scale or position, so its footprints are not known"
    return tuple(
        Skipped(name=clip.name, reason=reason, sha256=clip.sha256)
        for clip in clips.clips
        if clip.sha256 not in told
    )
