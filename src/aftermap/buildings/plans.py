"""A building, the orthophoto and the surface -> its plan with the outline drawn, and its profile.

The plan is the orthophoto as it is, north up, enlarged or reduced by whole numbers only. What it
was taken from is read out of the source raster, pixel by pixel inside the outline.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import shapely

from aftermap.buildings.crops import ASPECT, LEAST_ACROSS_M, MARGIN, ROOF_COLOUR, SHOWN_PX
from aftermap.buildings.lettering import BEYOND, Caption, readable, traced, with_caption
from aftermap.buildings.levels import levels_of
from aftermap.buildings.profile import building_profile, drawing_of
from aftermap.buildings.written import write_bytes, write_jpeg
from aftermap.geo.arrays import ByteArray, GenericArray
from aftermap.geo.grid import Block, rowcol_of
from aftermap.geo.measured_heights import filled_on, measured_over
from aftermap.geo.polygon import cells_inside, shape_of
from aftermap.geo.windows import block_over, read_block
from aftermap.model.building import Building
from aftermap.model.evidence import CropWindow, Evidence, EvidenceKind, SourceShare
from aftermap.model.raster import Elevation, Grid, Orthophoto
from aftermap.model.runs import Workspace

Called = tuple[str, str, str | None, float | None]
"""Digest and name of a placed picture, and the clip and time that it was taken from."""

STOREY_M = 3.0
GROUND_CELL_M = 0.25
GROUND_AROUND_M = 8.0
LEAST_SHARE = 0.005
NAMED_SOURCES = 4


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A building that gets a plan and a profile, its place in ``Buildings`` and its folder."""

    place: int
    building: Building
    folder: str
    expected_m: float | None


def plan_and_profile(
    work: Planned,
    *,
    orthophoto: Orthophoto,
    elevation: Elevation,
    frames: Sequence[Called],
    digests: tuple[str, str],
    files: Workspace,
) -> list[Evidence]:
    """The rows of a building's plan and profile, their files written.

    ``frames`` are the placed pictures in their order, ``digests`` those of the orthophoto and of
    the surface. Where the orthophoto shows nothing of the outline there is no plan.
    """
    rows = [
        _plan(work, elevation, orthophoto, frames, digests[0], files),
        _profile(work, elevation, digests[1], files),
    ]
    return [row for row in rows if row is not None]


def _plan(
    work: Planned,
    elevation: Elevation,
    orthophoto: Orthophoto,
    frames: Sequence[Called],
    digest: str,
    files: Workspace,
) -> Evidence | None:
    shape, grid = shape_of(work.building.polygons_m), orthophoto.image.grid
    block, scale = _window(shape, grid)
    pixels, cut = read_block(orthophoto.image, block)
    inside = cells_inside(shape, cut)
    if not (pixels[3] > 0)[inside].any():
        return None
    numbers, _ = read_block(orthophoto.source, block)
    sources = _sources(numbers[0][inside], frames)
    filled = float(filled_on(elevation, cut)[inside].mean())
    outlines = [ring for part in shape.geoms for ring in (part.exterior, *part.interiors)]
    rings = [rowcol_of(cut, shapely.get_coordinates(ring))[:, ::-1] * scale for ring in outlines]
    shown = traced(_scaled(_on_paper(pixels), scale), rings, ROOF_COLOUR)
    lines = _first_line(grid.cell_m, scale), _second_line(sources, filled), f"SHA-256 {digest}"
    caption = Caption(lines=lines, north_deg=0.0, pixel_m=grid.cell_m / scale)
    name = f"{work.folder}/orthophoto.jpg"
    made = write_jpeg(with_caption(shown, caption), files, f"evidence/{name}")
    window = CropWindow(
        left_px=block.column,
        top_px=block.row,
        width_px=block.columns,
        height_px=block.rows,
        turn_deg=0.0,
        scale=scale,
    )
    return replace(
        _row(work, EvidenceKind.ORTHOPHOTO, name, files, (made, digest)),
        window=window,
        ground_sample_m=grid.cell_m,
        sources=sources,
    )


def _first_line(cell_m: float, scale: float) -> str:
    times = f" · enlarged {scale:g} times" if scale > 1 else f" · reduced to 1:{1 / scale:g}"
    return f"Orthophoto, {cell_m * 100:.1f} cm a pixel{'' if scale == 1 else times}"


