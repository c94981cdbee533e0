"""Whatever arrives, cut off or overwritten, is a track or one line: nothing else is ever raised."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telemetry_files import WHOLE

from aftermap.errors import InputError
from aftermap.media.telemetry import track_in
from aftermap.media.telemetry.reading import DIALECTS


def understood(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        told, samples = f"{name}: ", ()
        try:
            track = track_in(path, name=name, sha256="0" * 64, near_lonlat_deg=(39.0, 35.9))
            samples = track.samples
        except InputError as error:
            told = str(error)
    assert told.startswith(f"{name}: ")
    assert "\n" not in told
    for sample in samples:
        lon, lat = sample.lonlat_deg or (0, 0)
        assert abs(lon) <= 180
        assert abs(lat) <= 90


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
def test_every_dialect_of_sidecars_has_a_whole_file(dialect) -> None:
    if dialect.read_text is not None:
        assert any(Path(name).suffix == dialect.text_suffix for name in WHOLE)
    if dialect.read_bytes is not None:
        assert any(dialect.is_bytes(data) for data in WHOLE.values())


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_gives_a_track(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(WHOLE[name])
    track = track_in(tmp_path / name, name=name, sha256="0" * 64)
    assert any(sample.lonlat_deg for sample in track.samples)


@pytest.mark.parametrize("name", WHOLE)
@given(share=st.floats(0, 1))
def test_cut_off_anywhere(name: str, share: float) -> None:
    understood(name, WHOLE[name][: int(share * len(WHOLE[name]))])


@pytest.mark.parametrize("name", WHOLE)
@given(data=st.data())
def test_overwritten_anywhere(name: str, data: st.DataObject) -> None:
    damaged = bytearray(WHOLE[name])
    at = data.draw(st.integers(0, len(damaged) - 1))
    written = data.draw(st.binary(min_size=1, max_size=12))
    damaged[at : at + len(written)] = written
    understood(name, bytes(damaged))
