"""For every test: how many examples Hypothesis tries, and that nothing is logged as an error.

No profile has a deadline: a property is judged by what it finds, not by the speed of a machine.
``default`` and ``quick`` draw the same examples in every run of the same code, so that a test
fails for whoever changed the code and never for whoever runs it; ``thorough`` (``make test-slow``)
draws new ones, ten times as many, and prints how to repeat one that fails. Choose with
``--hypothesis-profile=NAME``; a costly property takes a share of them (``examples.py``).
"""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

from aftermap.arithmetic import fix_arithmetic

fix_arithmetic()  # as a command does: tests that run here and tests that start one agree

settings.register_profile("default", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("quick", settings.get_profile("default"), max_examples=10)
settings.register_profile(
    "thorough",
    settings.get_profile("default"),
    derandomize=False,
    max_examples=500,
    print_blob=True,
)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _no_error_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A test fails where ours or a library's code logs an error, as it fails at a warning."""
    yield
    told = [
        f"{record.name}: {record.getMessage()}"
        for record in caplog.get_records("setup") + caplog.get_records("call")
        if record.levelno >= logging.ERROR
    ]
    assert not told, f"errors were logged: {told}"
