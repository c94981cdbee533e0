"""The twin's clips: sidecar, poses, shots and KLV against truth/clips.json."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from tiny_district import small

from aftermap.errors import InputError
from aftermap.geo.axes import gimbal_angles_deg
from aftermap.geo.crs import WGS84, transformed_xy
from aftermap_twin import ClipOptions, make
from aftermap_twin.clip_options import ClipCamera
from aftermap_twin.clip_paths import DRONE, fitted, station_at
from aftermap_twin.clip_telemetry import klv_set, sidecar_samples
from aftermap_twin.flight import Station, stations_of
from aftermap_twin.footage import DRONE_CODING, lens_studio, pictures, write_video
from aftermap_twin.making import scene_for
from aftermap_twin.options import CRS, ORIGIN_M
from aftermap_twin.render import studio_for
from aftermap_twin.truth import mark_px

TINY = ClipOptions(
    seconds=4, width_px=320, height_px=184, drone_fps=Fraction(3), news_fps=Fraction(10)
)
BLOCK = re.compile(
    r"(\d\d):(\d\d):(\d\d),(\d{3}) -->.*?\[latitude: ([-.\d]+)\] \[longitude: ([-.\d]+)\] "
    r"\[rel_alt: ([-.\d]+) abs_alt: ([-.\d]+)\].*?"
    r"\[gb_yaw: ([-.\d]+) gb_pitch: ([-.\d]+) gb_roll: ([-.\d]+)\]",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Clips:
    folder: Path
    truth: dict[str, dict[str, Any]]
    marks_m: npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    folder = tmp_path_factory.mktemp("clips") / "district"
    make(folder, small(photos=4), clips=TINY)
    content = json.loads((folder / "truth" / "clips.json").read_text(encoding="utf-8"))
    marks = json.loads((folder / "truth" / "marks.json").read_text(encoding="utf-8"))
    return Clips(
        folder=folder,
        truth={clip["kind"]: clip for clip in content["clips"]},
        marks_m=np.array([[mark[axis] for axis in "ENH"] for mark in marks]),
    )


def decoded(path: Path) -> tuple[list[Fraction], list[npt.NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    times = [Fraction(f.pts) * f.time_base for f in frames if f.pts is not None and f.time_base]
    return times, [np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in frames]


def blocks(path: Path) -> list[list[float]]:
    """Seconds, latitude, longitude, two heights, yaw, pitch, roll."""
    rows = []
    for found in BLOCK.findall(path.read_text(encoding="utf-8")):
        h, m, s, ms = (int(part) for part in found[:4])
        rows.append([h * 3600 + m * 60 + s + ms / 1000, *(float(part) for part in found[4:])])
    return rows


@pytest.mark.parametrize(
    ("kind", "name"), [("drone", "DJI_0001.MP4"), ("news", "news.mp4"), ("stream", "flight.ts")]
)
def test_every_picture_has_its_time_in_the_truth(clips: Clips, kind: str, name: str) -> None:
    truth = clips.truth[kind]
    times, images = decoded(clips.folder / "clips" / name)
    late = Fraction(truth["first_pts_s"])
    assert [frame["frame"] for frame in truth["frames"]] == list(range(len(images)))
    wanted = [Fraction(frame["time_s"]) + late for frame in truth["frames"]]
    assert all(abs(a - b) <= Fraction(1, 90_000) for a, b in zip(times, wanted, strict=True))
    assert images[0].shape == (truth["height_px"], truth["width_px"], 3)


@pytest.mark.parametrize("name", ["DJI_0001.SRT", "one_hz/DJI_0001.SRT"])
def test_the_sidecar_is_the_truth_with_the_stated_constants_and_noise(
    clips: Clips, name: str
) -> None:
    read = np.array(blocks(clips.folder / "clips" / name))
    facts = next(t for t in clips.truth["drone"]["telemetry"] if t["file"] == f"clips/{name}")
    rate = facts["position_rate_hz"]
    assert len(read) == 40
    fixed = np.floor(read[:, 0] * rate + 1e-6) / rate + facts["time_offset_s"]
    path = flown(clips)
    true = np.array([path(t).position_m for t in fixed]) + ORIGIN_M
    xy = transformed_xy(WGS84, CRS, read[:, [2, 1]])
    errors = np.column_stack([xy, read[:, 4] - facts["height_offset_m"]]) - true
    assert np.abs(errors).max() < 4 * facts["position_sigma_m"]
    assert 0.3 < errors.std() / facts["position_sigma_m"] < 2  # of only four or five fixes
    assert np.allclose(read[:, 4] - read[:, 3], ORIGIN_M[2] + facts["height_offset_m"], atol=2e-3)
    then = [path(t + facts["time_offset_s"]) for t in read[:, 0]]
    turned = read[:, 5] - facts["yaw_bias_deg"] - [pose.yaw_deg for pose in then]
    assert np.abs((turned + 180) % 360 - 180).max() <= 0.051
    assert np.abs(read[:, 6] - [pose.pitch_deg for pose in then]).max() <= 0.051


def flown(clips: Clips) -> Any:
    """Local pose by time, from the path that the truth's own frames lie on."""
    options = small(photos=4)
    low = scene_for(options, stations_of(options)).extent.low_m
    path = fitted(DRONE, (-low[0], -low[1]), DRONE.seconds)
    for frame in clips.truth["drone"]["frames"]:
        there = station_at(path, float(Fraction(frame["time_s"])))
        assert np.allclose(frame["position_m"], np.add(there.position_m, ORIGIN_M), atol=1e-3)
        found = gimbal_angles_deg(frame["rotation_cam_from_world"])
        assert np.allclose(found[1:], (there.pitch_deg, there.roll_deg), atol=1e-6)
    return lambda t: station_at(path, t)


