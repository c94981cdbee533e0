"""The readout time of rolling shutters: held at a table's value, estimated, or none.

In the adjustment it is one unknown a camera (decision 0010). The recorded value, if there is one,
is held against the photographs as the recorded focal length is: what they say counts at a fraction
of its formal weight, the trust factor. Where nothing is recorded, the time is estimated, and used
only where it stands out from its error, is not another unknown in disguise, and is one that
shutters have; otherwise the shutter is taken to be a global one, and nothing changes.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aftermap.model.camera import Readout, ReadoutSource
from aftermap.poses.bundle import HELD, Adjusted, adjusted, covariance_of
from aftermap.poses.bundle_kernel import LENS, POSE, READOUT
from aftermap.poses.group import Block, settled

Array = npt.NDArray[np.float64]

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
MIN_MOVING = 6
"""Frames of a camera whose motion must be known for its shutter to be seen."""


@dataclass(frozen=True, kw_only=True)
class Shutter:
    """What became of one camera's shutter.

    ``factor`` is by how much the formal sigma of its readout time is taken to be too small.
    """

    source: ReadoutSource
    decision: str
    factor: float


NOT_ASKED = Shutter(
    source=ReadoutSource.NONE, decision="taken to be a global shutter: it was not asked", factor=1.0
)


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the photographs alone say: seconds, the stated sigma, the largest correlation."""

    readout_s: float
    sigma_s: float
    correlation: float


def weighed_readouts(block: Block, factor: float) -> Block:
    """The block with every recorded readout time held by its sigma over the factor."""
    lens_sigma = block.knowns.lens_sigma.copy()
    for k, recorded in enumerate(_recorded(block)):
        sigma_s = 0.0 if recorded is None else recorded.sigma_s
        lens_sigma[k, READOUT] = min(max(sigma_s / factor, HELD), lens_sigma[k, READOUT])
    return replace(block, knowns=replace(block.knowns, lens_sigma=lens_sigma))


def decided(
    block: Block, estimate: Adjusted, factor: float
) -> tuple[Block, Adjusted, tuple[Shutter, ...]]:
    """The adjusted block with the shutters that its photographs bear out, and what is said of each.

    It is the block that was given where they bear out what it was adjusted with.
    """
    moving = _moving(block)
    recorded = _recorded(block)
    asked = np.array(
        [
            count >= MIN_MOVING and not _is_global(one)
            for count, one in zip(moving, recorded, strict=True)
        ]
    )
    told = _told(block, asked, factor)
    readouts_s = block.state.lenses[:, READOUT].copy()
    sigmas_s = block.knowns.lens_sigma[:, READOUT].copy()
    shutters = []
    for k, (one, said) in enumerate(zip(recorded, told, strict=True)):
        source, decision = _decision(
            one, said, is_moving=bool(moving[k]), is_clip=_is_clip(block, k)
        )
        shutters.append(Shutter(source=source, decision=decision, factor=factor))
        if source is ReadoutSource.ESTIMATED and said is not None:
            readouts_s[k], sigmas_s[k] = said.readout_s, FREE_S
        elif source is ReadoutSource.NONE:
            readouts_s[k], sigmas_s[k] = 0.0, HELD
    if (readouts_s != block.state.lenses[:, READOUT]).any():
        block, estimate = settled(_holding(block, readouts_s, sigmas_s), rounds=1)
    return block, estimate, tuple(shutters)


def _recorded(block: Block) -> list[Readout | None]:
    """What a table says of each camera's shutter."""
    first = {frame.camera_key: frame.readout for frame in reversed(block.frames)}
    return [first[key] for key in block.camera_keys]


def _is_global(recorded: Readout | None) -> bool:
    return recorded is not None and recorded.readout_s == 0


def _is_clip(block: Block, camera: int) -> bool:
    key = block.camera_keys[camera]
    return any(f.moment is not None for f in block.frames if f.camera_key == key)


def _moving(block: Block) -> npt.NDArray[np.int64]:
    """(K,) frames of each camera whose velocity is known."""
    own = block.state.camera_of[block.state.course.interval_s > 0]
    return np.bincount(own, minlength=len(block.camera_keys))


def _holding(block: Block, readouts_s: Array, sigmas_s: Array) -> Block:
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


def _told(block: Block, asked: npt.NDArray[np.bool_], factor: float) -> list[_Told | None]:
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
    found = adjusted(
        freed.state, block.sights, block.sigma_px, knowns, iterations=TRIED, tolerance=1e-9
    )
    covariance = covariance_of(found, block.sights, block.sigma_px, knowns)
    lens_at = POSE * len(block.frames) + LENS * np.arange(len(asked))
    return [
        _one_told(float(found.state.lenses[k, READOUT]), covariance, int(at), factor)
        if asked[k]
        else None
        for k, at in enumerate(lens_at)
    ]


def _one_told(readout_s: float, covariance: Array, lens_at: int, factor: float) -> _Told:
    own = lens_at + READOUT
    formal_s = float(np.sqrt(covariance[own, own]))
    others = lens_at + np.array([FOCAL, K1])
    spread = np.sqrt(np.diag(covariance)[others]) * formal_s
    correlation = float(np.abs(covariance[own, others] / np.maximum(spread, 1e-300)).max())
    return _Told(readout_s=readout_s, sigma_s=factor * formal_s, correlation=correlation)


def _decision(
    recorded: Readout | None, told: _Told | None, *, is_moving: bool, is_clip: bool
) -> tuple[ReadoutSource, str]:
    most_s = MOST_IN_CLIP_S if is_clip else MOST_S
    said = "" if told is None else f"the pictures alone say {_ms(told.readout_s, told.sigma_s)}"
    if recorded is not None:
        return _against_table(recorded, told, said, is_moving=is_moving, most_s=most_s)
    if told is None:
        why = "nothing tells how the camera moved while it took the pictures"
    elif _is_sure(told, most_s):
        return ReadoutSource.ESTIMATED, f"in no table, so estimated: {said}"
    else:
        why = f"{said}, which is not firm enough"
    return ReadoutSource.NONE, f"in no table, and {why}: taken to be a global shutter"


def _against_table(
    recorded: Readout, told: _Told | None, said: str, *, is_moving: bool, most_s: float
) -> tuple[ReadoutSource, str]:
    """What to make of a recorded readout time, beside what the pictures say."""
    if _is_global(recorded):
        return ReadoutSource.TABLE, f"all rows at once, by a table ({recorded.basis})"
    table = f"{_ms(recorded.readout_s, recorded.sigma_s)} by a table ({recorded.basis})"
    if not is_moving:
        why = "nothing tells how the camera moved while it took the pictures"
        return ReadoutSource.NONE, f"{table}, but {why}: taken to be a global shutter"
    if told is None or not _is_against(recorded, told):
        return ReadoutSource.TABLE, f"{table}; {said}" if said else table
    if _is_sure(told, most_s):
        return ReadoutSource.ESTIMATED, f"estimated: {said}, against {table}"
    why = "taken to be a global shutter, or a camera that stood still for each picture"
    return ReadoutSource.NONE, f"{why}: {said}, against {table}"


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
