"""Whatever arrives, cut off or overwritten, is a track or one line: nothing else is ever raised."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from klv_bytes import flight, packet
from telemetry_files import AIRDATA, DJI, GPX, HERE, LITCHI, OF_2017, bracket, gps5, srt

from aftermap.errors import InputError
from aftermap.media.telemetry import track_in

WHOLE = {
    "old.srt": srt(*(OF_2017.format(n, 120 + n) for n in range(3))).encode(),
    "new.srt": srt(bracket(35.95, 39.01), bracket(35.95, 39.01)).encode(),
    "air.csv": AIRDATA.encode(),
    "litchi.csv": LITCHI.encode(),
    "dji.csv": DJI.encode(),
    "flight.gpx": GPX.encode(),
    "flight.klv": packet(flight()) + packet(flight(seconds=1)),
    "gopro.raw": gps5(HERE, HERE) + gps5(HERE),
}


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
