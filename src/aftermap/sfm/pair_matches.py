"""Features -> verified matches: mutual nearest RootSIFT, then one epipolar geometry per pair.

The largest features are compared blindly (Wu 2013, preemptive matching): they tell whether two
photographs see the same ground for a fraction of the cost of comparing all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from aftermap.geo.arrays import Float32Array, IndexArray, Int32Array
from aftermap.imaging.features import Features, load_features, unit
from aftermap.imaging.matching import EPIPOLAR_SHARE, guided_matches, mutual_matches, one_geometry
from aftermap.model.camera import Frame, FrameSet
from aftermap.model.runs import Executor
from aftermap.sfm.options import PoseOptions
from aftermap.sfm.pairs import (
    all_pairs,
    pairs_by_position,
    pairs_by_vote,
    pairs_in_sequence,
    voters_per_frame,
)


@dataclass(frozen=True, kw_only=True)
class PairMatches:
    """Matched features of two frames: (M, 2) indices into their feature files, and how alike.

    ``distance`` (M,) float32 is between unit descriptors: 0 is the same.
    """

    first: int
    second: int
    matches: Int32Array
    distance: Float32Array


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One frame against several others, done by one worker."""

    first: int
    seconds: tuple[int, ...]


def matches_of(
    frame_set: FrameSet, features: Mapping[str, Path], options: PoseOptions, executor: Executor
) -> tuple[PairMatches, ...]:
    """Verified matches of every pair of frames that sees the same ground."""
    frames = frame_set.frames
    pairs = _candidates(frames, features, options, executor)
    work = partial(_verify_pairs, frames=frames, features=features, count=options.coarse_features)
    found = [m for row in executor.map(work, _jobs(pairs), label="pairs") for m in row]
    loose = _loosely_tied(found, len(frames))
    tried = {(int(i), int(j)) for i, j in pairs}
    more = _second_round(loose, frames, features, options, executor) - tried
    if more:
        work = partial(_verify_pairs, frames=frames, features=features, count=options.features)
        again = _jobs(np.array(sorted(more), np.int32))
        found += [m for row in executor.map(work, again, label="pairs") for m in row]
    return tuple(found)


def _candidates(
    frames: Sequence[Frame], features: Mapping[str, Path], options: PoseOptions, executor: Executor
) -> Int32Array:
    if len(frames) <= min(options.blind_pairs_below, options.neighbours):
        return all_pairs(len(frames))
    located = sum(f.prior_position_m is not None for f in frames)
    near = pairs_by_position(frames, options)
    following = pairs_in_sequence(frames)
    if located == len(frames) and not len(following):
        return near
    if len(frames) <= options.blind_pairs_below:
        return all_pairs(len(frames))
    # A clip mostly looks ahead: what it shows is not what lies near the camera, so it votes too.
    voted = _vote_pairs(frames, features, options, executor)
    return np.unique(np.concatenate([near, following, voted]), axis=0)


def _vote_pairs(
    frames: Sequence[Frame], features: Mapping[str, Path], options: PoseOptions, executor: Executor
) -> Int32Array:
    """Pairs of frames whose largest features look alike."""
    count = voters_per_frame(len(frames))
    work = partial(_votes, frames=frames, features=features, count=count)
    rows = list(executor.map(work, range(len(frames)), label="pairs"))
    return pairs_by_vote(np.stack(rows), options.neighbours)


def _votes(
    first: int, frames: Sequence[Frame], features: Mapping[str, Path], count: int
) -> Int32Array:
    own = _largest(load_features(features[frames[first].sha256]), count)[1]
    votes = np.zeros(len(frames), np.int32)
    for other in range(first + 1, len(frames)):
        theirs = _largest(load_features(features[frames[other].sha256]), count)[1]
        votes[other] = len(mutual_matches(own, theirs))
    return votes


def _second_round(
    loose: set[int],
    frames: Sequence[Frame],
    features: Mapping[str, Path],
    options: PoseOptions,
    executor: Executor,
) -> set[tuple[int, int]]:
    """Pairs to try with all features, for the frames that the first round left loosely tied."""
    if not loose or len(frames) < 3:
        return set()
    if len(frames) <= options.blind_pairs_below:
        pairs = all_pairs(len(frames))
    else:
        pairs = _vote_pairs(frames, features, options, executor)
    return {(int(i), int(j)) for i, j in pairs if int(i) in loose or int(j) in loose}


def _loosely_tied(found: Sequence[PairMatches], count: int) -> set[int]:
    """Frames with fewer than two verified neighbours, or outside the largest connected group."""
    degree = np.zeros(count, int)
    group = np.arange(count)
    for m in found:
        degree[[m.first, m.second]] += 1
        a, b = group[m.first], group[m.second]
        group[group == max(a, b)] = min(a, b)
    largest = np.bincount(group).argmax() if count else 0
    return {int(i) for i in np.flatnonzero((degree < 2) | (group != largest))}


def _jobs(pairs: Int32Array) -> list[_Job]:
    jobs: dict[int, list[int]] = {}
    for i, j in pairs:
        jobs.setdefault(int(i), []).append(int(j))
    return [_Job(first=i, seconds=tuple(js)) for i, js in jobs.items()]


def _verify_pairs(
    job: _Job, frames: Sequence[Frame], features: Mapping[str, Path], count: int
) -> list[PairMatches]:
    first = load_features(features[frames[job.first].sha256])
    own, own_unit = _largest(first, count)
    found = []
    for j in job.seconds:
        second = load_features(features[frames[j].sha256])
        other, other_unit = _largest(second, count)
        blind = mutual_matches(own_unit, other_unit)
        sides = [max(frames[i].width_px, frames[i].height_px) for i in (job.first, j)]
        guide = one_geometry(
            first.xy_px[own[blind[:, 0]]],
            second.xy_px[other[blind[:, 1]]],
            EPIPOLAR_SHARE * max(sides),
        )
        if guide is not None:
            matches, distance = guided_matches(first, second, guide)
            found.append(PairMatches(first=job.first, second=j, matches=matches, distance=distance))
    return found


def _largest(features: Features, count: int) -> tuple[IndexArray, Float32Array]:
    """Indices and unit descriptors of the features that cover most of the picture."""
    order = np.argsort(-features.scale_px, kind="stable")[:count]
    return order, unit(features.descriptors[order])
