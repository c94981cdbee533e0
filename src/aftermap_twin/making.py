"""Options to a folder of photographs with the truth beside them."""

import hashlib
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np

from aftermap.errors import InputError
from aftermap.geo.arrays import BoolArray
from aftermap.model.assessment import Grade
from aftermap_twin import truth
from aftermap_twin.caster import embree
from aftermap_twin.clip_options import ClipOptions
from aftermap_twin.clips import make_clips, refuse_odd_clips
from aftermap_twin.exif import claims, write_photo
from aftermap_twin.flight import Station, height_above_ground_m, plane_footprint_m, stations_of
from aftermap_twin.light import Light, light_of
from aftermap_twin.options import CRS, ORIGIN_M, TwinOptions, TwinSummary
from aftermap_twin.render import Studio, picture, studio_for
from aftermap_twin.scene import Scene
from aftermap_twin.site import HEIGHT_STEP_M, Extent, fill
from aftermap_twin.streets import StreetPiece, street_pieces
from aftermap_twin.styles import make_scene

Progress = Callable[[int, int], None]

MARGIN_M = 15.0
LOWEST_M, LOWEST_OPEN_M = 25.0, 5.0
"""Flying heights that clear the roofs, and that clear level ground."""
MOST_THREADS = 4
"""Each holds a picture in the making, about 150 MB at 1200 by 900 pixels."""


def make(
    out: Path,
    options: TwinOptions,
    progress: Progress | None = None,
    *,
    clips: ClipOptions | None = None,
    clip_progress: Progress | None = None,
) -> TwinSummary:
    """Photographs into ``out``/images, clips into ``out``/clips, the truth into ``out``/truth.

    ``progress`` is told how many photographs are done, and of how many, ``clip_progress`` the same
    of the pictures of the clips. Clips show the district that the photographs fly over, and change
    nothing about it. Needs the optional extra ``aftermap[twin]``. Raises InputError where the
    folder is neither new nor empty or cannot be written, or an option makes no sense.
    """
    embree()
    _refuse_nonsense(options)
    if clips is not None:
        refuse_odd_clips(clips)
    try:
        summary, studio = _make_photographs(out, options, progress)
        if clips is not None:
            make_clips(out, studio, clips, clip_progress)
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written ({error.strerror}); free some space or name another folder"
        ) from error
    return summary


def _make_photographs(
    out: Path, options: TwinOptions, progress: Progress | None
) -> tuple[TwinSummary, Studio]:
    images, facts = _folders(out)
    stations = stations_of(options)
    scene = scene_for(options, stations)
    studio = studio_for(options, scene)
    digests = _photograph(images, studio, stations, progress)
    pieces = street_pieces(scene)
    area = truth.mapped_area(options, stations, studio.caster)
    truth.write_rasters(facts, scene, area)
    truth.write_json(facts / "cameras.json", truth.cameras_document(options, stations, digests))
    truth.write_json(
        facts / "buildings.geojson", truth.buildings_document(scene, area.grid, area.seen)
    )
    truth.write_json(
        facts / "streets.geojson", truth.streets_document(pieces, area.grid, area.seen)
    )
    truth.write_json(facts / "marks.json", truth.marks_document(scene))
    gcp = facts / "gcp_list.txt"
    gcp.write_text(truth.gcp_list(options, scene, stations, studio.caster), encoding="utf-8")
    truth.write_json(facts / "twin.json", _record(options, stations))
    area_m2 = float(area.seen.sum()) * options.ground_sample_m**2
    return _summary(out, scene, pieces, len(stations), gcp, area_m2), studio


def _photograph(
    folder: Path, studio: Studio, stations: tuple[Station, ...], progress: Progress | None
) -> dict[str, str]:
    """Every picture into the folder, two or more at a time; SHA-256 of each by name."""
    wanted = claims(studio.options, stations)

    def take(number: int) -> str:
        image = picture(studio, stations[number], number)
        data = write_photo(folder / stations[number].name, image, wanted[number], studio.options)
        return hashlib.sha256(data).hexdigest()

    digests = {}
    pool = ThreadPoolExecutor(max_workers=min(MOST_THREADS, os.cpu_count() or 1))
    try:
        for number, digest in enumerate(pool.map(take, range(len(stations)))):
            digests[stations[number].name] = digest
            if progress is not None:
                progress(number + 1, len(stations))
    finally:
        pool.shutdown(cancel_futures=True)
    return digests


