"""The map in three dimensions: its mesh and points, delivered where they could be made."""

from pathlib import Path

from aftermap.errors import AftermapError
from aftermap.mesh.build import mesh_of
from aftermap.mesh.options import MeshOptions
from aftermap.model.camera import Reconstruction
from aftermap.model.raster import Elevation, Orthophoto
from aftermap.model.runs import Executor, Skipped
from aftermap.record import Case
from aftermap.run import Runner
from aftermap.workflows.stages import MESH

OF_A_MESH = ("mesh.glb", "points.laz")


def deliver_mesh(
    run: Runner,
    case: Case,
    cameras: Reconstruction,
    elevation: Elevation,
    orthophoto: Orthophoto,
    executor: Executor,
) -> tuple[str, ...]:
    """Lines that say what was delivered. Without a mesh the map stays what it is.

    A mesh of an earlier run is not left beside a map that is not its own.
    """
    options = MeshOptions()
    try:
        mesh = run.stage(
            MESH,
            options,
            [cameras, elevation, orthophoto],
            lambda files: mesh_of(cameras, elevation, orthophoto, options, files, executor),
        )
    except (AftermapError, OSError, MemoryError) as error:
        for name in OF_A_MESH:
            (case.products / name).unlink(missing_ok=True)
        run.skip((Skipped(name="mesh.glb", reason=f"the 3D mesh could not be created: {error}"),))
        return (f"Warning: no 3D mesh and no point cloud: {error}",)
    for path in (mesh.mesh, mesh.points):
        run.deliver(path, Path(path).name)
    walls = (
        "no walls"
        if not mesh.walls
        else (
            f"{100 * mesh.walls_textured_fraction:.0f} % of the wall area textured from images, "
            "the rest hatched"
        )
    )
    size_mb = Path(mesh.mesh).stat().st_size / 1e6
    return (f"3D mesh: {mesh.triangles} triangles, {walls}; mesh.glb has {size_mb:.1f} MB",)
