"""What hostile and clumsy users bring: one clear line each, and nothing that is kept gets lost."""

import errno
from pathlib import Path

import numpy as np
import pytest

from aftermap.errors import CaseError
from aftermap.record.disk import whole_file


def test_delivering_the_same_file_again_leaves_nothing_behind(tmp_path):
    made, public = tmp_path / "stage.tif", tmp_path / "public.tif"
    made.write_bytes(b"map")
    for _ in range(2):
        with whole_file(public) as part:
            part.hardlink_to(made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["public.tif", "stage.tif"]


def test_an_array_that_falls_short_names_its_file_and_the_full_disk(tmp_path):
    target = tmp_path / "heights.npy"
    with (
        pytest.raises(CaseError, match=r"heights\.npy: .*the disk is full: free some space"),
        whole_file(target),
    ):
        raise OSError("840562 requested and 774080 written")  # numpy.ndarray.tofile, without errno
    assert not target.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_numpy_tells_a_full_disk_in_words_only(tmp_path):
    with (
        pytest.raises(CaseError, match="the disk is full"),
        whole_file(tmp_path / "heights.npy"),
        Path("/dev/full").open("wb") as full,
    ):
        np.zeros(1 << 20).tofile(full)


def test_a_file_inside_the_path_of_the_case_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with (
        pytest.raises(CaseError, match="a part of this path is a file"),
        whole_file(tmp_path / "notes.txt" / "case" / "case.gpkg"),
    ):
        raise OSError(errno.ENOTDIR, "Not a directory")
