"""Places clicked in a picture of a clip and on the map -> where the clip was filmed from, live.

The solution and its accuracy are those of ``aftermap locate``
(:mod:`aftermap.localization.clicked_camera`), and what is saved goes the way of that command; the
clicks are kept in ``ties/`` of the case.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import rasterio
import shapely

from aftermap.errors import AftermapError, CaseError
from aftermap.geo.arrays import Array
from aftermap.geo.lens import projected_px
from aftermap.localization.clicked_camera import as_camera, ground_ce90_m, solved_camera
from aftermap.localization.correspondences import Correspondence
from aftermap.localization.object_points import object_points_of
from aftermap.localization.reference import Reference, filled_at, heights_at_m, surface_in
from aftermap.localization.resect import Resected, clip_pose
from aftermap.model.clip import Clip
from aftermap.model.media import VerticalDatum
from aftermap.model.sighting import SURFACE_SIGMA_M, Ground, GroundKind
from aftermap.model.trajectory import PoseSource
from aftermap.record.building_rows import building_geometries
from aftermap.record.disk import write_text
from aftermap.record.geometry import shapes_of
from aftermap.viewshed import SightingOptions
from aftermap.viewshed.terrain import open_ground
from aftermap.viewshed.view import Eye, Look, look_of
from aftermap.web.footage_responses import SolvedView
from aftermap.web.opened import OpenedCase, ResponseCache, stamp_of
from aftermap.workflows.locate import locate
from aftermap.workflows.map_accuracy import map_sigma_m

XY = tuple[float, float]

MOST_OUTLINES = 400
CLICKS = Path("clicks")
"""What errors call the ties, in place of the file that the command reads."""


@dataclass(frozen=True, kw_only=True)
class Click:
    """One place that was clicked in a picture and on the map. ``height_m`` None: the surface's."""

    time_s: str
    xy_px: tuple[float, float]
    lonlat_deg: tuple[float, float]
    height_m: float | None = None


@dataclass
class Locating:
    """Solves cameras over the surface of the case."""

    case: OpenedCase
    _surfaces: ResponseCache[Reference] = field(
        default_factory=lambda: ResponseCache(1, lambda _: 1)
    )

    def solve_view(self, clip: Clip, clicks: Sequence[Click]) -> SolvedView:
        """The camera of one picture, how well each click fits, and what it sees, for the page.

        Raises InputError where the clicks fix no camera, CaseError where there is no surface.
        """
        surface = self._surface()
        ties = [_tie(number, one) for number, one in enumerate(clicks, start=1)]
        placed = object_points_of(ties, surface, CLICKS)
        solved = solved_camera(clip, placed, surface, what="these clicks")
        pose = solved.pose
        camera = self.case.place.lonlat_deg([pose.position_m[:2]])[0]
        look = self._look(clip, pose, Fraction(clicks[0].time_s), placed.lowest_m)
        place = self.case.place
        return SolvedView(
            position=(*camera.tolist(), float(pose.position_m[2])),
            sigma_m=solved.position_sigma_m.tolist(),
            focal_px=float(pose.params[0]),
            focal_sigma_px=pose.focal_sigma_px,
            focal_before_px=clip.focal.focal_px,
            residuals_px=pose.residuals_px.tolist(),
            left_out_px=pose.left_out_px.tolist(),
            used=pose.used.tolist(),
            sigma_px=pose.sigma_px,
            heights_m=placed.xyz_m[:, 2].tolist(),
            filled=[tie.line in placed.filled for tie in ties],
            ce90_m=ground_ce90_m(pose, clip, surface),
            ring=[] if look is None else place.lonlat_deg(look.ring_m).tolist(),
            outer=[] if look is None else place.lonlat_deg(look.outer_m).tolist(),
            outlines=[] if look is None else self._outlines(clip, pose, look.ring_m),
        )

    def _look(self, clip: Clip, pose: Resected, time_s: Fraction, ground_m: float) -> Look | None:
        """What the camera sees of the ground, with its band; None where it sees none."""
        eye = Eye.of(as_camera(clip, pose), ground_m, SURFACE_SIGMA_M, SightingOptions())
        moment = clip_pose(pose, time_s, 0, PoseSource.RESECTED)
        ground = _ground(self.case.raster("surface"))
        with open_ground(ground, self.case.place.crs, ground_m, SightingOptions()) as windows:
            return look_of(moment, eye, windows.over(eye.box_m(moment)))

    def _outlines(self, clip: Clip, pose: Resected, ring_m: Array) -> list[list[XY]]:
        """Outlines of the buildings in the footprint, at the height of their roofs, in pixels.

        A roof whose height was not measured has none.
        """
        surface = self._surface()
        shapes = shapes_of(building_geometries(self.case.package))
        inside = shapes[shapely.intersects(shapes, shapely.Polygon(ring_m))][:MOST_OUTLINES]
        found = []
        for shape in inside:
            middle = shapely.point_on_surface(shape)
            place = np.array([[middle.x, middle.y]])
            if filled_at(surface, place)[0]:
                continue
            roof = float(heights_at_m(surface, place)[0])
            for ring in (shapely.get_exterior_ring(part) for part in shapely.get_parts(shape)):
                pixels = _pixels(shapely.get_coordinates(ring), roof, pose, clip)
                if pixels is not None:
                    found.append(pixels)
        return found

    def _surface(self) -> Reference:
        path = self.case.raster("surface")
        key = stamp_of(path), stamp_of(path.with_name("cameras.json"))
        return self._surfaces.get(key, lambda: surface_in(path, map_sigma_m(path)))