def _second_line(sources: Sequence[SourceShare], filled: float) -> str:
    named = [f"{readable(one.name)} {one.fraction:.0%}" for one in sources[:NAMED_SOURCES]]
    more = f" and {len(sources) - NAMED_SOURCES} more" if len(sources) > NAMED_SOURCES else ""
    origin = f"roof taken from {', '.join(named)}{more}" if named else "source not known"
    return origin + (f" · {filled:.0%} filled, not measured" if filled >= LEAST_SHARE else "")


def _profile(work: Planned, elevation: Elevation, digest: str, files: Workspace) -> Evidence | None:
    shape = shape_of(work.building.polygons_m)
    west, south, east, north = shape.buffer(GROUND_AROUND_M).bounds
    over = measured_over(elevation, (west, south), (east, north), cell_m=GROUND_CELL_M)
    levels = levels_of(shape, over.measured_m, over.grid)
    if not math.isfinite(levels.ground_m):
        return None
    footprint = work.building.footprint
    expected = work.expected_m
    if expected is None and footprint.levels is not None:
        expected = footprint.levels * STOREY_M
    profile = building_profile(work.building.polygons_m, elevation, levels.ground_m, expected)
    if not np.isfinite(profile.height_m).any():
        return None
    name = f"{work.folder}/profile.svg"
    drawing = drawing_of(profile, f"Profile of building {readable(footprint.source_id)}")
    made = write_bytes(drawing.encode("utf-8", "replace"), files, f"evidence/{name}")
    return replace(
        _row(work, EvidenceKind.PROFILE, name, files, (made, digest)),
        ground_sample_m=elevation.surface.grid.cell_m,
    )


def _row(
    work: Planned, kind: EvidenceKind, name: str, files: Workspace, digests: tuple[str, str]
) -> Evidence:
    """A row with what both kinds have; ``digests`` are of the file and of what it was made from."""
    originals = {EvidenceKind.ORTHOPHOTO: "orthophoto.tif", EvidenceKind.PROFILE: "surface.tif"}
    return Evidence(
        building=work.place,
        source_id=work.building.footprint.source_id,
        kind=kind,
        rank=1,
        path=str(files.path(f"evidence/{name}")),
        name=name,
        file_sha256=digests[0],
        original_sha256=digests[1],
        original_name=originals[kind],
    )


def _window(shape: shapely.MultiPolygon, grid: Grid) -> tuple[Block, float]:
    """The cells around an outline, in the shape of all crops, and how large they are shown."""
    west, south, east, north = shape.bounds
    across = max((east - west) * (1 + 2 * MARGIN), LEAST_ACROSS_M)
    across = max(across, (north - south) * (1 + 2 * MARGIN) * ASPECT)
    half = across / 2, across / ASPECT / 2
    middle = (west + east) / 2, (south + north) / 2
    block = block_over(
        grid, (middle[0] - half[0], middle[1] - half[1]), (middle[0] + half[0], middle[1] + half[1])
    )
    least, most = SHOWN_PX
    if block.columns < least:
        return block, float(math.ceil(least / block.columns))
    return block, 1.0 / math.ceil(block.columns / most)


def _on_paper(pixels: GenericArray) -> ByteArray:
    """(rows, columns, 3) BGR of red, green, blue and alpha; grey where there is no picture."""
    bgr = np.moveaxis(pixels[:3][::-1], 0, -1)
    return np.where((pixels[3] > 0)[..., None], bgr, np.array(BEYOND)).astype(np.uint8)


def _scaled(picture: ByteArray, scale: float) -> ByteArray:
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    if scale == 1:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _sources(numbers: GenericArray, frames: Sequence[Called]) -> tuple[SourceShare, ...]:
    """Which pictures the cells were taken from, the largest share first."""
    found, counts = np.unique(numbers.astype(np.int64), return_counts=True)
    shares = []
    for number, count in sorted(zip(found, counts, strict=True), key=lambda pair: -pair[1]):
        fraction = float(count / numbers.size)
        if number >= len(frames) or fraction < LEAST_SHARE:
            continue
        sha256, name, clip, time_s = frames[number]
        shares.append(
            SourceShare(
                sha256=sha256, name=name, fraction=fraction, clip_sha256=clip, time_s=time_s
            )
        )
    return tuple(shares)
