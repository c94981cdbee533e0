import hashlib
from pathlib import Path

import pytest
from tiny_district import Made, small

from aftermap.errors import InputError
from aftermap_twin import make


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_same_options_give_the_same_bytes(made: Made, tmp_path: Path) -> None:
    make(tmp_path / "again", small())
    assert digests(tmp_path / "again") == digests(made.folder)


def test_another_seed_gives_another_district(made: Made, tmp_path: Path) -> None:
    make(tmp_path / "other", small(seed=6, photos=2))
    other, first = digests(tmp_path / "other"), digests(made.folder)
    assert other["images/DJI_0001.JPG"] != first["images/DJI_0001.JPG"]
    assert other["truth/buildings.geojson"] != first["truth/buildings.geojson"]


def test_progress_counts_every_photograph(made: Made) -> None:
    assert made.progress == [(done, 6) for done in range(1, 7)]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not an empty folder"):
        make(tmp_path, small())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"photos": 0}, "photos: 0"),
        ({"side_overlap": 1.0}, "side_overlap"),
        ({"ground_sample_m": 0.05}, "among the roofs"),
        ({"damage_mix": (0.0, 0.0, 0.0, 0.0, 0.0)}, "damage_mix"),
    ],
)
def test_options_that_cannot_be_flown_are_named(
    tmp_path: Path, changes: dict[str, object], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        make(tmp_path / "out", small(**changes))
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        make(tmp_path / "file" / "out", small())
