"""The lines that ``aftermap assess`` ends with."""

from aftermap.workflows.deliver_assessment import grouped_reasons


def test_reasons_that_differ_in_numbers_alone_are_told_once_with_their_range():
    reasons = ["9 % of its roof was measured", "12.5 % of its roof was measured", "unseen {}"]
    assert sorted(grouped_reasons(reasons)) == [
        (1, "unseen {}"),
        (2, "9 to 12.5 % of its roof was measured"),
    ]
