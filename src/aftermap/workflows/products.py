"""What a map leaves in its case: cameras in the record and as a file, products, and a few lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aftermap.errors import PartialError
from aftermap.geo.footprint import footprint_m
from aftermap.geo.polygon import simple_ring
from aftermap.media import Ingested
from aftermap.model.camera import FrameSet, Reconstruction
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Skipped
from aftermap.publish import Report, write_cameras
from aftermap.record import Case
from aftermap.record.styles import add_styles, write_raster_styles
from aftermap.run import Runner
from aftermap.workflows.trajectories import Trajectories

OF_A_MAP = (
    "orthophoto.tif",
    "source.tif",
    "surface.tif",
    "confidence.tif",
    "surface_sigma.tif",
    "surface.qml",
    "confidence.qml",
    "surface_sigma.qml",
    "surface_measured.vrt",
    "surface_measured.qml",
    "mesh.glb",
    "points.laz",
)
"""Products that hold only beside the cameras of the run that made them."""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What a run leaves: the report to open, what it says in a few lines, and what is missing."""

    report: Path
    summary_lines: tuple[str, ...]
    missing: PartialError | None = None


def record_cameras(case: Case, cameras: Reconstruction, received: Ingested) -> None:
    """The cameras, and the ground that each photograph covers, into the record.

    A lens that was bent too far has no rays at its corners; the rest of the ring is kept.
    """
    footprints = {}
    for placed in cameras.placed:
        ring = footprint_m(placed, cameras.cameras[placed.camera])
        known = simple_ring(ring[np.isfinite(ring).all(axis=1)])
        if len(known):
            footprints[placed.frame.sha256] = [(float(e), float(n)) for e, n in known]
    case.replace_cameras(cameras, footprints, received.skipped)


def write_cameras_file(
    case: Case,
    cameras: Reconstruction,
    frames: FrameSet,
    left_out: Sequence[Skipped],
    flights: Trajectories,
) -> None:
    """Write products/cameras.json: every camera, clips' included, and what was left out."""
    write_cameras(
        cameras,
        case.products / "cameras.json",
        left_out=left_out,
        flights=flights.paths,
        frames=frames.frames,
    )


def deliver_rasters(run: Runner, *made: Elevation | Orthophoto) -> None:
    """Put every raster of these that is a product where people look for it, under its own name."""
    for raster in (raster for one in made for raster in one.published):
        run.deliver(raster.path, Path(raster.path).name)


def remove_stale(run: Runner, case: Case) -> None:
    """Remove the products of an earlier map that this run did not make anew."""
    for name in OF_A_MAP:
        if name not in run.products:
            (case.products / name).unlink(missing_ok=True)


def deliver_report(run: Runner, case: Case, report: Report) -> Mapped:
    """Enter what was made into the chain of custody, and say it in a few lines."""
    for name in ("cameras.json", "report.json", "report.html"):
        run.deliver(case.products / name, name)
    write_styles(case, run)
    warnings = tuple(f"Warning: {text}" for text in report.warnings)
    return Mapped(report=report.page, summary_lines=(*report.verdict, *warnings))


def write_styles(case: Case, run: Runner) -> None:
    """How the layers and rasters that are there look in QGIS."""
    add_styles(case.package)
    for path in write_raster_styles(case.products):
        run.deliver(path, path.name)
