"""The poses of a clip -> its seconds, each with the moments to look at.

A second is a whole second of the clip's own clock within one shot, cut at the first and the last
pose of a stretch: footage between two poses too far apart is not located, and nothing is claimed.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise

import numpy as np

from aftermap.geo.pose_interpolation import is_bridged, pose_between
from aftermap.model.trajectory import ClipPose, Trajectory


@dataclass(frozen=True, kw_only=True)
class Second:
    """One second of a shot: from and to on the clip's clock, and the poses within, in order."""

    shot: int
    from_s: Fraction
    to_s: Fraction
    poses: tuple[ClipPose, ...]
    is_filled_in: bool = False

    def best_spread(self, count: int) -> tuple[ClipPose, ...]:
        """At most so many of the poses, spread over the second."""
        if len(self.poses) <= count:
            return self.poses
        chosen = np.linspace(0, len(self.poses) - 1, count).round().astype(int)
        return tuple(self.poses[i] for i in chosen)

    @property
    def middle(self) -> ClipPose:
        """The pose in the middle of the second."""
        return self.poses[len(self.poses) // 2]


def seconds_of(path: Trajectory) -> tuple[Second, ...]:
    """Every second of which a pose is known or can be filled in, in order of time."""
    ordered = sorted(path.poses, key=lambda pose: (pose.shot, pose.time_s))
    return tuple(second for stretch in _stretches(ordered) for second in _seconds_in(stretch))


def _stretches(ordered: Sequence[ClipPose]) -> Iterator[list[ClipPose]]:
    """Poses of one shot, cut where two are too far apart to fill in between."""
    for _, shot in groupby(ordered, key=lambda pose: pose.shot):
        poses = list(shot)
        breaks = [i for i, (a, b) in enumerate(pairwise(poses), 1) if not is_bridged(a, b)]
        for start, end in pairwise([0, *breaks, len(poses)]):
            yield poses[start:end]


def _seconds_in(stretch: list[ClipPose]) -> Iterator[Second]:
    first, last = stretch[0].time_s, stretch[-1].time_s
    by_second: dict[int, list[ClipPose]] = {}
    for pose in stretch:
        by_second.setdefault(math.floor(pose.time_s), []).append(pose)
    following = 0
    for whole in range(math.floor(first), math.floor(last) + 1):
        poses = by_second.get(whole, [])
        following += len(poses)
        filled_in = not poses
        if filled_in:
            ends = stretch[following - 1], stretch[following]
            poses = [pose_between(*ends, whole + Fraction(1, 2))]
        yield Second(
            shot=stretch[0].shot,
            from_s=max(first, Fraction(whole)),
            to_s=min(last, Fraction(whole + 1)),
            poses=tuple(poses),
            is_filled_in=filled_in,
        )
