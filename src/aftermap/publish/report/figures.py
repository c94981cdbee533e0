"""A finished run to the figures of its report. What is measured here is measured on overviews."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aftermap.geo.arrays import BoolArray, Uint16Array
from aftermap.geo.crs import LOCAL
from aftermap.geo.tuples import vector3
from aftermap.model.camera import PlacedFrame, Reconstruction
from aftermap.model.runs import StageRecord
from aftermap.publish.exchange.cameras import position_sigma_m
from aftermap.publish.report.contents import (
    CostTable,
    CountClass,
    LeftOut,
    Lens,
    MapFigures,
    Photograph,
    Photographs,
    Poses,
    Spread,
    StageCost,
)
from aftermap.publish.report.facts import IndexOnlyFacts, ReportFacts
from aftermap.publish.report.flight_figures import above_ground_m
from aftermap.publish.report.overlap import photographs_seeing
from aftermap.publish.report.residuals import gps_residual_m, wild_frames
from aftermap.publish.shared.left_out import left_out
from aftermap.publish.shared.overview import (
    NO_SOURCE,
    Surface,
    coarse_grid,
    counts_of,
    covered_area_m2,
    height_overview,
    over_low_ground,
)

SURFACE_LONGEST = 1400
SEEN_LONGEST = 320
SOURCE_LONGEST = 1024
CLASSES = ((0, 0), (1, 1), (2, 2), (3, 4), (5, 7), (8, 12), (13, None))


@dataclass(frozen=True, kw_only=True)
class Overviews:
    """The coarse arrays that both figures and pictures are made from."""

    surface: Surface
    seen_surface: Surface
    seen: Uint16Array
    agreeing: Uint16Array
    above_ground_m: Mapping[str, float]
    map_fraction: Mapping[int, float]


def overviews_of(facts: ReportFacts) -> Overviews:
    """Everything that has to be read or projected, once."""
    reconstruction = facts.reconstruction
    surface = height_overview(facts.elevation, SURFACE_LONGEST)
    coarse = over_low_ground(height_overview(facts.elevation, SEEN_LONGEST))
    return Overviews(
        surface=surface,
        seen_surface=coarse,
        seen=photographs_seeing(coarse, reconstruction.mapped, reconstruction.cameras),
        agreeing=counts_of(facts.elevation.confidence, surface.grid),
        above_ground_m=above_ground_m(reconstruction.mapped, surface),
        map_fraction=_map_fractions(facts),
    )


def _map_fractions(facts: ReportFacts) -> dict[int, float]:
    """The share of the orthophoto that each frame gave, by its index in cameras.json."""
    source = facts.orthophoto.source
    index = counts_of(source, coarse_grid(source.grid, SOURCE_LONGEST))
    index = index[index != NO_SOURCE]
    found, count = np.unique(index, return_counts=True)
    return {int(i): float(n) / index.size for i, n in zip(found, count, strict=True)}


def map_figures(facts: ReportFacts, overviews: Overviews) -> MapFigures:
    """Extent, resolution and completeness."""
    image, elevation = facts.orthophoto.image, facts.elevation
    measured_m = overviews.surface.measured_m
    heights = measured_m[np.isfinite(measured_m)]
    low, high = np.percentile(heights, [1, 99]) if len(heights) else (None, None)
    return MapFigures(
        area_m2=covered_area_m2(image),
        east_extent_m=image.grid.columns * image.grid.cell_m,
        north_extent_m=image.grid.rows * image.grid.cell_m,
        pixel_m=image.grid.cell_m,
        surface_cell_m=elevation.surface.grid.cell_m,
        ground_sample_m=elevation.ground_sample_m,
        measured_fraction=elevation.measured_fraction,
        filled_fraction=elevation.filled_fraction,
        absent_fraction=max(0.0, 1 - elevation.measured_fraction - elevation.filled_fraction),
        covered_fraction=facts.orthophoto.covered_fraction,
        low_m=float(low) if low is not None else None,
        high_m=float(high) if high is not None else None,
        not_known=None if len(heights) else "no surface height was measured",
    )


def spread(counts: Uint16Array, known: BoolArray) -> Spread:
    """How (rows, columns) counts are spread over the cells whose height is known, a mask."""
    values = counts[known]
    if not values.size:
        return Spread(median=None, classes=(), not_known="the surface model has no heights")
    classes = tuple(
        CountClass(
            least=least,
            most=most,
            fraction=float(((values >= least) & (values <= (most or values.max()))).mean())
            if least
            else float((values == 0).mean()),
        )
        for least, most in CLASSES
    )
    return Spread(median=float(np.median(values)), classes=classes, not_known=None)


def poses(reconstruction: Reconstruction) -> Poses:
    """Reprojection error and position uncertainty of the mapped photographs."""
    sigmas = [position_sigma_m(placed) for placed in reconstruction.mapped]
    known = np.array([sigma for sigma in sigmas if sigma is not None], float).reshape(-1, 3)
    missing = len(sigmas) - len(known)
    return Poses(
        reprojection_px=reconstruction.reprojection_px,
        position_sigma_m=vector3(np.median(known, axis=0)) if len(known) else None,
        worst_position_sigma_m=vector3(known.max(axis=0)) if len(known) else None,
        not_known=f"the adjustment gave no uncertainty for {missing} images" if missing else None,
    )


def lenses(reconstruction: Reconstruction) -> tuple[Lens, ...]:
    """Every camera that took a placed photograph."""
    placed = [frame.camera for frame in reconstruction.placed]
    return tuple(
        Lens(
            camera=_camera_name(reconstruction.placed, index),
            photographs=placed.count(index),
            width_px=camera.width_px,
            height_px=camera.height_px,
            model=camera.model,
            params=camera.params,
            focal_px=camera.focal_px,
            focal_sigma_px=camera.focal_sigma_px if np.isfinite(camera.focal_sigma_px) else None,
            focal_prior_px=camera.focal_prior_px,
            focal_prior_source=str(camera.focal_prior_source),
            focal_decision=camera.focal_decision,
            focal_if_freed_px=camera.focal_if_freed_px,
            focal_if_freed_sigma_px=camera.focal_if_freed_sigma_px,
            readout_ms=1000 * camera.readout_s,
            readout_sigma_ms=_ms(camera.readout_sigma_s),
            readout_source=str(camera.readout_source),
            readout_decision=camera.readout_decision,
        )
        for index, camera in enumerate(reconstruction.cameras)
        if index in placed
    )


def _ms(time_s: float | None) -> float | None:
    return None if time_s is None else 1000 * time_s


def _camera_name(placed: Sequence[PlacedFrame], index: int) -> str:
    return next(frame.frame.camera_key for frame in placed if frame.camera == index)


def photographs(
    facts: ReportFacts | IndexOnlyFacts, overviews: Overviews | None = None
) -> Photographs:
    """Every photograph, the placed ones in the order of cameras.json.

    Without overviews nothing is known of the ground below them, nor of their share of a map.
    """
    reconstruction = facts.reconstruction
    wild = wild_frames(reconstruction.placed)
    out = left_out(reconstruction, facts.frames, facts.ingest_skipped)
    is_mapped = reconstruction.no_map_because is None
    return Photographs(
        given=len(reconstruction.placed) + len(out),
        placed=len(reconstruction.placed),
        mapped=len(reconstruction.mapped) if is_mapped else 0,
        left_out=len(out),
        groups=reconstruction.group_sizes,
        placed_list=tuple(
            _photograph(reconstruction, index, overviews, is_wild=placed.frame.sha256 in wild)
            for index, placed in enumerate(reconstruction.placed)
        ),
        left_out_list=tuple(
            LeftOut(name=item.name, sha256=item.sha256, reason=item.reason) for item in out
        ),
    )


def _photograph(
    reconstruction: Reconstruction, index: int, overviews: Overviews | None, *, is_wild: bool
) -> Photograph:
    placed = reconstruction.placed[index]
    reason = reconstruction.why_not_mapped(placed)
    above_m = {} if overviews is None else overviews.above_ground_m
    return Photograph(
        name=placed.frame.name,
        sha256=placed.frame.sha256,
        mapped=reason is None,
        group=placed.group,
        reason=reason,
        reprojection_px=placed.reprojection_px,
        tie_points=placed.tie_points,
        position_m=placed.pose.position_m,
        position_sigma_m=position_sigma_m(placed),
        gps_residual_m=gps_residual_m(placed),
        gps_wild=is_wild,
        above_ground_m=above_m.get(placed.frame.sha256),
        recorded_height_m=placed.frame.relative_height_m,
        map_fraction=None if overviews is None else overviews.map_fraction.get(index, 0.0),
    )


def cost(stages: Sequence[StageRecord]) -> CostTable:
    """Time and memory by stage; the totals are of this run, so without what was reused."""
    ran = [stage for stage in stages if not stage.reused]
    return CostTable(
        wall_s=sum((stage.wall_s for stage in ran), 0.0),
        cpu_s=sum((stage.cpu_s for stage in ran), 0.0),
        peak_memory_bytes=max((stage.peak_memory_bytes for stage in ran), default=0),
        stages=tuple(
            StageCost(
                stage=stage.stage,
                version=stage.version,
                started_at=stage.started_at,
                wall_s=stage.wall_s,
                cpu_s=stage.cpu_s,
                peak_memory_bytes=stage.peak_memory_bytes,
                reused=stage.reused,
            )
            for stage in stages
        ),
    )


def unit_of(reconstruction: Reconstruction) -> str:
    """What a length is counted in."""
    return "units" if reconstruction.crs == LOCAL else "m"
