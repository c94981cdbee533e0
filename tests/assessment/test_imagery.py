"""What a kind of imagery takes away from a grade: confidence, and never the grade itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftermap.assessment.imagery import (
    flattened,
    flattened_by_imagery,
    note_on,
    reliabilities,
)
from aftermap.model.assessment import Imagery, ReasonSide

CHANCES = st.lists(st.floats(0.001, 1), min_size=5, max_size=5).map(
    lambda row: np.array([row]) / sum(row)
)


@given(CHANCES, st.floats(1, 5))
def test_flattening_lowers_confidence_and_keeps_the_grade(p, temperature):
    flat = flattened(p, temperature)
    assert flat.sum() == pytest.approx(1)
    assert flat.max() <= p.max() + 1e-12
    assert flat[0, p.argmax()] == flat.max()


@given(CHANCES)
def test_imagery_that_is_not_known_changes_nothing(p):
    assert (flattened_by_imagery(p, [None]) == p / p.sum()).all()


def test_every_kind_has_its_reliability_and_no_worse_kind_is_believed_more():
    found = reliabilities()
    assert set(found) == set(Imagery)
    for one in found.values():
        assert one.temperature >= 1
        assert one.right_fraction <= 1
    shares = [found[one].right_fraction for one in Imagery]
    assert max(shares) == shares[0]
    p = np.array([[0.9, 0.1, 0, 0, 0]] * 3)
    nadir, oblique, video = flattened_by_imagery(p, list(Imagery))[:, 0]
    assert nadir >= oblique >= video
    assert video < 0.9


def test_a_grade_that_rests_on_worse_imagery_says_how_often_such_grades_were_right():
    assert note_on(None) == note_on(Imagery.NADIR_PHOTOGRAPHS) == ()
    for kind in (Imagery.OBLIQUE_PHOTOGRAPHS, Imagery.VIDEO):
        (note,) = note_on(kind)
        assert note.side is ReasonSide.NOTE
        assert f"{100 * reliabilities()[kind].right_fraction:.0f} % of" in note.text
