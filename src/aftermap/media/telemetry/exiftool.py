"""A video with a telemetry track that only ExifTool reads (DJI's ``djmd``) -> a draft of a track.

ExifTool is the user's own program and is asked for every sample (-ee) in numbers (-n).
https://exiftool.org/TagNames/DJI.html (read 2026-11-25).
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from aftermap.errors import InputError
from aftermap.media.telemetry.draft import CONSUMER_M, VIDEO, Draft, finite_or_none
from aftermap.model.media import Attitude, VerticalDatum
from aftermap.model.telemetry import TelemetrySample

PATIENCE_S = 600
HOW_TO = (
    "contains DJI djmd telemetry, which needs ExifTool 13 or later; install it (exiftool.org) and "
    "run this command again, or record subtitles (.SRT) with the video"
)


def exiftool_draft(path: Path, name: str) -> Draft:
    """The draft of a track that ExifTool reads out of a video.

    Raises InputError where ExifTool is missing, does not answer as expected, or finds no samples.
    """
    program = shutil.which("exiftool")
    if program is None:
        raise InputError(f"{name}: {HOW_TO}")
    try:
        done = subprocess.run(  # noqa: S603 - the user's program, on the user's file
            [program, "-ee", "-n", "-j", "-G3", "-api", "largefilesupport=1", str(path.absolute())],
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
        )
        listed = json.loads(done.stdout or b"[]")
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise InputError(
            f"{name}: the output of ExifTool cannot be parsed; the file {HOW_TO}"
        ) from error
    samples = samples_in(listed[0] if listed else {})
    if not samples:
        raise InputError(f"{name}: ExifTool found no samples; the file {HOW_TO}")
    return Draft(
        dialect="DJI djmd, read by ExifTool",
        clock=VIDEO,
        samples=samples,
        vertical_datum=VerticalDatum.BAROMETRIC,
        sigmas_m=CONSUMER_M,
        origins=(("position", "GPSLatitude, GPSLongitude"), ("height", "AbsoluteAltitude")),
    )


def samples_in(tags: Mapping[str, Any]) -> tuple[TelemetrySample, ...]:
    """Samples by ExifTool's document number; those without a time match no picture."""
    documents: dict[str, dict[str, Any]] = {}
    for tag, value in tags.items():
        document, _, name = tag.rpartition(":")
        documents.setdefault(document, {})[name] = value
    samples = [_sample(values) for values in documents.values()]
    return tuple(sample for sample in samples if sample is not None)


def _sample(values: Mapping[str, Any]) -> TelemetrySample | None:
    time_s = finite_or_none(values.get("SampleTime"))
    if time_s is None:
        return None
    lon, lat = finite_or_none(values.get("GPSLongitude")), finite_or_none(values.get("GPSLatitude"))
    return TelemetrySample(
        time_s=Fraction(str(time_s)),
        lonlat_deg=None if lon is None or lat is None else (lon, lat),
        height_m=finite_or_none(values.get("AbsoluteAltitude")),
        relative_height_m=finite_or_none(values.get("RelativeAltitude")),
        attitude=_attitude([values.get(f"Gimbal{axis}") for axis in ("Yaw", "Pitch", "Roll")]),
    )


def _attitude(angles: Sequence[Any]) -> Attitude | None:
    yaw, pitch, roll = (finite_or_none(angle) for angle in angles)
    if yaw is None or pitch is None or roll is None:
        return None
    return Attitude(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
