"""The readout time of rolling shutters: held at a table's value, estimated, or none.

In the adjustment it is one unknown a camera (decision 0010). A recorded value is used where the
pictures fit better with it than with a global shutter: many flights stop for each picture. It is
held against them as the recorded focal length is: what they say counts at a fraction of its formal
weight, the trust factor. Where nothing is recorded, what they say is used only where it stands out
from its error, is not another unknown in disguise, and is a time that shutters take. Otherwise the
shutter is taken to be a global one, and nothing changes.
"""

from dataclasses import dataclass, replace

import numpy as np

from aftermap.geo.arrays import Array, BoolArray
from aftermap.model.camera import Readout, ReadoutSource
from aftermap.sfm.block import BundleBlock, adjust_with_outlier_rejection
from aftermap.sfm.bundle import HELD, Adjusted, adjust_bundle, block_covariance
from aftermap.sfm.projection_kernel import LENS, POSE, READOUT

TRIED = 30
FREE_S = 0.1
"""Sigma of a readout time that is to be found: no shutter takes longer."""
SURE_SIGMAS = 5.0
"""An estimate less sure than this, in stated sigmas, is not used."""
APART_SIGMAS = 3.0
"""A recorded time that the photographs contradict by more than this is not used."""
FOCAL, K1 = 0, 3
ALIKE = 0.9
"""Correlated with the focal length or k1 by more than this, it is one of them in disguise."""
LEAST_S, MOST_S = 0.003, 0.12
"""What rolling shutters of cameras that fly take."""
MOST_IN_CLIP_S = 1 / 24
"""A row of a film is read before the next picture begins."""
CLOCK_S = 0.41
"""Sigma of the time between two photographs whose clock tells whole seconds (1 / sqrt 6)."""
MIN_MOVING = 6
"""Frames of a camera whose motion must be known for its shutter to be seen."""


@dataclass(frozen=True, kw_only=True)
class Shutter:
    """What became of one camera's shutter.

    ``factor`` is by how much the formal sigma of its readout time is taken to be too small,
    ``clock_fraction`` what the clock of its photographs leaves open of the speed, and so of it.
    """

    source: ReadoutSource
    decision: str
    factor: float
    clock_fraction: float

    def sigma_s(self, readout_s: float, formal_s: float) -> float:
        """The stated sigma of a readout time with this formal one."""
        return float(np.hypot(self.factor * formal_s, self.clock_fraction * readout_s))


