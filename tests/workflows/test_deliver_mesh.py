"""A mesh that cannot be made does not take the map with it."""

from types import SimpleNamespace

import pytest

from aftermap.errors import SurfaceError
from aftermap.model.media import VerticalDatum
from aftermap.model.mesh import Mesh
from aftermap.progress import NoProgress
from aftermap.record import Case
from aftermap.run import Runner
from aftermap.workflows import deliver_mesh


@pytest.fixture
def case(tmp_path):
    with Case.create_or_open(tmp_path / "case") as case:
        yield case


def delivered(case):
    with Runner(case, command="test", options=None, progress=NoProgress()) as run:
        return deliver_mesh.deliver_mesh(run, case, None, None, None, SimpleNamespace())


@pytest.mark.parametrize("error", [SurfaceError("nothing was measured"), OSError("disk is full")])
def test_without_a_mesh_the_run_goes_on_and_says_why(case, monkeypatch, error):
    for name in deliver_mesh.OF_A_MESH:  # of an earlier run
        (case.products / name).write_bytes(b"old")

    def failing(*_):
        raise error

    monkeypatch.setattr(deliver_mesh, "mesh_of", failing)
    (line,) = delivered(case)
    assert line.startswith("Warning")
    assert str(error) in line
    assert not any((case.products / name).exists() for name in deliver_mesh.OF_A_MESH)
    ((status, skipped),) = case.package.rows("SELECT status, skipped FROM run")
    assert status == "ok"
    assert str(error) in skipped


def test_a_mesh_is_delivered_with_its_points_and_kept(case, monkeypatch):
    calls = []

    def making(cameras, elevation, orthophoto, options, files, executor):
        calls.append(1)
        for name in deliver_mesh.OF_A_MESH:
            files.path(name).write_bytes(name.encode())
        return Mesh(
            mesh=str(files.path("mesh.glb")),
            points=str(files.path("points.laz")),
            crs="LOCAL",
            vertical_datum=VerticalDatum.LOCAL,
            origin_m=(0.0, 0.0, 0.0),
            triangles=12,
            walls=4,
            walls_textured_fraction=0.25,
            point_count=9,
        )

    monkeypatch.setattr(deliver_mesh, "mesh_of", making)
    (line,) = delivered(case)
    assert "12 triangles" in line
    assert "25 %" in line
    assert delivered(case) == (line,)
    assert len(calls) == 1
    for name in deliver_mesh.OF_A_MESH:
        assert (case.products / name).read_bytes() == name.encode()
