"""Telemetry that real recorders wrote. Skipped where the data set is not beside the repository."""

from pathlib import Path

import pytest

from aftermap.media.telemetry import track_in
from aftermap.model.media import VerticalDatum
from aftermap.model.telemetry import Track

DATA = Path(__file__).parents[3].parent / "shared" / "data"


def read(name: str) -> Track:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path.parent.name}: the data set is not here")
    return track_in(path, name=path.name, sha256="0" * 64)


@pytest.mark.parametrize(
    ("name", "lonlat_deg", "datum"),
    [
        ("mavic_pro.SRT", (149.0251, -20.2533), VerticalDatum.TAKEOFF_RELATIVE),
        ("matrice_300.srt", (-6.1120, 36.6146), VerticalDatum.TAKEOFF_RELATIVE),
        ("p4_rtk.SRT", (-58.851745, -34.237922), VerticalDatum.TAKEOFF_RELATIVE),
        ("mavic_mini.SRT", (-121.7458, 48.0771), VerticalDatum.TAKEOFF_RELATIVE),
        ("air2s.srt", (2.234156, 41.424724), VerticalDatum.UNKNOWN),
        ("samples_neo2_clip.SRT", (13.753860, 45.607181), VerticalDatum.BAROMETRIC),
    ],
)
def test_each_dialect_starts_where_it_says(
    name: str, lonlat_deg: tuple[float, float], datum: VerticalDatum
) -> None:
    track = read(f"dji_srt/{name}")
    assert track.samples[0].lonlat_deg == lonlat_deg
    assert track.vertical_datum is datum
    assert track.refused == ()


def test_packets_of_a_transport_stream_lie_on_its_pictures() -> None:
    track = read("misb_klv/h264_klv.ts")
    assert len(track.samples) == 30
    assert float(track.samples[1].time_s - track.samples[0].time_s) == pytest.approx(1 / 30)
    assert any("no time stamps" in note for note in track.notes)


def test_day_flight_is_a_file_of_packets() -> None:
    track = read("misb_klv/Day Flight.klv")
    assert track.samples[0].lonlat_deg == pytest.approx((-110.16856, 54.681323), abs=1e-6)
    assert track.samples[0].height_m == pytest.approx(1532.27, abs=0.01)
    assert track.samples[0].hfov_deg == pytest.approx(0.3653, abs=1e-4)


def test_a_gopro_clip_has_its_track_inside() -> None:
    track = read("gpmf/max-heromode.mp4")
    assert len(track.samples) == 191
    assert track.samples[0].lonlat_deg == pytest.approx((-117.32734, 33.12677), abs=1e-5)
    assert track.clock == "video"
