"""What is left out is told in words for people; what goes on is decided by a code."""

from aftermap.model.runs import SkipReason
from aftermap.model.trajectory import ShotPlace
from aftermap.workflows.clips import ExtractedFrames, Filmed, Registration, with_places


def test_a_shot_that_the_reference_does_not_show_has_a_code_and_a_reason():
    lost = ShotPlace(
        clip_sha256="1" * 64,
        clip_name="news.mp4",
        shot=1,
        crs="EPSG:32637",
        reason="too few matches",
    )
    filmed = Filmed(clips=(), footage=ExtractedFrames(clips=()), frames=(), skipped=())
    (skipped,) = with_places(filmed, Registration(shots=(lost,))).skipped
    assert skipped.code is SkipReason.NOT_LOCATED
    assert skipped.name == "news.mp4, shot 2"
    assert skipped.reason.endswith("too few matches")
