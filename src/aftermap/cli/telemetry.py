"""``aftermap telemetry``: the parsed fields of a telemetry file, and what was rejected and why."""

import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aftermap.cli.options import PATH, LonLat, LonLatParam, debug_option
from aftermap.errors import InputError, NoTelemetryError, PartialError

if TYPE_CHECKING:
    from aftermap.model.telemetry import TelemetrySample, Track

GAPS_SHOWN = 5


@click.command("telemetry")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option(
    "--near", type=LonLatParam(), help="Approximate location, to check positions against."
)
@click.option("--json", "as_json", is_flag=True, help="Print all parsed fields as JSON.")
@debug_option
def telemetry_command(
    files: tuple[Path, ...],
    near: LonLat | None,
    as_json: bool,  # noqa: FBT001 - click's
) -> None:
    """Show the parsed fields of the telemetry in FILE.

    Reads sidecars (SRT, CSV, GPX, KLV, GPMF) and videos with embedded telemetry. Writes nothing.
    Exit status: 1 if a file could not be parsed, 2 if none could.
    """
    tracks, failures = [], []
    for file in files:
        try:
            tracks.append(_track(file, near))
        except InputError as error:
            failures.append(error)
    if as_json:
        click.echo(json.dumps([_content(track) for track in tracks], indent=1, ensure_ascii=False))
    else:
        click.echo("\n\n".join("\n".join(track_lines(track)) for track in tracks), nl=bool(tracks))
    for failure in failures[:-1]:
        click.echo(f"aftermap: {failure}", err=True)
    if failures and tracks:
        raise PartialError(str(failures[-1])) from failures[-1]
    if failures:
        raise failures[-1]


def _track(file: Path, near: LonLat | None) -> "Track":
    from aftermap.media.find import printable  # noqa: PLC0415
    from aftermap.media.telemetry import NO_TELEMETRY, track_in  # noqa: PLC0415

    name = printable(file.name)
    if file.is_dir():
        raise InputError(f"{printable(str(file))}: is a folder; name the files in it")
    if not file.is_file():
        raise InputError(f"{printable(str(file))}: does not exist; check the path")
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    try:
        return track_in(file, name=name, sha256=sha256, near_lonlat_deg=near)
    except NoTelemetryError as error:
        beside = _beside(file)
        if not beside:
            raise
        raise InputError(f"{name}: {NO_TELEMETRY}; name its sidecar instead: {beside}") from error


def _beside(clip: Path) -> str:
    """The sidecars that ``aftermap map`` would take for the clip's, by name."""
    from aftermap.media.find import printable  # noqa: PLC0415
    from aftermap.media.telemetry import sidecars_of  # noqa: PLC0415

    files = sidecars_of(clip, [file for file in clip.parent.iterdir() if file != clip])
    return ", ".join(printable(file.name) for file in files)


def track_lines(track: "Track") -> list[str]:
    """The parsed fields of a track, one per line."""
    from aftermap.geo.track import gaps_s  # noqa: PLC0415

    samples = track.samples
    placed = [sample for sample in samples if sample.lonlat_deg]
    gaps = gaps_s(track)
    shown = ", ".join(f"{begin:.1f} to {end:.1f} s" for begin, end in gaps[:GAPS_SHOWN])
    more = f" and {len(gaps) - GAPS_SHOWN} more" if len(gaps) > GAPS_SHOWN else ""
    lines = [
        track.name,
        f"  dialect    {track.dialect}",
        f"  samples    {_counts(samples)}",
        f"  time       {_span(samples)}, clock: {track.clock}",
        f"  height     {_heights(track)}",
        f"  area       {_area(placed)}",
    ]
    if placed:
        lines += [
            f"  sigma      {_sigma(track)}",
            f"  gaps       {shown + more or 'none too long to interpolate'}",
        ]
    lines += [f"  withheld   {what}" for what in track.withheld]
    lines += [f"  rejected   {one.name}: {one.reason}" for one in track.refused]
    lines += [f"  note       {note}" for note in track.notes]
    return lines


def _counts(samples: "Sequence[TelemetrySample]") -> str:
    kinds = {"lonlat_deg": "position", "attitude": "attitude", "hfov_deg": "field of view"}
    counts = [
        f"{sum(getattr(sample, field) is not None for sample in samples)} with {words}"
        for field, words in kinds.items()
    ]
    return ", ".join([str(len(samples)), *counts])


def _span(samples: "Sequence[TelemetrySample]") -> str:
    if not samples:
        return "none"
    first, last = samples[0].time_s, samples[-1].time_s
    rate = f", {(len(samples) - 1) / float(last - first):.3g} per second" if last > first else ""
    return f"{float(first):.3f} to {float(last):.3f} s{rate}"


def _heights(track: "Track") -> str:
    heights = [sample.height_m for sample in track.samples if sample.height_m is not None]
    if not heights:
        return "none"
    return f"{min(heights):.1f} to {max(heights):.1f} m, datum {track.vertical_datum}"


def _sigma(track: "Track") -> str:
    return f"{track.sigma_horizontal_m:g} m horizontal, {track.sigma_vertical_m:g} m vertical"


def _area(placed: "Sequence[TelemetrySample]") -> str:
    places = [sample.lonlat_deg for sample in placed if sample.lonlat_deg]
    if not places:
        return "none"
    lons, lats = [lon for lon, _ in places], [lat for _, lat in places]
    return (
        f"longitude {min(lons):.5f} to {max(lons):.5f}, latitude {min(lats):.5f} to {max(lats):.5f}"
    )


def _content(value: Any) -> Any:
    """Anything of the model as JSON: fractions as seconds, what is not known as null."""
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, tuple):
        return [_content(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _content(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
