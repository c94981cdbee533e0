"""Outlines in pictures, cameras and surface -> footprints of what the pictures show.

An outline that somebody draws in a picture is of what the picture shows, and so is its footprint.
Measured cells of the surface whose places lie in the outline in most pictures that see them are the
one part of it. The other is not measured: places where both the ground and the eaves above are
inside the outline in most pictures (the visual hull of an upright body, Laurentini 1994), and no
measured roof stands before it in all of them. What lies behind the ridge in every picture
is no part of the footprint, and no grade speaks of it. A large outline counts more than a small
one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import shapely
from rasterio.features import shapes
from rasterio.transform import Affine
from scipy.ndimage import binary_fill_holes
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from aftermap.buildings.outline_repair import too_small
from aftermap.buildings.picture_outlines import height_m, mask_in
from aftermap.geo.arrays import Array, BoolArray, Float32Array, Int32Array
from aftermap.geo.grid import cell_centres_m
from aftermap.geo.lens import rays_cam, seen_px
from aftermap.geo.march import HeightWindow, landings_m
from aftermap.geo.measured_heights import measured_block
from aftermap.geo.polygon import polygons_of
from aftermap.geo.windows import block_over
from aftermap.model.building import Footprint, FootprintSet
from aftermap.model.camera import Camera, CameraPose, PlacedFrame, Reconstruction
from aftermap.model.outlines import OutlinedBuilding, OutlinedBuildings, PictureOutline
from aftermap.model.raster import Elevation, Grid
from aftermap.model.runs import Skipped

CELL_M = 0.25
AROUND_M = 12.0
MOST_M = 120.0
"""No footprint reaches farther: rays near the horizon would go on for kilometres."""
LEAST_VOTE = 0.5
MOST_OUTLINES = 12
"""The pictures with the largest outlines of a building are asked; more are neighbours of those."""
GROUND_QUANTILE, ROOF_QUANTILE = 0.1, 0.85
LEAST_CELLS = 40
LEAST_ROOF_M, MOST_ROOF_M = 1.5, 40.0
EAVES_SHARE = 0.75
"""Between a level roof and a pitched one, which is half as high at its eaves."""
LOW_M, SEAM_M = 1.0, 1.5
"""Outlines are drawn generously: ground along their edge is no part of a standing building."""
CLEAR_M = 0.4
"""A line of sight so far above a place reaches it: heights are rough, and views nearly level."""
OPEN_SHARE = 0.5
"""Of the height of a building: what is hidden up to there is its far side. Outlines are generous,
so that the eaves behind a ridge would look over it."""
HALF = 0.5
LEAST_ASKED = 0.1
"""Share of the pictures, by weight, that must show a place with nothing before it."""
SMOOTH_M = 0.5
FINEST_PX = 40
"""So many pixels along each axis of an outline are followed to find where a building may be."""


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """One picture's outline of a building: its camera, the whole mask, and the value in it.

    ``ground`` is roughly the height of the ground that the picture shows.
    """

    pose: CameraPose
    camera: Camera
    mask: Int32Array
    value: int
    weight: float
    ground: float


@dataclass(frozen=True, kw_only=True)
class _Levels:
    """Heights of the ground beside a building and of the top of its roof."""

    ground: float
    top: float

    @property
    def eaves(self) -> float:
        """Up to here the body is taken to be upright; above it a roof may fall away."""
        return self.ground + EAVES_SHARE * (self.top - self.ground)


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """The surface on a building's own grid; NaN is not measured, and hides nothing.

    ``low`` is below everything that was measured.
    """

    grid: Grid
    height_m: Float32Array
    low: float

    @property
    def window(self) -> HeightWindow:
        """The same for rays."""
        known = np.isfinite(self.height_m)
        return HeightWindow(
            height_m=np.where(known, self.height_m, np.float32(self.low)).astype(np.float32),
            west_m=self.grid.east_m,
            north_m=self.grid.north_m,
            cell_m=self.grid.cell_m,
            outside_m=self.low,
        )


def footprints_of_outlines(
    outlined: OutlinedBuildings, cameras: Reconstruction, elevation: Elevation
) -> FootprintSet:
    """The outlined buildings on the ground, in the map's CRS.

    Those that no mapped picture shows are skipped.
    """
    by_name = {Path(one.frame.name).name.casefold(): one for one in cameras.mapped}
    masks: dict[Path, Int32Array] = {}
    footprints: list[Footprint] = []
    skipped: list[Skipped] = []
    for number, building in enumerate(outlined.buildings):
        views = []
        for outline in building.outlines:
            placed = by_name.get(outline.picture.casefold())
            if placed is not None:
                if outline.mask not in masks:
                    masks[outline.mask] = mask_in(outline.mask)
                views.append(_shown(outline, masks[outline.mask], placed, cameras))
        views = sorted((one for one in views if one.weight > 0), key=lambda one: -one.weight)
        found = _footprint(building, number, views[:MOST_OUTLINES], elevation)
        if isinstance(found, str):
            skipped.append(Skipped(name=building.source_id, reason=found))
        else:
            footprints.append(found)
    return FootprintSet(
        crs=cameras.crs,
        file_name=outlined.folder_name,
        file_sha256=outlined.sha256,
        id_field="building",
        footprints=tuple(footprints),
        skipped=tuple(skipped),
        notes=(f"{outlined.folder_name}: footprints from outlines in the images",),
    )


def _shown(
    outline: PictureOutline, mask: Int32Array, placed: PlacedFrame, cameras: Reconstruction
) -> _Shown:
    return _Shown(
        pose=placed.pose,
        camera=cameras.cameras[placed.camera],
        mask=mask,
        value=outline.mask_value,
        weight=float((mask == outline.mask_value).sum()),
        ground=placed.ground_m[0],
    )


def _footprint(
    building: OutlinedBuilding, number: int, views: Sequence[_Shown], elevation: Elevation
) -> Footprint | str:
    """The footprint, or why there is none."""
    if not views:
        return "is outlined in no mapped image"
    levels = _levels(building, views, elevation)
    if levels is None:
        return "no ground near it was measured"
    surface = _surface(views, levels, elevation, CELL_M)
    seen = _without_seam(_seen(views, surface), levels, surface)
    body = _share(views, surface.grid, [levels.ground, levels.eaves]) >= LEAST_VOTE
    area = _area(_whole(seen | _open(views, levels, surface, body)), seen, surface.grid)
    if area is None or not area.is_valid or too_small(np.array([area], object)):
        return "its outlines in the images leave no footprint of a building"
    return Footprint(
        source_id=building.source_id,
        feature=number,
        polygons_m=polygons_of(area),
        area_m2=float(area.area),
        levels=building.levels,
    )


def _area(inside: BoolArray, seen: BoolArray, grid: Grid) -> BaseGeometry | None:
    """The part of a mask that holds most of what was seen, the larger one where none does."""
    count, label = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    own = np.bincount(label[seen], minlength=count)[1:], np.bincount(label.ravel())[1:]
    part = label == 1 + int(np.lexsort((own[1], own[0]))[-1])
    transform = Affine(grid.cell_m, 0, grid.east_m, 0, -grid.cell_m, grid.north_m)
    outlines = [shape(one) for one, _ in shapes(part.astype(np.uint8), part, transform=transform)]
    return shapely.simplify(max(outlines, key=lambda one: one.area), grid.cell_m)


def _levels(
    building: OutlinedBuilding, views: Sequence[_Shown], elevation: Elevation
) -> _Levels | None:
    """Heights of ground and roof, measured where enough is; None where nothing near is."""
    above = height_m(building.levels)
    ground = float(np.median([view.ground for view in views]))
    levels = _Levels(ground=ground, top=ground + above)
    for _ in range(2):
        surface = _surface(views, levels, elevation, 2 * CELL_M)
        known = np.isfinite(surface.height_m)
        if not known.any():
            return None
        seen = _seen(views, surface)
        around, own = surface.height_m[known & ~seen], surface.height_m[seen]
        if len(around) >= LEAST_CELLS:
            ground = float(np.quantile(around, GROUND_QUANTILE))
        if len(own) >= LEAST_CELLS:
            above = float(np.quantile(own, ROOF_QUANTILE)) - ground
        levels = _Levels(ground=ground, top=ground + min(max(above, LEAST_ROOF_M), MOST_ROOF_M))
    return levels


def _surface(
    views: Sequence[_Shown], levels: _Levels, elevation: Elevation, cell_m: float
) -> _Measured:
    """The surface where a building between these levels may be."""
    grid = _where(views, levels, cell_m)
    heights = _heights_on(grid, elevation)
    known = heights[np.isfinite(heights)]
    low = float(known.min()) if len(known) else levels.ground
    return _Measured(grid=grid, height_m=heights, low=low - LOW_M)


def _heights_on(grid: Grid, elevation: Elevation) -> Float32Array:
    """(rows, columns) measured heights at the centres of a grid's cells; NaN where none is."""
    west, south, east, north = grid.area_m
    block = block_over(elevation.surface.grid, (west, south), (east, north))
    heights, _, at = measured_block(elevation, block)
    east_m, north_m = cell_centres_m(grid)
    row = ((at.north_m - north_m) / at.cell_m).astype(int).clip(0, at.rows - 1)
    column = ((east_m - at.east_m) / at.cell_m).astype(int).clip(0, at.columns - 1)
    return np.asarray(heights[np.ix_(row, column)], np.float32)


