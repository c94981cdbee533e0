"""Exact times whatever the container does to them; damage costs pictures, never the clip."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_up_clips import flight, written

from aftermap.errors import InputError
from aftermap.frames.decode import Losses, bgr_of, decoded_frames, luma_of, pictures_at, small_luma

NINETY_KHZ = Fraction(1, 90000)


def times_of(path: Path) -> list[Fraction]:
    losses = Losses()
    found = [one.time_s for one in decoded_frames(path, losses)]
    assert losses == Losses()
    return found


def damaged(path: Path, packets: tuple[int, ...]) -> Path:
    with av.open(str(path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None and p.size]
    content = bytearray(path.read_bytes())
    for packet in packets:
        at, size = places[packet]
        content[at + 8 : at + size] = bytes((37 * i + 11) % 256 for i in range(size - 8))
    path.write_bytes(content)
    return path


def test_times_are_pts_times_time_base_exactly(tmp_path: Path) -> None:
    ticks = [1001 * i for i in range(20)]
    path = written(tmp_path / "a.mp4", flight(1, 20), ticks=ticks, time_base_s=Fraction(1, 30000))
    assert times_of(path) == [Fraction(1001 * i, 30000) for i in range(20)]


def test_a_variable_rate_keeps_every_time(tmp_path: Path) -> None:
    ticks = [0, 40, 75, 200, 201, 640, 700]
    path = written(tmp_path / "v.mkv", flight(1, 7), ticks=ticks, time_base_s=Fraction(1, 1000))
    assert times_of(path) == [Fraction(t, 1000) for t in ticks]


def test_a_clock_that_wraps_in_a_transport_stream_runs_on(tmp_path: Path) -> None:
    first = 2**33 - 10 * 3600
    ticks = [first + 3600 * i for i in range(24)]
    path = written(tmp_path / "w.ts", flight(1, 24), ticks=ticks, time_base_s=NINETY_KHZ)
    found = times_of(path)
    assert found == [Fraction(3600 * (i - 10), 90000) for i in range(24)]
    assert [time for time, _ in pictures_at(path, found)] == found


def test_negative_times_are_kept(tmp_path: Path) -> None:
    ticks = [2**33 - 90000 + 3600 * i for i in range(20)]
    path = written(tmp_path / "n.ts", flight(1, 20), ticks=ticks, time_base_s=NINETY_KHZ)
    assert times_of(path) == [Fraction(i, 25) - 1 for i in range(20)]


def test_a_rotation_flag_is_not_applied(tmp_path: Path) -> None:
    path = written(tmp_path / "r.mp4", flight(1, 5), turn_deg=90)
    first = next(decoded_frames(path, Losses()))
    assert (first.frame.width, first.frame.height) == (320, 180)
    assert bgr_of(first.frame).shape == (180, 320, 3)


def test_a_damaged_packet_costs_pictures_up_to_the_next_whole_one(tmp_path: Path) -> None:
    path = damaged(written(tmp_path / "d.mp4", flight(1, 60), group=12), (15,))
    losses = Losses()
    found = [one.time_s for one in decoded_frames(path, losses)]
    assert losses.packets + losses.mistrusted >= 1
    assert found[-1] == Fraction(59, 25)
    assert 48 <= len(found) < 60
    assert len(found) + losses.mistrusted >= 58
    lost = set(range(60)) - {round(time * 25) for time in found}
    assert min(lost) >= 12
    assert max(lost) < 24
    assert len(losses.damaged_s) == 1


def test_a_clip_that_ends_in_the_middle_gives_what_it_has(tmp_path: Path) -> None:
    path = written(tmp_path / "t.ts", flight(1, 60), codec="libx264")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = [one.time_s for one in decoded_frames(path, Losses())]
    assert 15 < len(found) < 50


@pytest.mark.parametrize("kind", [".mp4", ".ts", ".mkv"])
def test_exact_moments_are_fetched_as_they_were_read(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / f"f{kind}", flight(1, 90), group=25)
    read = {one.time_s: bgr_of(one.frame) for one in decoded_frames(path, Losses())}
    wanted = [list(read)[i] for i in (3, 4, 30, 57, 88)]
    fetched = list(pictures_at(path, [*wanted[::-1], wanted[0]]))
    assert [time for time, _ in fetched] == wanted
    for time, picture in fetched:
        assert np.array_equal(picture, read[time])


def test_a_moment_that_the_clip_does_not_have_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "m.mp4", flight(1, 30))
    with pytest.raises(InputError, match=r"m\.mp4: has no complete frame at 0\.500 s"):
        list(pictures_at(path, [Fraction(1, 2)]))


@pytest.mark.parametrize("layout", ["yuv420p", "yuv420p10le", "nv12", "p010le", "gray", "rgb24"])
def test_luma_is_the_same_whatever_the_layout(layout: str) -> None:
    frame = av.VideoFrame.from_ndarray(flight(1, 1)[0], format="bgr24")
    straight = frame.reformat(format="yuv420p").to_ndarray()[:180].astype(int)
    if layout in ("gray", "rgb24"):  # these have the full range
        straight = np.clip((straight - 16) * 255 / 219, 0, 255)
    found = luma_of(frame.reformat(format=layout), slice(3, 170, 7), slice(5, None, 4))
    assert found.dtype == np.uint8
    assert np.abs(found - straight[3:170:7, 5::4]).mean() < 3
    assert small_luma(frame.reformat(format=layout), 64).shape == (36, 64)
