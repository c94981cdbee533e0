"""A real map made again from its record: every product the same, by bytes or by value."""

import pytest

from aftermap.progress import NoProgress
from aftermap.reproduce import Verdict, reproduce


@pytest.mark.exhaustive  # tests/test_reproduce.py tries the same in every run, with a made-up map
def test_a_map_is_made_again_to_the_same_values(mapped, tmp_path):
    made = reproduce(mapped.case, tmp_path / "again", progress=NoProgress(), workers=1)
    assert made.holds
    assert made.notes == ()
    others = {one.product: one for one in made.products if one.verdict is Verdict.INSIDE}
    assert others == {}
