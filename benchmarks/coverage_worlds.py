"""Made-up cities for the coverage of totals: machines that grade them, samples, reviewers, areas.

A machine is two things: how often each class is true where it says a grade (that makes the strata),
and the probabilities that it tells. The truth of every building is drawn once for a city and a
machine; samples are drawn from it as ``aftermap sample`` draws them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aftermap.assessment.draw import shares_of
from aftermap.geo.arrays import Array, BoolArray, IntArray

CLASSES = 5
TRUE_BY_MACHINE = np.array(
    [
        [0.94, 0.045, 0.008, 0.005, 0.002],
        [0.30, 0.50, 0.15, 0.04, 0.01],
        [0.05, 0.20, 0.60, 0.13, 0.02],
        [0.01, 0.04, 0.15, 0.70, 0.10],
        [0.01, 0.01, 0.02, 0.08, 0.88],
        [0.40, 0.20, 0.12, 0.16, 0.12],
    ]
)
"""What is true (by column) where the machine says a grade or nothing (by row)."""
CITIES = {
    "city": (8000, 1500, 1200, 900, 1300, 600),
    "quarter": (600, 120, 90, 80, 110, 40),
    "little damage": (9000, 200, 90, 60, 40, 100),
}
"""Buildings by the machine's grade, and those it did not assess last."""
SPREAD_OF_CHANCE = 3.0
"""Weight of a stratum's confusion in the Dirichlet that each building's probabilities are of."""


def _as_they_are(chances: Array) -> Array:
    return chances


def _too_sure(chances: Array) -> Array:
    sharp = chances**4 + 1e-12
    return np.asarray(sharp / sharp.sum(1, keepdims=True))


def _alike(chances: Array) -> Array:
    return np.full_like(chances, 1 / CLASSES)


def _a_step_low(chances: Array) -> Array:
    low = np.roll(chances, -1, axis=1)
    low[:, -1] = 0.0
    low[:, 0] += chances[:, 0]
    return np.asarray(low / low.sum(1, keepdims=True))


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What is true in each of its strata (6, 5), and what it tells for true chances (N, 5)."""

    name: str
    true_by_machine: Array
    told: Callable[[Array], Array]


def machines(shares: Array) -> tuple[Machine, ...]:
    """Four machines for a city whose true shares of the classes (5,) are these."""
    alike = np.tile(shares, (len(TRUE_BY_MACHINE), 1))
    return (
        Machine(name="calibrated", true_by_machine=TRUE_BY_MACHINE, told=_as_they_are),
        Machine(name="over-confident", true_by_machine=TRUE_BY_MACHINE, told=_too_sure),
        Machine(name="flat", true_by_machine=alike, told=_alike),
        Machine(name="biased", true_by_machine=TRUE_BY_MACHINE, told=_a_step_low),
    )


@dataclass(frozen=True, kw_only=True)
class World:
    """A city with its machine: for each stratum the true classes (N,) and probabilities (N, 5)."""

    city: str
    machine: Machine
    truths: tuple[IntArray, ...]
    told: tuple[Array, ...]

    @property
    def sizes(self) -> IntArray:
        """(H,) buildings of the strata."""
        return np.array([len(one) for one in self.truths])

    def true(self, classes: tuple[int, ...]) -> int:
        """How many buildings are of these classes."""
        return sum(int(np.isin(one, classes).sum()) for one in self.truths)

    def drawn(self, size: int) -> IntArray:
        """(H,) buildings to be sampled of each stratum, as ``aftermap sample`` says."""
        mean = np.array([0.9 * one.mean(0) + 0.1 / CLASSES for one in self.told])
        spread = np.sqrt((mean * (1 - mean)).sum(1))
        is_graded = np.arange(len(mean)) < len(mean) - 1
        return shares_of(self.sizes, spread, is_graded, size)


def worlds(random: np.random.Generator) -> list[World]:
    """Each city with each machine."""
    found = []
    for city, sizes in CITIES.items():
        shares = np.array(sizes) @ TRUE_BY_MACHINE / sum(sizes)
        for machine in machines(shares):
            chances = [
                random.dirichlet(SPREAD_OF_CHANCE * row + 0.01, size)
                for row, size in zip(machine.true_by_machine, sizes, strict=True)
            ]
            truths = [(p.cumsum(1) > random.random((len(p), 1))).argmax(1) for p in chances]
            told = [machine.told(p) for p in chances]
            found.append(World(city=city, machine=machine, truths=tuple(truths), told=tuple(told)))
    return found


def samples(
    world: World, n: IntArray, draws: int, random: np.random.Generator
) -> tuple[IntArray, Array]:
    """True classes (draws, n) and the machine's probabilities (draws, n, 5), stratum by stratum."""
    truths, told = [], []
    for truth, chance, count in zip(world.truths, world.told, n.tolist(), strict=True):
        rows = np.stack(
            [random.choice(len(truth), count, replace=False, shuffle=False) for _ in range(draws)]
        )
        truths.append(truth[rows])
        told.append(chance[rows])
    return np.concatenate(truths, axis=1), np.concatenate(told, axis=1)


def step_off(share: float) -> Array:
    """(5, 5) a reviewer who is a step off for this share of buildings of every class."""
    found = np.eye(CLASSES) * (1 - share)
    for k in range(CLASSES):
        beside = [other for other in (k - 1, k + 1) if 0 <= other < CLASSES]
        found[k, beside] = share / len(beside)
    return found


def misses_light(share: float) -> Array:
    """(5, 5) a reviewer who calls this share of the lightly damaged undamaged."""
    found = np.eye(CLASSES)
    found[1, :2] = share, 1 - share
    return found


def graded_by(errors: Array, truth: IntArray, random: np.random.Generator) -> IntArray:
    """What a reviewer with these errors (5, 5) says of buildings, in their shape."""
    chance = errors[truth].cumsum(-1)
    return np.asarray((random.random((*truth.shape, 1)) > chance).sum(-1).clip(0, CLASSES - 1))


def spread_over(n: IntArray, total: int) -> BoolArray:
    """(n,) the first buildings of each stratum, so that about ``total`` in all are marked."""
    return np.concatenate([np.arange(k) < round(total * k / n.sum()) for k in n.tolist()])
