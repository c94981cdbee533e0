"""The mesh for the page: where it lies, and what is said of one that is missing or damaged."""

import numpy as np
import pytest
from made_up_case import EAST_M, GROUND_M, NORTH_M

from aftermap.geo.crs import transformed_xy
from aftermap.mesh.gltf import GlbWriter, Triangles

STEP_M = 0.5


def write_mesh(case_path):
    """A square of ground of 100 by 50 m from 10 m east and 20 m north of the origin."""
    path = case_path / "products" / "mesh.glb"
    extras = {"origin_m": [EAST_M, NORTH_M, GROUND_M - 5]}
    square = Triangles(
        steps=np.array([[0, 10, 0], [0, 10, 100], [200, 10, 100], [200, 10, 0]], np.uint16),
        uv=np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]]),
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        material=0,
    )
    with GlbWriter(path, extras) as out:
        out.material("ground", np.full((8, 8, 3), 200, np.uint8), quality=90)
        out.node("block", (10.0, 0.0, -20.0), STEP_M, square)
    return path


def test_the_page_is_told_where_the_mesh_lies(client, case_path):
    path = write_mesh(case_path)
    facts = client.get("/api/case").json()
    mesh = facts["mesh"]
    assert mesh["size_bytes"] == path.stat().st_size
    assert mesh["box_m"] == [10.0, -30.0, 110.0, 20.0]
    assert mesh["ground_m"] == pytest.approx(facts["height"]["base_m"] - (GROUND_M - 5))
    for name, (east, north) in (("origin", (0, 0)), ("east", (1, 0)), ("north", (0, 1))):
        place = (EAST_M + east * mesh["arm_m"], NORTH_M + north * mesh["arm_m"])
        ((lon, lat),) = transformed_xy("EPSG:32637", "EPSG:4326", [place])
        assert mesh[f"{name}_lonlat"] == pytest.approx((lon, lat), abs=1e-7)
    answer = client.get(mesh["address"])
    assert answer.headers["content-type"] == "model/gltf-binary"
    assert answer.content == path.read_bytes()


def test_a_case_without_a_mesh_says_what_makes_one(client):
    facts = client.get("/api/case").json()
    assert facts["mesh"] is None
    assert "aftermap map" in facts["missing"]["mesh"]
    assert client.get("/media/mesh").status_code == 404


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:100], lambda data: b"nonsense" * 20]
)
def test_a_damaged_mesh_is_told_and_the_rest_goes_on(client, case_path, damage):
    path = write_mesh(case_path)
    path.write_bytes(damage(path.read_bytes()))
    facts = client.get("/api/case").json()
    assert facts["mesh"] is None
    assert "mesh.glb" in facts["missing"]["mesh"]
    assert "surface" in facts["rasters"]


def test_a_mesh_without_a_session_is_not_sent(stranger, case_path):
    write_mesh(case_path)
    assert stranger.get("/media/mesh").status_code == 401
