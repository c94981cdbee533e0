"""A measurement that says damage is never overruled to *none* in silence."""

from dataclasses import dataclass

import numpy as np
import pytest
from made_up_roofs import Scene, outline, seen, values

from aftermap.assessment.contradictions import MOST_NONE, contradictions_of, limited
from aftermap.assessment.grade import grade_buildings
from aftermap.model.assessment import Grade, ReasonSide, for_and_against, reasons_on


@dataclass(frozen=True, kw_only=True)
class Sure:
    """A model that gives every building the same probabilities."""

    p: tuple[float, ...]
    name: str = "sure"
    sha256: str = "0" * 64

    def probabilities(self, measured, doubt):
        return np.tile(self.p, (len(doubt), 1))

    def reasons(self, measured, index, grade):
        return ()


def graded(tmp_path, p, *, hole_m):
    scene = Scene()
    scene.height[scene.cut(20, 20, 34, 34)] += 9.0
    scene.height[scene.cut(25, 25, 25 + hole_m, 25 + hole_m)] -= 3.0
    made, table, _ = values(scene, [outline(20, 20, 34, 34)], tmp_path)
    return grade_buildings(made, table, seen(1), Sure(p=p)).assessments[0]


@pytest.mark.parametrize("hole_m", [4, 5])
def test_a_hole_beside_none_is_said_and_limits_it(tmp_path, hole_m):
    one = graded(tmp_path, (0.97, 0.02, 0.005, 0.005, 0.0), hole_m=hole_m)
    assert one.grade is Grade.NONE
    assert one.confidence == MOST_NONE
    assert one.is_possible
    told = reasons_on(ReasonSide.CONTRADICTION, one.reasons)
    assert any("holes in the roof" in text and "±" in text for text in told)
    assert for_and_against(one.reasons)[1][: len(told)] == told


def test_a_whole_roof_and_a_grade_of_damage_are_left_as_they_are(tmp_path):
    whole = graded(tmp_path, (0.97, 0.02, 0.005, 0.005, 0.0), hole_m=0)
    assert whole.probabilities[0] == 0.97
    assert whole.reasons == ()
    light = graded(tmp_path, (0.3, 0.6, 0.05, 0.05, 0.0), hole_m=4)
    assert light.probabilities[:2] == (0.3, 0.6)
    assert light.reasons == ()


def test_what_lies_within_its_own_error_contradicts_nothing():
    sigma = {"hole_fraction": np.array([0.04])}
    within = contradictions_of({"hole_fraction": np.array([0.07])}, sigma, 0)
    (beyond,) = contradictions_of({"hole_fraction": np.array([0.1])}, sigma, 0)
    assert within == ()
    assert beyond.limits
    assert "holes in the roof: 10 ± 4 %" in beyond.reason.text


@pytest.mark.parametrize(("ragged", "limits"), [(0.02, False), (0.2, True)])
def test_a_storey_set_back_is_said_and_a_ragged_loss_limits(ragged, limits):
    values = {"edge_loss_fraction": np.array([0.3]), "ragged_loss_fraction": np.array([ragged])}
    (found,) = contradictions_of(values, {"edge_loss_fraction": np.array([0.03])}, 0)
    assert found.limits is limits
    assert ("set back" in found.reason.text) is not limits


def test_a_limit_keeps_the_ratios_of_the_other_grades():
    p = limited(np.array([0.8, 0.15, 0.05, 0.0, 0.0]))
    assert p.tolist() == pytest.approx([0.5, 0.375, 0.125, 0.0, 0.0])
    assert limited(np.array([1.0, 0, 0, 0, 0])).tolist() == [0.5, 0.5, 0, 0, 0]
