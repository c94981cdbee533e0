"""Indexes of made-up clips, made once."""

from pathlib import Path

import pytest
from in_process import InProcess
from made_up_paths import files_in

from aftermap.model.sighting import FLAT_GROUND
from aftermap.viewshed import index_clips


@pytest.fixture
def indexed(tmp_path: Path):
    """Indexes clip paths over level ground."""

    def index(*paths, ground=FLAT_GROUND, clips=()):
        return index_clips(paths, clips, ground, files_in(tmp_path / "stage"), InProcess())

    return index
