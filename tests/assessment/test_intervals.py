"""Intervals of totals hold what they promise: counted against truth that was put in."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, hypergeom

from aftermap.assessment.draw import neyman
from aftermap.assessment.intervals import most_if_none_met, score_interval
from aftermap.assessment.predicted import predicted_interval

DRAWS = 2000
CLASSES = 6
TRUE_BY_MACHINE = np.array(
    [
        [0.93, 0.05, 0.01, 0.007, 0.003, 0.0],
        [0.30, 0.50, 0.15, 0.04, 0.01, 0.0],
        [0.05, 0.20, 0.60, 0.13, 0.02, 0.0],
        [0.01, 0.04, 0.15, 0.70, 0.10, 0.0],
        [0.01, 0.01, 0.02, 0.08, 0.88, 0.0],
        [0.30, 0.15, 0.10, 0.15, 0.10, 0.20],
    ]
)
"""What is true (by column) where the machine says a grade or nothing (by row)."""
SCENARIOS = {
    "a city, 150": ((8000, 1500, 1200, 900, 1300, 600), 150),
    "a city, 400": ((8000, 1500, 1200, 900, 1300, 600), 400),
    "a quarter, 150": ((600, 120, 90, 80, 110, 40), 150),
    "little damage, 400": ((20000, 400, 150, 60, 40, 200), 400),
    "all grades alike, 150": ((2000,) * 6, 150),
}
COMMON = 10.0
"""Expected sampled buildings of a class, from which on coverage must not be too high. With fewer,
whole numbers leave no interval that covers just 95 %: it is wider then, and not narrower."""


def population(sizes) -> np.ndarray:
    """(H, C) true buildings by stratum and class."""
    counts = np.floor(np.array(sizes)[:, None] * TRUE_BY_MACHINE).astype(int)
    counts[:, 0] += np.array(sizes) - counts.sum(1)
    return counts


def drawn_for(sizes, total) -> np.ndarray:
    spread = np.sqrt((TRUE_BY_MACHINE * (1 - TRUE_BY_MACHINE)).sum(1)) + 0.1
    return neyman(np.array(sizes), spread, total)


@pytest.mark.parametrize("name", SCENARIOS)
def test_intervals_of_95_percent_hold_the_truth_in_93_to_97_percent_of_draws(name):
    sizes, total = SCENARIOS[name]
    truth, n = population(sizes), drawn_for(sizes, total)
    random = np.random.default_rng(7)
    counts = np.stack(
        [
            random.multivariate_hypergeometric(row, k, DRAWS)
            for row, k in zip(truth, n, strict=True)
        ],
        axis=1,
    )  # (draws, strata, classes)
    common = []
    for k in range(CLASSES):
        found = score_interval(sizes, n, counts[:, :, k])
        true = truth[:, k].sum()
        covered = np.mean((found.low <= true) & (true <= found.high))
        expected = (n * truth[:, k] / np.array(sizes)).sum()
        assert covered >= 0.93, (k, covered)
        assert covered <= 0.98 or expected < COMMON, (k, covered, expected)
        common += [covered] if expected >= COMMON else []
    assert np.mean(common) <= 0.97


def test_a_class_of_one_in_three_hundred_is_covered_too():
    sizes, n = np.array([12_000, 300]), np.array([280, 20])
    truth = np.array([[11_970, 30], [290, 10]])
    random = np.random.default_rng(3)
    counts = np.stack(
        [random.hypergeometric(row[1], row[0], k, DRAWS) for row, k in zip(truth, n, strict=True)],
        1,
    )
    found = score_interval(sizes, n, counts)
    assert 0.93 <= np.mean((found.low <= 40) & (found.high >= 40)) <= 0.99
    assert np.mean(found.high - found.low) < 300


@pytest.mark.parametrize("is_machine_right", [True, False], ids=["good machine", "useless machine"])
def test_predictions_make_intervals_narrower_if_they_are_good_and_never_dishonest(
    is_machine_right,
):
    sizes, n = np.array([2000, 800, 400]), np.array([60, 50, 40])
    random = np.random.default_rng(5)
    stratum = np.repeat(np.arange(3), sizes)
    chance = random.beta([0.3, 1.0, 2.0], [2.0, 1.0, 0.5], size=(sizes.max(), 3))
    chance = np.concatenate([chance[:size, h] for h, size in enumerate(sizes)])
    true = random.random(len(chance)) < chance
    told = chance if is_machine_right else random.permutation(chance)
    rows = np.stack(
        [
            np.concatenate(
                [
                    random.choice(np.flatnonzero(stratum == h), k, replace=False)
                    for h, k in enumerate(n)
                ]
            )
            for _ in range(DRAWS)
        ]
    )
    means = [told[stratum == h].mean() for h in range(3)]
    found = predicted_interval(sizes, np.repeat(np.arange(3), n), true[rows], told[rows], means)
    covered = np.mean((found.low <= true.sum()) & (true.sum() <= found.high))
    assert 0.93 <= covered <= 0.97
    counts = np.stack([true[rows][:, np.repeat(np.arange(3), n) == h].sum(1) for h in range(3)], 1)
    plain = score_interval(sizes, n, counts)
    ratio = np.mean(found.high - found.low) / np.mean(plain.high - plain.low)
    assert ratio < 0.85 if is_machine_right else ratio < 1.03
    assert abs(np.mean(found.estimate) - true.sum()) < 0.01 * sizes.sum()


def test_one_large_stratum_is_covered_whatever_the_proportion_is():
    n, size = 50, 10**8
    counts = np.arange(n + 1)
    found = score_interval([size], [n], counts[:, None])
    covered = []
    for p in np.linspace(0.002, 0.998, 499):
        inside = (found.low <= p * size) & (p * size <= found.high)
        covered.append(binom.pmf(counts[inside], n, p).sum())
    assert min(covered) > 0.90
    assert 0.945 < np.mean(covered) < 0.965


def test_many_in_one_stratum_give_the_interval_of_the_textbook():
    size, n, p = 10**9, 10_000, 0.3
    found = score_interval([size], [n], [n * p])
    half = 1.959964 * math.sqrt(p * (1 - p) / n)
    assert found.low / size == pytest.approx(p - half, abs=2e-4)
    assert found.high / size == pytest.approx(p + half, abs=2e-4)


def test_a_class_that_was_never_met_has_an_upper_end():
    found = score_interval([1000, 50], [20, 10], [0, 0])
    assert (found.estimate, found.low) == (0, 0)
    assert 100 < found.high < 250


@pytest.mark.parametrize(("n", "x"), [(20, 2), (20, 7), (40, 1), (12, 11), (150, 30)])
def test_the_ends_in_one_stratum_solve_the_equation_of_the_corrected_score(n, x):
    """Wilson's score with the skewness of the binomial (Gart and Nam 1988), solved by itself."""
    size, z = 10**9, 1.959964

    def beyond(p, sign):
        q, share = 1 - p, x / n
        bound = z + sign * (1 - 2 * p) / math.sqrt(n * p * q) * (z * z - 1) / 6
        return sign * (share - p) / math.sqrt(p * q / n) - bound

    low = brentq(beyond, 1e-4, x / n - 1e-9, args=(1.0,))
    high = brentq(beyond, x / n + 1e-9, 1 - 1e-9, args=(-1.0,))
    found = score_interval([size], [n], [x])
    assert found.low / size == pytest.approx(low, abs=1e-5)
    assert found.high / size == pytest.approx(high, abs=1e-5)