def test_one_hertz_positions_are_held_for_a_second(clips: Clips) -> None:
    read = blocks(clips.folder / "clips" / "one_hz" / "DJI_0001.SRT")
    places = [(row[1], row[2], row[3]) for row in read]
    assert len(set(places)) == 4
    assert all(places[k] == places[k - k % 10] for k in range(len(places)))
    assert len({row[5] for row in read}) > 4


def test_a_known_mark_is_where_the_pose_says(tmp_path: Path) -> None:
    """A mark is a disc, white with symmetric black: its bright pixels lie about its centre."""
    options = small(photos=4)
    scene = scene_for(options, stations_of(options))
    camera = ClipCamera(width_px=160, height_px=120)
    studio = lens_studio(studio_for(options, scene), camera)
    mark = scene.marks_m[0]
    pose = station((mark[0] + 3, mark[1] - 2.5, mark[2] + 12), (0.0, -89.0, 0.0))
    write_video(tmp_path / "a.mp4", pictures(studio, [pose] * 2, 0), Fraction(5), DRONE_CODING)
    _, images = decoded(tmp_path / "a.mp4")
    x, y = mark_px(camera, pose, mark)
    left, top = round(x) - 7, round(y) - 7
    near = images[1][top : top + 14, left : left + 14].mean(2)
    rows, columns = np.nonzero(near > 150)
    assert np.hypot(columns.mean() + 0.5 + left - x, rows.mean() + 0.5 + top - y) < 0.7


def station(place_m: tuple[float, float, float], gimbal: tuple[float, float, float]) -> Station:
    return Station(
        name="",
        position_m=place_m,
        yaw_deg=gimbal[0],
        pitch_deg=gimbal[1],
        roll_deg=gimbal[2],
        reported_deg=gimbal,
        time_s=0,
    )