def _pixels(xy_m: Array, height_m: float, pose: Resected, clip: Clip) -> list[XY] | None:
    """A ring in the picture; None where it lies behind the camera or far outside the picture."""
    if not np.isfinite(height_m):
        return None
    xyz = np.column_stack([xy_m, np.full(len(xy_m), height_m)])
    seen = projected_px((xyz - pose.position_m) @ pose.rotation_cam_from_world.T, pose.params)
    limit = 2 * np.array([clip.width_px, clip.height_px])
    if not np.isfinite(seen).all() or (np.abs(seen) > limit).any():
        return None
    return [(float(x), float(y)) for x, y in np.round(seen, 1)]


def _tie(number: int, one: Click) -> Correspondence:
    return Correspondence(
        line=number,
        time_s=Fraction(one.time_s),
        frame=None,
        xy_px=one.xy_px,
        lonlat_deg=one.lonlat_deg,
        height_m=one.height_m,
    )


def _ground(surface: Path) -> Ground:
    with rasterio.open(surface) as heights:
        tag = heights.tags().get("AFTERMAP_VERTICAL_DATUM", VerticalDatum.UNKNOWN.value)
    return Ground(
        kind=GroundKind.SURFACE,
        path=str(surface),
        vertical_datum=VerticalDatum(tag),
        sigma_m=SURFACE_SIGMA_M,
    )


def keep_clicks(case: OpenedCase, clip: Clip, clicks: Sequence[Click]) -> Path:
    """Write the clicks as ties (docs/reference/correspondences.md) into the case; the file."""
    lines = ["time_s,px,py,lon,lat,height"]
    for one in sorted(clicks, key=lambda one: Fraction(one.time_s)):
        height = "" if one.height_m is None else f"{one.height_m:.3f}"
        (x, y), (lon, lat) = one.xy_px, one.lonlat_deg
        time_s = float(Fraction(one.time_s))  # the picture nearest to it is meant
        lines.append(f"{time_s:.9f},{x:.2f},{y:.2f},{lon:.8f},{lat:.8f},{height}")
    path = case.path / "ties" / f"{clip.sha256}.csv"
    path.parent.mkdir(exist_ok=True)
    write_text(path, "\n".join(lines) + "\n")
    return path


@dataclass(frozen=True, kw_only=True)
class LocateResult:
    """How placing a clip ended: what ``aftermap locate`` says of it, or what went wrong."""

    lines: tuple[str, ...] = ()
    error: str | None = None


def locate_clip(case_path: Path, clip: Clip, ties: Path) -> LocateResult:
    """As ``aftermap locate``, which keeps what it finds in the case.

    Made to run in a process of its own: it decodes the whole clip.
    """
    try:
        return LocateResult(lines=locate(case_path, clip.sha256, ties).lines)
    except (AftermapError, OSError) as error:
        return LocateResult(error=str(error))


def refuse_without_surface(case: OpenedCase) -> None:
    """Raise where there is no surface, or the case has no place on the globe."""
    case.raster("surface")
    if not case.place.is_on_globe:
        raise CaseError("this case is not georeferenced; a clip cannot be located in it")