def test_what_was_looked_at_as_a_whole_is_known():
    found = score_interval([40, 60], [40, 60], [7, 30])
    assert (found.low, found.estimate, found.high) == (37, 37, 37)


def test_the_ends_never_contradict_what_was_counted():
    random = np.random.default_rng(2)
    for _ in range(50):
        sizes = random.integers(1, 40, 4)
        n = random.integers(1, sizes + 1)
        x = random.integers(0, n + 1)
        found = score_interval(sizes, n, x)
        assert x.sum() <= found.low <= found.estimate + 1e-9
        assert found.estimate - 1e-9 <= found.high <= sizes.sum() - (n - x).sum()


@pytest.mark.parametrize(("size", "n"), [(24, 3), (7, 2), (11, 8), (200, 13), (5000, 150)])
def test_three_alike_of_twenty_four_do_not_say_that_all_are(size, n):
    """Where all sampled were of the class, rounding made an interval of no width of some sizes."""
    every = score_interval([size], [n], [n])
    assert every.estimate == pytest.approx(size)
    assert n <= every.low <= size - 1
    assert score_interval([size], [n], [0]).high == pytest.approx(size - every.low)


@pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_no_number_of_buildings_leaves_an_interval_without_width(every):
    pairs = [(size, n) for size in range(4, 200) for n in range(1, min(size - 2, 30))]
    for size, n in pairs[::every]:
        assert score_interval([size], [n], [n]).low < size, (size, n)


def test_four_times_the_sample_halves_the_interval():
    few = score_interval([10**6, 10**6], [100, 100], [30, 60])
    many = score_interval([10**6, 10**6], [400, 400], [120, 240])
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(0.5, rel=0.03)


def test_a_class_and_its_opposite_have_mirrored_intervals():
    one = score_interval([900, 80], [30, 20], [3, 15])
    other = score_interval([900, 80], [30, 20], [27, 5])
    assert (one.low, one.high) == (980 - other.high, 980 - other.low)


def test_a_sample_of_nothing_is_a_fault_of_the_caller():
    with pytest.raises(ValueError, match="at least one sampled building"):
        score_interval([10, 10], [0, 0], [0, 0])


def test_a_class_not_met_has_the_exact_upper_end_of_the_hypergeometric_distribution():
    """The largest total that has 2.5 % or more not to be met: 34 of 1,000 for a sample of 100."""
    for size, n in ((1000, 100), (60, 20), (5000, 50), (12, 11), (200, 13)):
        exact = max(m for m in range(size - n + 1) if hypergeom.pmf(0, size, m, n) >= 0.025)
        assert score_interval([size], [n], [0]).high == exact
        assert score_interval([size], [n], [n]).low == size - exact
    assert score_interval([1000], [100], [0]).high == 34


def test_over_strata_the_upper_end_of_a_class_not_met_is_the_worst_split():
    sizes, n = (60, 25, 9), (12, 10, 2)
    worst = 0
    for split in itertools.product(
        *(range(size - k + 1) for size, k in zip(sizes, n, strict=True))
    ):
        rows = zip(sizes, split, n, strict=True)
        chance = math.prod(math.comb(size - m, k) / math.comb(size, k) for size, m, k in rows)
        worst = max(worst, sum(split) if chance >= 0.025 else 0)
    assert worst <= most_if_none_met(sizes, n, 0.025) <= worst + 2


def test_strata_may_be_sampled_differently_from_one_draw_to_the_next():
    drawn, counts = np.array([[20, 5], [19, 0], [30, 10]]), np.array([[3, 1], [3, 0], [0, 0]])
    together = score_interval([300, 10], drawn, counts)
    for i in range(3):
        alone = score_interval([300, 10], drawn[i], counts[i])
        assert (alone.low, alone.high) == (together.low[i], together.high[i])