def test_cuts_and_the_fade_are_at_the_stated_frames(clips: Clips) -> None:
    truth = clips.truth["news"]
    _, images = decoded(clips.folder / "clips" / "news.mp4")
    clear = [image[5:105, :150].astype(float) for image in images]  # no caption, no logo
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise(clear)]
    shots = truth["shots"]
    assert [s["begins"] for s in shots] == ["start", "cut", "fade through black", "cut"]
    assert [s["end_frame"] for s in shots[:-1]] == [s["start_frame"] for s in shots[1:]]
    assert shots[-1]["end_frame"] == len(images)
    within = [steps[k] for k in range(len(steps)) if k + 1 not in {s["start_frame"] for s in shots}]
    for shot in shots:
        start = shot["start_frame"]
        if shot["begins"] == "cut":
            assert steps[start - 1] > 2 * float(np.median(within))
        if shot["begins"].startswith("fade"):
            assert clear[start].mean() < 8
            assert clear[start - 1].mean() < 8
    assert [s["is_hard"] for s in shots] == [False, False, False, True]


def test_the_caption_covers_the_lower_third(clips: Clips) -> None:
    _, images = decoded(clips.folder / "clips" / "news.mp4")
    height, width = images[0].shape[:2]
    corner = images[0][round(height * 0.82), round(width * 0.65)].astype(int)
    assert corner[2] > corner[0] + 25


def klv_in(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.data[0]
        return [bytes(p) for p in container.demux(stream) if p.size]


def tags_of(content: bytes) -> dict[int, bytes]:
    assert content[:16].hex() == "060e2b34020b01010e01030101000000"
    place = 18 if content[16] == 0x81 else 17
    tags = {}
    while place < len(content):
        tag, size = content[place], content[place + 1]
        tags[tag] = content[place + 2 : place + 2 + size]
        place += 2 + size
    return tags


def test_the_stream_carries_st_0601(clips: Clips) -> None:
    sets = klv_in(clips.folder / "clips" / "flight.ts")
    truth = clips.truth["stream"]
    assert len(sets) == 5
    first = tags_of(sets[0])
    lat = int.from_bytes(first[13], "big", signed=True) * 90 / (2**31 - 1)
    lon = int.from_bytes(first[14], "big", signed=True) * 180 / (2**31 - 1)
    east, north = transformed_xy(WGS84, CRS, [[lon, lat]])[0]
    true = truth["frames"][0]["position_m"]
    assert np.hypot(east - true[0], north - true[1]) < 4 * 1.5 * np.sqrt(2)
    height = int.from_bytes(first[75], "big") * 19_900 / 65_535 - 900
    assert abs(height - true[2]) < 4 * 1.5 + 0.2
    total = sum(byte << (8 * ((k + 1) % 2)) for k, byte in enumerate(sets[0][:-2]))
    assert int.from_bytes(first[1], "big") == total & 0xFFFF


def test_time_yaw_and_height_can_be_told_apart() -> None:
    """The flight speeds up, slows and turns."""
    poses = [station_at(DRONE, t) for t in np.arange(0, 40, 0.5)]
    places = np.array([pose.position_m for pose in poses])
    speed = np.linalg.norm(np.diff(places, axis=0), axis=1) / 0.5
    assert speed.max() > 3 * speed.min()
    assert np.ptp(np.unwrap([pose.yaw_deg for pose in poses], period=360)) > 60
    assert all(-60 < pose.pitch_deg < -35 for pose in poses)


def test_poses_and_sidecars_repeat_by_seed() -> None:
    options = ClipOptions()
    times: Sequence[float] = [0.0, 0.1, 1.0]
    first = sidecar_samples(DRONE, times, 10, options, 1)
    assert first == sidecar_samples(DRONE, times, 10, options, 1)
    assert first != sidecar_samples(DRONE, times, 10, options, 2)
    assert klv_set(first[0], 60, 36) == klv_set(first[0], 60, 36)


def test_a_rate_in_thousand_and_firsts_is_kept(tmp_path: Path) -> None:
    grey = np.full((96, 160, 3), 90, np.uint8)
    write_video(tmp_path / "a.mp4", [grey] * 3, Fraction(30_000, 1001), {"preset": "veryfast"})
    times, _ = decoded(tmp_path / "a.mp4")
    assert times == [Fraction(1001 * k, 30_000) for k in range(3)]


def test_sizes_that_cannot_be_coded_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="width_px: 171"):
        make(tmp_path / "out", small(), clips=ClipOptions(width_px=171))
    assert not (tmp_path / "out").exists()
