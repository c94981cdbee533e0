"""Witnesses of the vertical -> the vertical, how sure it is, and whether the witnesses agree.

A witness is a quadratic form: ``v' M v`` is by how many of its sigmas (squared) the unit vector v
is off. One that knows a direction u has M = (I - u u') / sigma^2; one that knows only that the
vertical is perpendicular to some axes n has a sum of n n' / sigma^2, which says nothing about the
rest. The vertical is the direction of least sum (a Bingham density on the sphere). One witness may
be wrong: it is left out where all others agree without it.

All directions are unit vectors in the frame of the rotations, pointing up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import Array
from aftermap.model.camera import Vertical, VerticalWitness

CONTRADICTS_SIGMAS = 3.0
"""A witness that lies farther than this from what the others say contradicts them."""
NOTHING_KNOWN_DEG = 90.0
"""Stated where the witnesses leave the vertical open."""
FEWEST_TO_OUTVOTE = 3
"""Witnesses that it takes to leave one of them out."""


@dataclass(frozen=True, kw_only=True)
class Witness:
    """What one kind of evidence says: (3, 3) ``information`` per squared sine of the angle."""

    name: str
    information: Array

    @property
    def direction(self) -> Array:
        """(3,) unit vector that it fits best, or one of them; the sign is arbitrary."""
        return np.asarray(np.linalg.eigh(self.information)[1][:, 0])

    @property
    def sigmas_deg(self) -> tuple[float, float]:
        """One sigma across its best-known and its worse-known direction; infinite if unknown."""
        least, middle, most = np.linalg.eigvalsh(self.information)
        return _sigma_deg(most - least), _sigma_deg(middle - least)


def known_direction(name: str, direction: Array, sigma_deg: float) -> Witness:
    """A witness that knows a (3,) unit direction equally well to all sides."""
    across = np.eye(3) - np.outer(direction, direction)
    return Witness(name=name, information=across / np.radians(sigma_deg) ** 2)


def combined(witnesses: Sequence[Witness], above: Array) -> tuple[Array, Vertical]:
    """The (3,) unit vector up, and how it came about; ``above`` (3,) is rather up.

    The sigma grows where the witnesses scatter by more than their own sigmas (Birge 1932).
    """
    kept = list(witnesses)
    worst = _worst(kept)
    if worst is not None and len(kept) >= FEWEST_TO_OUTVOTE:
        fewer = [w for w in kept if w is not worst]
        if _worst(fewer) is None and _is_full(fewer):
            kept = fewer
    contradicting = _worst(kept)
    values, axes = np.linalg.eigh(_total(kept))
    up = axes[:, 0] * (1.0 if axes[:, 0] @ above >= 0 else -1.0)
    sigma_deg = math.hypot(_sigma_deg(values[1] - values[0]), _sigma_deg(values[2] - values[0]))
    told = sum(int(np.isfinite(s)) for w in kept for s in w.sigmas_deg)
    scatter = max(1.0, float(np.sqrt(max(values[0], 0.0) / max(told - 2, 1))))
    return up, Vertical(
        sigma_deg=min(scatter * sigma_deg, NOTHING_KNOWN_DEG),
        contradiction=None if contradicting is None else contradicting.name,
        witnesses=tuple(_entry(w, up, is_used=w in kept) for w in witnesses),
    )


def vertical_warnings(vertical: Vertical) -> tuple[str, ...]:
    """What to tell a user of a vertical that cannot be trusted; nothing of one that can."""
    if vertical.is_trusted:
        return ()
    do = (
        "no orthophoto is produced. Add footage of the same area with telemetry or a steeper "
        "view, or ground control points"
    )
    why = f"is known to {vertical.sigma_deg:.0f} degrees only (one standard deviation)"
    if vertical.contradiction is not None:
        why = f"is not known: {vertical.contradiction} contradicts the other evidence"
    return (f"The vertical direction {why}; {do}.",)


def _entry(witness: Witness, up: Array, *, is_used: bool) -> VerticalWitness:
    best, worse = witness.sigmas_deg
    off = _sigmas_off(witness, up)
    least = float(np.linalg.eigvalsh(witness.information)[0])
    # Along the way to its own best direction; a witness of one axis tells only of that axis.
    pull = witness.information @ up - least * up
    across = pull - up * (pull @ up)
    size = float(np.linalg.norm(across))
    stiff = float(across @ witness.information @ across) / max(size, 1e-12) ** 2 - least
    angle = 0.0 if size < 1e-9 or stiff <= 0 else float(np.degrees(np.arcsin(min(1, size / stiff))))
    return VerticalWitness(
        name=witness.name,
        off_deg=angle,
        off_sigmas=off,
        sigma_deg=best,
        other_sigma_deg=worse if np.isfinite(worse) else None,
        is_used=is_used,
    )


def _total(witnesses: Sequence[Witness]) -> Array:
    return np.asarray(sum((w.information for w in witnesses), np.zeros((3, 3))))


def _sigmas_off(witness: Witness, direction: Array) -> float:
    squared = float(direction @ witness.information @ direction)
    return float(np.sqrt(max(squared - _least(witness.information), 0.0)))


def _worst(witnesses: Sequence[Witness]) -> Witness | None:
    """The witness that lies farthest from what the others say, if any lies too far.

    Measured with the uncertainty of both: what the others do not know cannot contradict.
    """
    found, most = None, CONTRADICTS_SIGMAS
    if len(witnesses) < 2:
        return None
    best = _least(_total(witnesses))
    for witness in witnesses:
        others = [w for w in witnesses if w is not witness]
        alone = float(np.linalg.eigvalsh(witness.information)[0]) + _least(_total(others))
        off = float(np.sqrt(max(best - alone, 0.0)))
        if off > most:
            found, most = witness, off
    return found


def _least(information: Array) -> float:
    return float(np.linalg.eigvalsh(information)[0])


def _is_full(witnesses: Sequence[Witness]) -> bool:
    """Whether together they fix a direction to some degrees."""
    values = np.linalg.eigvalsh(_total(witnesses))
    return _sigma_deg(values[1] - values[0]) < 5.0


def _sigma_deg(stiffness: float) -> float:
    return float(np.degrees(1 / np.sqrt(stiffness))) if stiffness > 1.0 else float("inf")
