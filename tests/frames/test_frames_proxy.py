"""The copy for playing shows the same pictures at the same times."""

from fractions import Fraction

from made_up_clips import flight, written

from aftermap.frames.decode import Losses, decoded_frames
from aftermap.frames.proxy import proxy_of, proxy_offset_s
from aftermap.media import probe_video
from aftermap.record.workspace import StageFolder


def copied(tmp_path, path):
    clip = probe_video(path, name=path.name, sha256="a" * 64)
    copy = proxy_of(clip, path, StageFolder(folder=tmp_path / "stage"))
    times = [one.time_s for one in decoded_frames(path, Losses())]
    return clip, times, [one.time_s for one in decoded_frames(copy, Losses())]


def test_a_variable_rate_has_the_same_times_in_its_copy(tmp_path):
    ticks = [0, 40, 75, 200, 201, 640, 700]
    path = written(tmp_path / "v.mkv", flight(1, 7), ticks=ticks, time_base_s=Fraction(1, 1000))
    clip, times, played = copied(tmp_path, path)
    assert proxy_offset_s(clip) == 0
    assert played == times


def test_times_below_0_are_moved_by_what_is_told(tmp_path):
    ticks = [2**33 - 90_000 + 3600 * i for i in range(20)]
    path = written(tmp_path / "n.ts", flight(1, 20), ticks=ticks, time_base_s=Fraction(1, 90_000))
    clip, times, played = copied(tmp_path, path)
    assert proxy_offset_s(clip) == -1
    assert [time + proxy_offset_s(clip) for time in played] == times
