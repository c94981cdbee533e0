"""The best kind of picture that saw a building, from the table of its views."""

import pyarrow as pa
import pytest

from aftermap.buildings.view_quality import imagery_of
from aftermap.model.assessment import Imagery

ABOVE, SLANTING, CLIP = (5.0, None), (50.0, None), (5.0, "ab")


def table(views, *, framed=1.0, hidden=0.0):
    count = len(views)
    return pa.table(
        {
            "building": pa.array([0] * count, pa.int32()),
            "off_nadir_deg": pa.array([slant for slant, _ in views], pa.float32()),
            "clip_sha256": pa.array([clip for _, clip in views], pa.string()),
            "framed_fraction": pa.array([framed] * count, pa.float32()),
            "occluded_fraction": pa.array([hidden] * count, pa.float32()),
        }
    )


@pytest.mark.parametrize(
    ("views", "kind"),
    [
        ([ABOVE, ABOVE, CLIP, CLIP], Imagery.NADIR_PHOTOGRAPHS),
        ([ABOVE, SLANTING], Imagery.OBLIQUE_PHOTOGRAPHS),
        ([ABOVE, CLIP, CLIP], Imagery.VIDEO),
        ([CLIP, CLIP], Imagery.VIDEO),
        ([], None),
    ],
)
def test_two_photographs_from_above_are_better_than_two_at_a_slant_and_those_than_video(
    views, kind
):
    assert imagery_of(table(views), 2) == [kind, None]


def test_photographs_that_hardly_show_the_roof_are_no_better_than_video():
    assert imagery_of(table([ABOVE] * 3, hidden=0.8), 1) == [Imagery.VIDEO]
    assert imagery_of(table([ABOVE] * 3, framed=0.3), 1) == [Imagery.VIDEO]
