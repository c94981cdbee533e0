"""Pairwise matches -> tracks: one point of the scene, the frames that see it and where."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aftermap.geo.arrays import Int32Array
from aftermap.imaging.matching_kernel import track_labels
from aftermap.sfm.pair_matches import PairMatches


@dataclass(frozen=True, kw_only=True)
class Tracks:
    """Observations sorted by track: ``start`` (T + 1,), ``frame`` (M,), ``feature`` (M,)."""

    start: Int32Array
    frame: Int32Array
    feature: Int32Array

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def track(self) -> Int32Array:
        """(M,) which track each observation belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.start))


def tracks_of(pairs: Sequence[PairMatches], feature_counts: Sequence[int]) -> Tracks:
    """Chains of matches, the most alike joined first; a frame sees a track at one feature only."""
    offset = np.concatenate([[0], np.cumsum(feature_counts)]).astype(np.int64)
    if not pairs:
        return Tracks(start=np.zeros(1, np.int32), frame=_none(), feature=_none())
    a = np.concatenate([offset[p.first] + p.matches[:, 0] for p in pairs])
    b = np.concatenate([offset[p.second] + p.matches[:, 1] for p in pairs])
    best_first = np.argsort(np.concatenate([p.distance for p in pairs]), kind="stable")
    frame_of = np.repeat(np.arange(len(feature_counts)), np.diff(offset))
    label = track_labels(a[best_first], b[best_first], frame_of)
    used = np.unique(np.concatenate([a, b]))
    used = used[np.bincount(label[used], minlength=len(label))[label[used]] >= 2]
    return tracks_from(label[used], frame_of[used], used - offset[frame_of[used]])


def tracks_from(chain: npt.ArrayLike, frame: npt.ArrayLike, feature: npt.ArrayLike) -> Tracks:
    """Tracks from one label per observation, in any order; labels are renumbered from 0."""
    chain, frame, feature = (np.asarray(values) for values in (chain, frame, feature))
    order = np.lexsort((frame, chain))
    _, counts = np.unique(chain, return_counts=True)
    start = np.concatenate([[0], np.cumsum(counts)])
    return Tracks(
        start=start.astype(np.int32),
        frame=frame[order].astype(np.int32),
        feature=feature[order].astype(np.int32),
    )


def thinned_tracks(tracks: Tracks, per_frame: int) -> Tracks:
    """The longest tracks, as many as give every frame ``per_frame`` observations if it has them."""
    seen = np.zeros(tracks.frame.max(initial=0) + 1, np.int64)
    kept = np.zeros(len(tracks), bool)
    for t in np.argsort(-np.diff(tracks.start), kind="stable"):
        frames = tracks.frame[tracks.start[t] : tracks.start[t + 1]]
        if (seen[frames] < per_frame).any():
            seen[frames] += 1
            kept[t] = True
    stays = kept[tracks.track]
    return tracks_from(tracks.track[stays], tracks.frame[stays], tracks.feature[stays])


def _none() -> Int32Array:
    return np.zeros(0, np.int32)