def _seen(views: Sequence[_Shown], surface: _Measured) -> BoolArray:
    """(rows, columns) the measured cells that the outlines show."""
    known = np.isfinite(surface.height_m)
    heights = np.where(known, surface.height_m, np.float32(surface.low))
    return np.asarray(known & (_share(views, surface.grid, [heights], surface) >= LEAST_VOTE))


def _without_seam(seen: BoolArray, levels: _Levels, surface: _Measured) -> BoolArray:
    """(rows, columns) the same without ground along its edge, where most of it is higher."""
    low = seen & (surface.height_m < levels.ground + LOW_M)
    if low.sum() > HALF * seen.sum():
        return seen
    depth = cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(seen & ~(low & (depth * surface.grid.cell_m < SEAM_M)))


def _open(
    views: Sequence[_Shown], levels: _Levels, surface: _Measured, body: BoolArray
) -> BoolArray:
    """(rows, columns) the places of a body that nothing measured hides in some of the pictures."""
    half = levels.ground + OPEN_SHARE * (levels.top - levels.ground)
    heights = np.full(body.shape, half, np.float32)
    shown = np.zeros(body.shape, bool)
    for view in views:
        shown |= _in_sight(view, heights, surface, body & ~shown)
    return shown


def _in_sight(
    view: _Shown, height_m: Float32Array, surface: _Measured, asked: BoolArray
) -> BoolArray:
    """(rows, columns) which of the places asked for a picture sees over what was measured."""
    x, y = np.meshgrid(*cell_centres_m(surface.grid))
    eye = np.array(view.pose.position_m)
    rays = np.stack([x, y, height_m + CLEAR_M], axis=-1)[asked] - eye
    seen = np.zeros(asked.shape, bool)
    if not len(rays):
        return seen
    away = np.hypot(rays[:, 0], rays[:, 1])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    met, _ = landings_m(eye, rays, surface.window, farthest_m=float(away.max()) + SEAM_M)
    seen[asked] = np.hypot(*(met[:, :2] - eye[:2]).T) > away - surface.grid.cell_m
    return seen