NOT_ASKED = Shutter(
    source=ReadoutSource.NONE,
    decision="global shutter assumed: not estimated",
    factor=1.0,
    clock_fraction=0.0,
)


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the photographs alone say: seconds, the stated sigma, the largest correlation."""

    readout_s: float
    sigma_s: float
    correlation: float


def adjust_with_shutters(
    whole: BundleBlock, block: BundleBlock, estimate: Adjusted, factor: float
) -> tuple[BundleBlock, Adjusted, tuple[Shutter, ...]]:
    """A block adjusted with global shutters, then with those that its pictures bear out.

    It is the one that was given where they bear out none. What is said of each camera comes last.
    ``whole`` is the block with all its tie points, before it was adjusted: what a rolling shutter
    moved farthest was taken for gross errors, so that it is asked for again with all of them.
    """
    asked = _moving(block) & ~np.array([_is_global(one) for one in _recorded(block)])
    said = _told(block, asked, factor)
    chosen = _chosen(block, said, factor)
    if any(_rolls(one, shutter) for one, shutter in zip(said, chosen, strict=True)):
        kept = block, estimate
        block, estimate = adjust_with_outlier_rejection(_holding(whole, *_free(said, chosen)))
        said = _told(block, asked, factor)
        chosen = _chosen(block, said, factor)
        if not any(_rolls(one, shutter) for one, shutter in zip(said, chosen, strict=True)):
            return *kept, chosen
        if any(shutter.source is not ReadoutSource.ESTIMATED for shutter in chosen):
            block, estimate = adjust_with_outlier_rejection(
                _holding(block, *_held(block, said, chosen)), rounds=1
            )
    return block, estimate, chosen


def _chosen(block: BundleBlock, said: list[_Told | None], factor: float) -> tuple[Shutter, ...]:
    shutters = []
    for k, (recorded, told) in enumerate(zip(_recorded(block), said, strict=True)):
        most_s = MOST_IN_CLIP_S if _is_clip(block, k) else MOST_S
        source, decision = _decision(recorded, told, most_s=most_s)
        clock = _clock_fraction(block, k)
        shutters.append(
            Shutter(source=source, decision=decision, factor=factor, clock_fraction=clock)
        )
    return tuple(shutters)


def _rolls(told: _Told | None, shutter: Shutter) -> bool:
    return told is not None and shutter.source is not ReadoutSource.NONE


def _free(said: list[_Told | None], chosen: tuple[Shutter, ...]) -> tuple[Array, Array]:
    """(K,) readout times to start from, and their sigmas: those that roll are to be found."""
    rolls = np.array([_rolls(one, shutter) for one, shutter in zip(said, chosen, strict=True)])
    starts_s = np.array([0.0 if one is None else one.readout_s for one in said])
    return np.where(rolls, starts_s, 0.0), np.where(rolls, FREE_S, HELD)


def _held(
    block: BundleBlock, said: list[_Told | None], chosen: tuple[Shutter, ...]
) -> tuple[Array, Array]:
    """The same, those of a table held at it."""
    readouts_s, sigmas_s = _free(said, chosen)
    for k, (recorded, shutter) in enumerate(zip(_recorded(block), chosen, strict=True)):
        if recorded is not None and shutter.source is ReadoutSource.TABLE:
            readouts_s[k] = recorded.readout_s
            sigmas_s[k] = max(recorded.sigma_s / shutter.factor, HELD)
    return readouts_s, sigmas_s


def _recorded(block: BundleBlock) -> list[Readout | None]:
    """What a table says of each camera's shutter."""
    first = {frame.camera_key: frame.readout for frame in reversed(block.frames)}
    return [first[key] for key in block.camera_keys]


def _is_global(recorded: Readout | None) -> bool:
    return recorded is not None and recorded.readout_s == 0


def _is_clip(block: BundleBlock, camera: int) -> bool:
    key = block.camera_keys[camera]
    return any(f.moment is not None for f in block.frames if f.camera_key == key)


def _clock_fraction(block: BundleBlock, camera: int) -> float:
    """What a clock of whole seconds leaves open of a camera's speed; clips have exact times."""
    course, own = block.state.course, block.state.camera_of == camera
    intervals_s = course.interval_s[own & (course.interval_s > 0)]
    if _is_clip(block, camera) or not len(intervals_s):
        return 0.0
    return float(CLOCK_S / np.median(intervals_s))


def _moving(block: BundleBlock) -> BoolArray:
    """(K,) whether the velocity of enough frames of a camera is known."""
    own = block.state.camera_of[block.state.course.interval_s > 0]
    return np.asarray(np.bincount(own, minlength=len(block.camera_keys)) >= MIN_MOVING)


def _holding(block: BundleBlock, readouts_s: Array, sigmas_s: Array) -> BundleBlock:
    """The block with other readout times, and held to them by these sigmas."""
    lenses, known, sigma = (
        values.copy()
        for values in (block.state.lenses, block.knowns.lenses, block.knowns.lens_sigma)
    )
    lenses[:, READOUT], known[:, READOUT], sigma[:, READOUT] = readouts_s, readouts_s, sigmas_s
    return replace(
        block,
        state=block.state._replace(lenses=lenses),
        knowns=replace(block.knowns, lenses=known, lens_sigma=sigma),
    )


