"""Pictures of a path to video files, by PyAV: a drone's, a newsroom's and a transport stream's.

Poses do not depend on the encoder; the bytes of a video do.
"""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.stream import DataStream, Stream

from aftermap.geo.arrays import ByteArray
from aftermap_twin.clip_options import ClipCamera
from aftermap_twin.flight import Station
from aftermap_twin.light import CLEAR_AIR_M, hazy
from aftermap_twin.render import Studio, falls, pixel_rays, radiance, srgb

SAMPLES = 1
"""One ray a pixel: a clip has hundreds of pictures, and its encoder forgives."""
AT_ONCE = 8
PSF_SIGMA_PX = 0.55
DRONE_CODING = {"preset": "veryfast", "crf": "19", "bf": "0", "threads": "1"}
NEWS_CODING = {"preset": "fast", "crf": "27", "threads": "1"}
KLV_TIME_BASE = Fraction(1, 90_000)


def lens_studio(studio: Studio, camera: ClipCamera) -> Studio:
    """The same district before another lens."""
    return replace(studio, options=camera, rays=pixel_rays(camera, SAMPLES))


def pictures(studio: Studio, stations: Sequence[Station], first: int) -> Iterable[ByteArray]:
    """(rows, columns, 3) sRGB colours from 0 to 255 of every station in order, a few at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        for start in range(0, len(stations), AT_ONCE):
            some = range(start, min(start + AT_ONCE, len(stations)))
            yield from pool.map(lambda k: _picture(studio, stations[k], first + k), some)


def _picture(studio: Studio, station: Station, number: int) -> ByteArray:
    """As a small sensor sees it: haze, blur, falling light towards the corners, noise."""
    camera = studio.options
    rng = np.random.default_rng([camera.seed, 62, number])
    haze_m = min(studio.light.haze_m, CLEAR_AIR_M)
    light = radiance(studio, station) * np.float32(studio.light.gain)
    light = hazy(light, falls(studio, station), station.position_m[2], haze_m)
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), PSF_SIGMA_PX), np.float32)
    x = (np.arange(camera.width_px) + 0.5 - camera.params[2]) / camera.focal_px
    y = (np.arange(camera.height_px) + 0.5 - camera.params[3]) / camera.focal_px
    light *= ((1 + (x[None] ** 2 + y[:, None] ** 2)) ** -0.7).astype(np.float32)[..., None]
    grain = rng.standard_normal(light.shape, np.float32)
    light += grain * np.sqrt(np.maximum(light, 0) * 1.2e-4 + 4e-6)
    return srgb(light)


def write_video(
    path: Path,
    images: Iterable[ByteArray],
    fps: Fraction,
    coding: dict[str, str],
    klv: Sequence[tuple[Fraction, bytes]] = (),
) -> None:
    """H.264 with a picture every 1/``fps`` s from 0 on; ``klv`` sets go in at their times.

    ``images`` are (rows, columns, 3) sRGB colours from 0 to 255.
    """
    waiting = list(klv)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options=dict(coding))
        stream.pix_fmt = "yuv420p"
        stream.gop_size = math.ceil(fps)
        stream.time_base = 1 / fps
        data = container.add_data_stream("klv") if waiting else None
        if data is not None:
            data.time_base = KLV_TIME_BASE
        for number, image in enumerate(images):
            if not number:
                stream.height, stream.width = image.shape[:2]
            while waiting and waiting[0][0] <= number / fps:
                container.mux(_klv_packet(data, *waiting.pop(0)))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for time_s, content in waiting:
            container.mux(_klv_packet(data, time_s, content))


def _klv_packet(stream: DataStream | None, time_s: Fraction, content: bytes) -> "av.Packet[Stream]":
    packet: av.Packet[Stream] = av.Packet(content)
    if stream is not None:
        packet.stream = stream
    packet.time_base = KLV_TIME_BASE
    packet.pts = packet.dts = int(time_s / KLV_TIME_BASE)
    return packet


def first_pts_s(path: Path) -> Fraction:
    """Time of a video's first picture on the file's own clock (a transport stream starts late)."""
    with av.open(str(path)) as container:
        packets = container.demux(video=0)
        return min(p.pts * p.time_base for p in packets if p.pts is not None and p.time_base)
