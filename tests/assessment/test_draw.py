"""Samples are drawn at random within strata, and say with which chance."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from aftermap.assessment.draw import draw_sample, neyman, shares_of
from aftermap.errors import InputError
from aftermap.model.assessment import GRADES, Assessment, AssessorKind, Grade, Visibility


def graded(name: str, grade: Grade | None, sure: float = 0.9) -> Assessment:
    chance = None
    if grade is not None:
        chance = tuple(sure if other is grade else (1 - sure) / 4 for other in GRADES)
    return Assessment(
        source_id=name, kind=AssessorKind.MACHINE, assessor="m", grade=grade, probabilities=chance
    )


def town() -> list[Assessment]:
    sizes = {Grade.NONE: 500, Grade.MODERATE: 120, Grade.DESTROYED: 60, None: 30}
    return [graded(f"{grade}-{i}", grade) for grade, count in sizes.items() for i in range(count)]


def test_the_same_seed_draws_the_same_buildings_and_another_seed_others():
    one, again = (draw_sample(town(), size=80, seed=5, machine_batch=1) for _ in range(2))
    assert one == again
    other = draw_sample(town(), size=80, seed=6, machine_batch=1)
    assert {b.source_id for b in one.buildings} != {b.source_id for b in other.buildings}


def test_every_stratum_has_two_and_the_chances_add_up_to_the_size():
    draw = draw_sample(town(), size=80, seed=1, machine_batch=1)
    assert {one.name for one in draw.strata} == {"none", "moderate", "destroyed", "not_assessed"}
    assert all(one.drawn >= 2 for one in draw.strata)
    assert sum(one.drawn for one in draw.strata) == len(draw.buildings) == 80
    for one in draw.strata:
        chances = {b.inclusion_probability for b in draw.buildings if b.stratum == one.name}
        assert chances == {one.drawn / one.buildings}


def test_buildings_are_drawn_as_often_as_their_chance_says():
    town_ = town()
    times = dict.fromkeys((one.source_id for one in town_), 0)
    draws = [draw_sample(town_, size=100, seed=seed, machine_batch=1) for seed in range(300)]
    for draw in draws:
        for building in draw.buildings:
            times[building.source_id] += 1
    chance = {one.name: one.drawn / one.buildings for one in draws[0].strata}
    for grade, name in ((Grade.NONE, "none"), (None, "not_assessed")):
        seen = [times[one.source_id] / 300 for one in town_ if one.grade is grade]
        assert np.mean(seen) == pytest.approx(chance[name], abs=1e-9)
        assert np.std(seen) < 1.5 * np.sqrt(chance[name] * (1 - chance[name]) / 300)


def test_the_order_of_drawing_does_not_give_the_grades_away():
    draw = draw_sample(town(), size=120, seed=3, machine_batch=1)
    strata = [one.stratum for one in draw.buildings]
    changes = sum(a != b for a, b in itertools.pairwise(strata))
    assert changes > 30


def test_strata_of_which_the_machine_is_unsure_get_more():
    sure = [graded(f"n{i}", Grade.NONE, 0.99) for i in range(500)]
    unsure = [graded(f"m{i}", Grade.MODERATE, 0.4) for i in range(500)]
    by_name = {
        one.name: one.drawn
        for one in draw_sample(sure + unsure, size=100, seed=1, machine_batch=1).strata
    }
    assert by_name["moderate"] > 1.3 * by_name["none"]


def test_a_sample_that_is_too_small_says_how_many_are_needed():
    with pytest.raises(InputError, match="at least 8"):
        draw_sample(town(), size=7, seed=1, machine_batch=1)


def test_a_sample_larger_than_the_town_is_the_town():
    draw = draw_sample(town(), size=10_000, seed=1, machine_batch=1)
    assert len(draw.buildings) == 710
    assert all(one.inclusion_probability == 1 for one in draw.buildings)


def test_neyman_keeps_its_bounds_and_its_sum():
    random = np.random.default_rng(0)
    for _ in range(200):
        sizes = random.integers(1, 200, 6)
        total = int(random.integers(12, sizes.sum() + 1)) if sizes.sum() > 12 else sizes.sum()
        found = neyman(sizes, random.random(6) + 0.01, int(total))
        assert found.sum() == total
        assert (found <= sizes).all()
        assert (found >= np.minimum(2, sizes)).all()


def test_buildings_that_were_not_assessed_have_their_own_share_of_the_sample():
    draw = draw_sample(town(), size=100, seed=1, machine_batch=1)
    drawn = {one.name: one.drawn for one in draw.strata}
    assert drawn["not_assessed"] == round(100 * 30 / 710)
    many = shares_of(np.array([50, 50, 900]), [0.5, 0.5, 0.9], np.array([True, True, False]), 100)
    assert many.tolist() == [5, 5, 90]
    few = shares_of(np.array([2, 900, 1]), [0.5, 0.5, 0.9], np.array([True, True, False]), 903)
    assert few.tolist() == [2, 900, 1]


def test_a_building_that_no_picture_shows_is_not_drawn_and_not_in_the_denominator():
    hidden = Visibility(
        roof_fraction=0, views=0, facades=0, ground_sample_m=None, surface_photographs=None
    )
    unseen = [replace(graded(f"unseen-{i}", None), visibility=hidden) for i in range(200)]
    draw = draw_sample([*town(), *unseen], size=100, seed=1, machine_batch=1)
    assert draw.never_seen == 200
    assert sum(one.buildings for one in draw.strata) == 710
    assert not any(one.source_id.startswith("unseen") for one in draw.buildings)


def test_thirty_are_to_be_graded_twice_spread_over_the_strata_as_the_sample_is():
    draw = draw_sample(town(), size=100, seed=1, machine_batch=1)
    stratum = {one.source_id: one.stratum for one in draw.buildings}
    assert len(set(draw.twice)) == len(draw.twice) == 30
    for one in draw.strata:
        planned = sum(stratum[name] == one.name for name in draw.twice)
        assert abs(planned - 30 * one.drawn / 100) < 1
    assert len(draw_sample(town(), size=20, seed=1, machine_batch=1).twice) == 20