def _share(
    views: Sequence[_Shown],
    grid: Grid,
    heights: Sequence[Float32Array | float],
    surface: _Measured | None = None,
) -> Float32Array:
    """(rows, columns) weighed share of the pictures whose outline holds all of these heights.

    Over a ``surface`` only the pictures count that see a place.
    """
    levels = [
        np.broadcast_to(np.asarray(height, np.float32), (grid.rows, grid.columns))
        for height in heights
    ]
    shown = [_held(view, grid, levels) for view in views]
    asked = np.any([within for _, within in shown], axis=0)
    total, inside = np.zeros((2, grid.rows, grid.columns), np.float32)
    for view, (known, within) in zip(views, shown, strict=True):
        counted = known
        if surface is not None:
            counted = known & _in_sight(view, levels[0], surface, asked & known)
        total += np.float32(view.weight) * counted
        inside += np.float32(view.weight) * (counted & within)
    enough = total > LEAST_ASKED * sum(view.weight for view in views)
    return np.where(enough, inside / np.maximum(total, 1e-6), 0).astype(np.float32)


def _held(view: _Shown, grid: Grid, levels: Sequence[Float32Array]) -> tuple[BoolArray, BoolArray]:
    """Where a picture has places with no other outline over them; where its outline holds them."""
    x, y = np.meshgrid(*cell_centres_m(grid))
    known, within = np.ones(x.shape, bool), np.ones(x.shape, bool)
    for level in levels:
        pixels = seen_px(np.stack([x, y, level], axis=-1), view.pose, view.camera.params)
        framed, value = _values(view.mask, pixels)
        known &= framed & ((value == 0) | (value == view.value))
        within &= value == view.value
    return known, within


