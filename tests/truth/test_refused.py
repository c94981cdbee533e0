"""A machine too small for the map is told so before the long work, by a line and status 2."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from aftermap import pipeline
from aftermap.cli.failures import FAILED, PARTIAL, status_for
from aftermap.config import Settings
from aftermap.errors import ResourcesError
from aftermap.progress import NoProgress
from aftermap.room import Room

SMALL_DISK = Room(disk_bytes=1_000_000, memory_bytes=10**12)
SMALL_MEMORY = Room(disk_bytes=10**12, memory_bytes=1_000_000)


def mapped_with(room, images, case):
    return pipeline.map_footage(
        [images],
        case,
        Settings(),
        fresh=False,
        progress=NoProgress(),
        workers=2,
        room=lambda _folder: room,
    )


@pytest.mark.parametrize(("room", "what"), [(SMALL_DISK, "of disk"), (SMALL_MEMORY, "of memory")])
def test_nothing_is_begun_where_memory_or_disk_do_not_suffice(flight, tmp_path, room, what):
    case = tmp_path / "case"
    with pytest.raises(ResourcesError, match=what) as refused:
        mapped_with(room, flight / "images", case)
    assert status_for(refused.value) == FAILED
    assert not list((case / "products" / "stages").glob("*-*"))
    with closing(sqlite3.connect(case / "case.gpkg")) as record:
        status, message = record.execute("SELECT status, message FROM run").fetchone()
    assert status == "failed"
    assert what in message


def test_a_surface_that_has_to_be_made_again_is_refused_when_it_is_due_and_poses_stay(
    mapped, tmp_path, monkeypatch
):
    case = tmp_path / "case"
    shutil.copytree(mapped.case, case)
    again = mapped_with(SMALL_DISK, mapped.flight / "images", case)
    assert again.missing is None  # what is finished needs no room
    monkeypatch.setattr(pipeline, "SURFACE", replace(pipeline.SURFACE, version=999))
    made = mapped_with(SMALL_DISK, mapped.flight / "images", case)
    assert status_for(made.missing) == PARTIAL
    assert "surface needs about" in str(made.missing)
    assert "of disk" in str(made.missing)
    assert (case / "products" / "cameras.json").is_file()