def scene_for(options: TwinOptions, stations: tuple[Station, ...]) -> Scene:
    """The district under a flight, a margin wider than the photographs show."""
    shown = np.concatenate([plane_footprint_m(options, station) for station in stations])
    low, high = shown.min(0) - MARGIN_M, shown.max(0) + MARGIN_M
    extent = Extent(low_m=(float(low[0]), float(low[1])), high_m=(float(high[0]), float(high[1])))
    return make_scene(options, extent, _often_seen(options, stations, extent))


def _often_seen(options: TwinOptions, stations: tuple[Station, ...], extent: Extent) -> BoolArray:
    """Where at least half as many photographs overlap as anywhere, in HEIGHT_STEP_M samples."""
    count = np.zeros(extent.shape(HEIGHT_STEP_M), np.float32)
    for station in stations:
        one = np.zeros_like(count)
        fill(one, extent, HEIGHT_STEP_M, plane_footprint_m(options, station), 1.0)
        count += one
    return np.asarray(count >= count.max() / 2)


def _refuse_nonsense(options: TwinOptions) -> None:
    """An error that names the first option that cannot be flown or drawn."""
    height = height_above_ground_m(options)
    demands = (
        (options.photos >= 2, "photos", "use two or more, so that images overlap"),
        (options.width_px >= 64, "width_px", "use 64 or more"),
        (options.height_px >= 64, "height_px", "use 64 or more"),
        (0 <= options.forward_overlap <= 0.95, "forward_overlap", "use 0 to 0.95"),
        (0 <= options.side_overlap <= 0.95, "side_overlap", "use 0 to 0.95"),
        (5 <= options.sun_elevation_deg <= 90, "sun_elevation_deg", "use 5 to 90"),
        (min(options.damage_mix) >= 0 < sum(options.damage_mix), "damage_mix", "give five shares"),
        (
            height >= (LOWEST_OPEN_M if options.flat else LOWEST_M),
            "ground_sample_m",
            f"it puts the drone {height:.0f} m up, among the roofs; use a larger one",
        ),
    )
    for holds, name, advice in demands:
        if not holds:
            raise InputError(f"twin option {name}: {getattr(options, name)} is not valid; {advice}")


def _folders(out: Path) -> tuple[Path, Path]:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: is not an empty folder; name a new folder for the twin")
    images, facts = out / "images", out / "truth"
    images.mkdir(parents=True)
    facts.mkdir()
    return images, facts


def _record(options: TwinOptions, stations: tuple[Station, ...]) -> dict[str, object]:
    return {
        "crs": CRS,
        "vertical_datum": str(truth.DATUM),
        "origin_m": ORIGIN_M,
        "takeoff_height_m": ORIGIN_M[2],
        "options": asdict(options),
        "light": _light_record(light_of(options)),
        "focal_px": options.focal_px,
        "params": options.params,
        "photos": len(stations),
        "versions": truth.library_versions(),
    }


def _light_record(light: Light) -> dict[str, object]:
    """The day that was flown; ``haze_m`` is null where the air is clear."""
    return {
        "sun_azimuth_deg": light.azimuth_deg,
        "sun_elevation_deg": light.elevation_deg,
        "sun_share": light.sun_share,
        "haze_m": light.haze_m if math.isfinite(light.haze_m) else None,
        "soil": light.soil,
    }


def _summary(
    out: Path, scene: Scene, pieces: tuple[StreetPiece, ...], photos: int, gcp: Path, area: float
) -> TwinSummary:
    grades = [building.grade for building in scene.buildings]
    return TwinSummary(
        folder=out,
        photos=photos,
        buildings=len(grades),
        gcp_list=gcp,
        area_m2=area,
        by_grade={grade: grades.count(grade) for grade in Grade},
        marks=len(scene.marks_m),
        blocked_streets=sum(piece.blocked for piece in pieces),
        streets=len(pieces),
    )
