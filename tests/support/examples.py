"""How many examples a costly property tries: a share of what the profile of the day allows."""

from hypothesis import settings


def share_of_examples(share: float) -> settings:
    """The settings of a property each example of which is dear; ``share`` is above 0, below 1."""
    return settings(max_examples=max(2, round(share * settings().max_examples)))