def _values(mask: Int32Array, pixels: Array) -> tuple[BoolArray, Int32Array]:
    """Which (..., 2) pixels lie in a picture, and the value of its mask there (0 elsewhere)."""
    rows, columns = mask.shape
    with np.errstate(invalid="ignore"):
        framed = np.asarray((pixels >= 0).all(-1) & (pixels < (columns, rows)).all(-1))
    at = np.where(framed[..., None], pixels, 0).astype(int)
    return framed, np.where(framed, mask[at[..., 1], at[..., 0]], 0).astype(np.int32)


def _where(views: Sequence[_Shown], levels: _Levels, cell_m: float) -> Grid:
    """A grid over all that the largest outline may cover on the ground, with a margin."""
    view = max(views, key=lambda one: one.weight)
    rows, columns = np.nonzero(view.mask == view.value)
    step = max(1, len(rows) // FINEST_PX**2)
    pixels = np.column_stack([columns[::step], rows[::step]]) + 0.5
    ray = rays_cam(pixels, view.camera.params) @ np.array(view.pose.rotation_cam_from_world)
    eye = np.array(view.pose.position_m)
    met = []
    for level in (levels.ground, levels.eaves):
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.where(ray[:, 2] < 0, (level - eye[2]) / ray[:, 2], np.nan)
        met.append((eye + ray * far[:, None])[:, :2])
    places = np.concatenate(met)
    places = places[np.isfinite(places).all(1)]
    if not len(places):
        places = eye[None, :2]
    nearest = places[np.linalg.norm(places - eye[:2], axis=1).argmin()]
    near = places[np.linalg.norm(places - nearest, axis=1) < MOST_M]
    west, south = near.min(0) - AROUND_M
    east, north = near.max(0) + AROUND_M
    return Grid(
        crs="",
        east_m=float(west),
        north_m=float(north),
        cell_m=cell_m,
        columns=int((east - west) / cell_m) + 1,
        rows=int((north - south) / cell_m) + 1,
    )


def _whole(inside: BoolArray) -> BoolArray:
    """Without teeth, threads and holes: closed and opened by a disc; the largest part."""
    side = 2 * max(1, round(SMOOTH_M / CELL_M)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc)
    return np.asarray(binary_fill_holes(opened))
