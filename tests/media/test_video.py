"""Videos as drones, agencies and broken cards leave them: facts, or one line that says why not."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from made_up_videos import sound, video

from aftermap.errors import InputError
from aftermap.media import probe_video
from aftermap.model.clip import Clip
from aftermap.model.media import FocalSource

NINETY_KHZ = Fraction(1, 90000)


def probed(path: Path) -> Clip:
    return probe_video(path, name=path.name, sha256="0" * 64)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        probed(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path.name}: ")
    return str(caught.value)


def test_an_ordinary_clip_is_described_exactly(tmp_path: Path) -> None:
    ticks = [1001 * i for i in range(30)]
    clip = probed(video(tmp_path / "a.mp4", ticks=ticks, time_base_s=Fraction(1, 30000)))
    assert (clip.container, clip.codec, clip.width_px, clip.height_px) == ("mp4", "h264", 160, 96)
    assert (clip.start_s, clip.duration_s) == (0, Fraction(1001, 1000))
    assert clip.frame_rate_hz == Fraction(30000, 1001)
    assert not clip.is_variable_rate
    assert clip.rotation_deg == 0
    assert clip.notes == ()
    assert clip.track is None
    assert clip.size_bytes == (tmp_path / "a.mp4").stat().st_size


@pytest.mark.parametrize(("turn_deg", "expected"), [(90, 270), (-90, 90), (180, 180)])
def test_a_rotation_flag_is_kept_and_not_applied(
    tmp_path: Path, turn_deg: int, expected: int
) -> None:
    clip = probed(video(tmp_path / "r.mp4", turn_deg=turn_deg))
    assert clip.rotation_deg == expected
    assert (clip.width_px, clip.height_px) == (160, 96)


def test_a_variable_rate_is_said(tmp_path: Path) -> None:
    ticks = [0, 40, 80, 120, 200, 240, 290]
    clip = probed(video(tmp_path / "v.mkv", 7, ticks=ticks, time_base_s=Fraction(1, 1000)))
    assert clip.is_variable_rate
    assert clip.frame_rate_hz == Fraction(6 * 1000, 290)


def test_rounding_to_milliseconds_is_no_variable_rate(tmp_path: Path) -> None:
    ticks = [round(i * 1001 / 30) for i in range(60)]
    clip = probed(video(tmp_path / "m.mkv", 60, ticks=ticks, time_base_s=Fraction(1, 1000)))
    assert not clip.is_variable_rate
    assert float(clip.frame_rate_hz) == pytest.approx(30000 / 1001, rel=1e-3)


def test_a_clock_that_wraps_and_negative_times_are_exact(tmp_path: Path) -> None:
    first = 2**33 - 36000
    ticks = [first + 3600 * i for i in range(24)]
    clip = probed(video(tmp_path / "w.ts", 24, ticks=ticks, time_base_s=NINETY_KHZ))
    assert clip.container == "mpegts"
    assert clip.start_s == Fraction(-36000, 90000)
    assert clip.duration_s == Fraction(24, 25)
    assert not clip.is_variable_rate


def test_make_model_and_time_come_from_the_tags(tmp_path: Path) -> None:
    tags = {
        "com.apple.quicktime.make": "DJI",
        "com.apple.quicktime.model": "FC3582",
        "com.apple.quicktime.camera.focal_length.35mm_equivalent": "24",
        "creation_time": "2026-11-02T08:15:00.000000Z",
    }
    clip = probed(video(tmp_path / "t.mov", tags=tags))
    assert (clip.make, clip.camera) == ("DJI", "FC3582")
    assert clip.recorded_at is not None
    assert clip.recorded_at.startswith("2026-11-02T08:15:00")
    assert clip.focal.source is FocalSource.FOCAL_35MM


def test_without_tags_the_focal_length_is_assumed(tmp_path: Path) -> None:
    clip = probed(video(tmp_path / "a.ts"))
    assert clip.focal.source is FocalSource.ASSUMED
    assert clip.focal.focal_px == pytest.approx(0.85 * 160)


def test_an_mp4_without_its_index_says_so(tmp_path: Path) -> None:
    path = video(tmp_path / "DJI_0001.MP4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "truncated: the index at the end of the MP4 (moov) is missing" in refused(path)


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "e.mp4").write_bytes(b"")
    assert "is empty" in refused(tmp_path / "e.mp4")


def test_a_container_without_video_says_so(tmp_path: Path) -> None:
    assert "contains no video stream" in refused(sound(tmp_path / "s.mp4"))


def test_a_container_without_a_single_picture_says_so(tmp_path: Path) -> None:
    path = video(tmp_path / "z.ts")
    path.write_bytes(path.read_bytes()[: 3 * 188])  # the tables that announce the streams
    assert "contains no frames" in refused(path)


def test_a_video_of_one_picture_says_so(tmp_path: Path) -> None:
    assert "a single frame" in refused(video(tmp_path / "1.mp4", 1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 20, "is a text file"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "is a text file"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "is a text file"),
        (b"\xff\xd8\xff\xe0" + bytes(600), "is a photograph"),
        (bytes(range(256)) * 40, "is not a video in a supported format"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(500), "is truncated"),
    ],
)
def test_other_files_that_are_called_mp4_are_named(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    assert said in refused(tmp_path / "x.mp4")


def test_a_clip_cut_short_behind_its_index_is_kept_with_a_note(tmp_path: Path) -> None:
    path = video(tmp_path / "long.mp4", 60)
    moved = tmp_path / "front.mp4"
    with (
        av.open(str(path)) as source,
        av.open(str(moved), "w", options={"movflags": "+faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    moved.write_bytes(moved.read_bytes()[: int(moved.stat().st_size * 0.6)])
    clip = probed(moved)
    assert any("is truncated" in note and "of the 60 frames" in note for note in clip.notes)


def test_pixels_that_are_not_square_are_said(tmp_path: Path) -> None:
    clip = probed(video(tmp_path / "s.mp4", aspect=Fraction(4, 3)))
    assert any("1.333 times as wide as high" in note for note in clip.notes)


def test_a_codec_that_nothing_here_decodes_says_so(tmp_path: Path) -> None:
    path = video(tmp_path / "c.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1").replace(b"avcC", b"zzzC"))
    assert "can be decoded" in refused(path)