def _told(block: BundleBlock, asked: BoolArray, factor: float) -> list[_Told | None]:
    """What the photographs say of the shutters that are asked for, if nothing else were known.

    The focal length is as free as its record is unsure, so that the two can be told apart.
    """
    if not asked.any():
        return [None] * len(asked)
    freed = _holding(
        block, np.where(asked, 0.0, block.state.lenses[:, READOUT]), np.where(asked, FREE_S, HELD)
    )
    first = {frame.camera_key: frame.focal_sigma_px for frame in reversed(block.frames)}
    sigma = freed.knowns.lens_sigma.copy()
    sigma[asked, 0] = [
        first[key] for key, is_asked in zip(block.camera_keys, asked, strict=True) if is_asked
    ]
    knowns = replace(freed.knowns, lens_sigma=sigma)
    found = adjust_bundle(
        freed.state, block.sights, block.sigma_px, knowns, iterations=TRIED, tolerance=1e-9
    )
    covariance = block_covariance(found, block.sights, block.sigma_px, knowns)
    told: list[_Told | None] = [None] * len(asked)
    for k in np.flatnonzero(asked):
        own = POSE * len(block.frames) + LENS * int(k) + np.array([READOUT, FOCAL, K1])
        told[k] = _one_told(
            float(found.state.lenses[k, READOUT]),
            covariance[np.ix_(own, own)],
            factor,
            _clock_fraction(block, int(k)),
        )
    return told


def _one_told(readout_s: float, covariance: Array, factor: float, clock_fraction: float) -> _Told:
    """From the (3, 3) covariance of readout time, focal length and k1."""
    sigmas = np.sqrt(np.diag(covariance))
    correlations = covariance[0, 1:] / np.maximum(sigmas[0] * sigmas[1:], 1e-300)
    return _Told(
        readout_s=readout_s,
        sigma_s=float(np.hypot(factor * sigmas[0], clock_fraction * readout_s)),
        correlation=float(np.abs(correlations).max()),
    )


def _decision(
    recorded: Readout | None, told: _Told | None, *, most_s: float
) -> tuple[ReadoutSource, str]:
    if recorded is not None and _is_global(recorded):
        return ReadoutSource.TABLE, f"global shutter from the camera database ({recorded.basis})"
    table = "not in the camera database"
    if recorded is not None:
        table = (
            f"{_ms(recorded.readout_s, recorded.sigma_s)} from the camera database "
            f"({recorded.basis})"
        )
    if told is None:
        why = "the motion of the camera during exposure is not known"
        return ReadoutSource.NONE, f"global shutter assumed: {table}, and {why}"
    said = f"the images alone give {_ms(told.readout_s, told.sigma_s)}"
    fits = recorded is not None and told.readout_s > recorded.readout_s / 2
    if recorded is not None and fits and not _is_against(recorded, told):
        return ReadoutSource.TABLE, f"{table}; {said}"
    if _is_sure(told, most_s):
        return ReadoutSource.ESTIMATED, f"estimated: {said}; {table}"
    why = "which is not significant"
    if recorded is not None:
        why = "and the fit is better with a static camera"
    return ReadoutSource.NONE, f"global shutter assumed: {table}; {said}, {why}"


def _is_sure(told: _Told, most_s: float) -> bool:
    stands_out = told.readout_s > SURE_SIGMAS * told.sigma_s and told.correlation < ALIKE
    return stands_out and LEAST_S < told.readout_s < most_s


def _is_against(recorded: Readout, told: _Told) -> bool:
    apart_s = abs(told.readout_s - recorded.readout_s)
    return bool(apart_s > APART_SIGMAS * np.hypot(told.sigma_s, recorded.sigma_s))


def _ms(value_s: float, sigma_s: float | None = None) -> str:
    digits = 1 if sigma_s is None or sigma_s < 0.01 else 0
    spread = "" if sigma_s is None else f" ± {1000 * sigma_s:.{digits}f}"
    return f"{1000 * value_s:.{digits}f}{spread} ms"
