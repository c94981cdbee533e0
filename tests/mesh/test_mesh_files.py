"""mesh.glb and points.laz of a made-up block whose faces have colours of their own."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import laspy
import numpy as np
import pyproj
import pytest
import rasterio
from glb_reader import read_glb
from in_process import InProcess
from painted_block import (
    BLUE,
    CELL_M,
    CRS,
    EAST_M,
    EAST_WALL_M,
    GREEN,
    GREY,
    GROUND_M,
    NORTH_M,
    NORTH_WALL_M,
    RED,
    ROOF_M,
    SIDE_CELLS,
    SOUTH_M,
    UNMEASURED_CELLS,
    WEST_M,
    rasters,
    reconstruction,
)

from aftermap.geo.crs import LOCAL
from aftermap.mesh.build import mesh_of
from aftermap.mesh.options import MeshOptions
from aftermap.mesh.points import compound_wkt
from aftermap.model.media import VerticalDatum
from aftermap.record.workspace import StageFolder

BLOCK_CELLS = 96


def make(folder, *, crs=CRS, datum=VerticalDatum.ELLIPSOID, **changes):
    elevation, picture = rasters(folder, crs=crs, datum=datum)
    cameras = reconstruction(folder, crs=crs, datum=datum)
    options = MeshOptions(block_cells=BLOCK_CELLS, **changes)
    return mesh_of(
        cameras, elevation, picture, options, StageFolder(folder=folder / "stage"), InProcess()
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mesh")
    mesh = make(folder)
    return mesh, *read_glb(folder / "stage" / "mesh.glb")


def world(mesh, xyz):
    """East, north from the grid's corner, and height over the ground."""
    east, north, height = mesh.origin_m
    return np.stack(
        [
            xyz[..., 0] + east - EAST_M,
            north - xyz[..., 2] - NORTH_M,
            xyz[..., 1] + height - GROUND_M,
        ],
        axis=-1,
    )


def samples(one):
    """Places in the middle of triangles and the colours that a viewer shows there."""
    uv = one.uv[one.faces].mean(axis=1) % 1.0
    height, width = one.picture.shape[:2]
    at = np.clip((uv * [width, height]).astype(int), 0, [width - 1, height - 1])
    return one.xyz[one.faces], one.picture[at[:, 1], at[:, 0]].astype(int)


def is_like(colours, colour):
    return np.abs(colours - np.array(colour)).max(axis=-1) < 60


def is_hatch(colours):
    return (
        (np.ptp(colours, axis=-1) < 25) & (colours.min(axis=-1) > 95) & (colours.max(axis=-1) < 165)
    )


def faces_of(made):
    """All triangles: (N, 3, 3) places and (N, 3) colours, of walls and of the rest."""
    mesh, _, primitives = made
    walls, flats = [], []
    for one in primitives:
        places, colours = samples(one)
        into = flats if one.material.startswith("ground") else walls
        into.append((world(mesh, places), colours, [one.material] * len(colours)))
    return [[np.concatenate(part) for part in zip(*some, strict=True)] for some in (walls, flats)]


def test_walls_are_upright_and_lie_within_half_a_cell_of_the_true_ones(made):
    (places, _, _), _ = faces_of(made)
    normals = np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0])
    assert np.abs(normals[:, 2]).max() <= 1e-6 * np.linalg.norm(normals, axis=1).max()
    east, north = places[..., 0], places[..., 1]
    off = np.min(
        [
            np.abs(east - WEST_M),
            np.abs(east - EAST_WALL_M),
            np.abs(north - SOUTH_M),
            np.abs(north - NORTH_WALL_M),
        ],
        axis=0,
    )
    assert off.max() < CELL_M / 2
    assert places[..., 2].min() == pytest.approx(0, abs=CELL_M / 4)
    assert places[..., 2].max() == pytest.approx(ROOF_M, abs=CELL_M / 4)


def test_every_wall_faces_away_from_the_block(made):
    (places, _, _), _ = faces_of(made)
    normals = np.cross(places[:, 1] - places[:, 0], places[:, 2] - places[:, 0])
    middle = np.array([(WEST_M + EAST_WALL_M) / 2, (SOUTH_M + NORTH_WALL_M) / 2, ROOF_M / 2])
    assert ((places.mean(axis=1) - middle) * normals).sum(axis=1).min() > 0


def test_walls_that_a_picture_sees_show_it_and_the_others_are_hatched(made):
    (places, colours, materials), _ = faces_of(made)
    middles = places.mean(axis=1)
    south, west = np.abs(middles[:, 1] - SOUTH_M) < CELL_M, np.abs(middles[:, 0] - WEST_M) < CELL_M
    assert south.any()
    assert west.any()
    assert is_like(colours[south], RED).all()
    assert is_like(colours[west], BLUE).all()
    others = ~south & ~west
    assert others.any()
    assert is_hatch(colours[others]).all()
    assert set(materials[others]) == {"not seen"}
    assert made[0].walls_textured_fraction == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("others", [0, 1])
def test_a_caption_over_a_wall_is_not_painted_on_it_and_another_picture_is_taken(tmp_path, others):
    """The south wall's lower half is under a caption in one picture; another may show all of it."""
    elevation, picture = rasters(tmp_path, crs=CRS, datum=VerticalDatum.ELLIPSOID)
    cameras = reconstruction(tmp_path, crs=CRS, datum=VerticalDatum.ELLIPSOID)
    south, west = cameras.placed
    placed = (with_caption(south, tmp_path), west, *[south] * others)
    files = StageFolder(folder=tmp_path / "stage")
    mesh = mesh_of(
        replace(cameras, placed=placed),
        elevation,
        replace(picture, gains=(1.0,) * len(placed)),
        MeshOptions(),
        files,
        InProcess(),
    )
    header, primitives = read_glb(files.folder / "mesh.glb")
    pages = [one.picture.astype(int) for one in primitives if one.material.startswith("walls")]
    assert not any(is_like(page, (255, 0, 255)).any() for page in pages)
    (places, colours, _), _ = faces_of((mesh, header, primitives))
    of_south = colours[np.abs(places.mean(axis=1)[:, 1] - SOUTH_M) < CELL_M]
    assert (is_like(of_south, RED) | is_hatch(of_south)).all()
    # Of walls 56 m long, 12 m are seen from the west and 16 m from the south, or half of those.
    assert mesh.walls_textured_fraction == pytest.approx(0.5 if others else 20 / 56, abs=0.06)


def with_caption(placed, folder):
    """The frame with the lower half of the red wall under a mask and painted over."""
    pixels = cv2.imread(placed.frame.path)
    is_wall = (pixels == np.array(RED)[::-1]).all(axis=-1)
    top = int(np.flatnonzero(is_wall.any(axis=1)).mean())
    pixels[top:] = (255, 0, 255)
    mask = np.full(is_wall.shape, 255, np.uint8)
    mask[top:] = 0
    paths = [str(folder / name) for name in ("caption.png", "mask.png")]
    for path, array in zip(paths, (pixels, mask), strict=True):
        cv2.imwrite(path, array)
    return replace(placed, frame=replace(placed.frame, path=paths[0], mask=paths[1]))


def test_pictures_fit_the_walls_to_their_edges(made):
    """The whole of the south wall's texture is red, also at its rim: the lens is taken out."""
    _, _, primitives = made
    red = [one for one in primitives if one.material.startswith("walls")]
    pages = {one.material: one.picture.astype(int) for one in red}
    shown = np.concatenate([page.reshape(-1, 3) for page in pages.values()])
    lit = shown[shown.max(axis=1) > 20]
    coloured = is_like(lit, RED) | is_like(lit, BLUE)
    assert coloured.mean() > 0.9


def test_roof_and_ground_show_the_orthophoto_and_nothing_is_drawn_where_it_was_filled(made):
    _, (places, colours, _) = faces_of(made)
    middles = places.mean(axis=1)
    roof = middles[:, 2] > ROOF_M / 2
    assert is_like(colours[roof], GREEN).mean() > 0.98
    assert (is_like(colours[~roof], GREY)).mean() > 0.98
    edge_m = UNMEASURED_CELLS[0].stop * CELL_M
    inside = (middles[:, 0] < edge_m - CELL_M) & (middles[:, 1] > -edge_m + CELL_M)
    assert not inside.any()
    assert (places[..., 2].max(axis=1) - places[..., 2].min(axis=1)).max() < 0.1


def test_the_file_says_where_it_lies(made):
    mesh, text, _ = made
    extras = text["asset"]["extras"]
    assert extras["crs"] == CRS
    assert extras["vertical_datum"] == "ellipsoid"
    assert extras["origin_m"] == list(mesh.origin_m)
    assert len(text["scenes"][0]["nodes"]) == 4
    assert mesh.triangles == sum(
        len(one.faces) for one in made[2] if one.material.startswith("ground")
    )


def test_points_are_the_measured_cells_in_the_case_s_coordinates(made, tmp_path):
    mesh = made[0]
    cloud = laspy.read(mesh.points)
    crs = cloud.header.parse_crs()
    assert crs.to_2d().to_epsg(min_confidence=60) == 32637
    assert crs.axis_info[2].direction == "up"  # PROJ knows what a height over the ellipsoid is
    measured = np.ones((SIDE_CELLS, SIDE_CELLS), bool)
    measured[UNMEASURED_CELLS] = False
    assert len(cloud.points) == measured.sum() == mesh.point_count
    columns = np.floor((np.asarray(cloud.x) - EAST_M) / CELL_M).astype(int)
    rows = np.floor((NORTH_M - np.asarray(cloud.y)) / CELL_M).astype(int)
    assert measured[rows, columns].all()
    assert len(np.unique(rows * SIDE_CELLS + columns)) == len(rows)
    with rasterio.open(mesh.mesh.replace("stage/mesh.glb", "surface.tif")) as raster:
        assert np.abs(np.asarray(cloud.z) - raster.read(1)[rows, columns]).max() <= 0.0006
    is_roof = np.asarray(cloud.z) > GROUND_M + 1
    rgb = np.stack([cloud.red, cloud.green, cloud.blue], axis=1) // 257
    assert (rgb[is_roof] == GREEN).all()
    assert (np.asarray(cloud.user_data) == 5).all()


@pytest.mark.parametrize("datum", [d for d in VerticalDatum if d != VerticalDatum.ELLIPSOID])
def test_the_datum_of_heights_is_in_the_crs_of_points(datum):
    crs = pyproj.CRS.from_wkt(compound_wkt(CRS, datum))
    assert crs.is_compound
    assert crs.sub_crs_list[0].to_epsg(min_confidence=60) == 32637
    assert datum.value in crs.sub_crs_list[1].name
    assert crs.sub_crs_list[1].axis_info[0].direction == "up"


def test_a_case_without_a_place_has_points_without_a_crs_and_says_so(tmp_path):
    mesh = make(tmp_path, crs=LOCAL, datum=VerticalDatum.LOCAL)
    cloud = laspy.read(mesh.points)
    assert cloud.header.parse_crs() is None
    (text,) = [v for v in cloud.header.vlrs if v.user_id == "Aftermap"]
    facts = json.loads(bytes(text.record_data))
    assert facts["crs"] == "LOCAL"
    assert "no scale" in facts["note"]
    extras = read_glb(tmp_path / "stage" / "mesh.glb")[0]["asset"]["extras"]
    assert (extras["crs"], extras["vertical_datum"]) == ("LOCAL", "local")


def test_a_large_raster_is_thinned_without_a_roof_melting_into_the_street(tmp_path):
    mesh = make(tmp_path, most_cells=SIDE_CELLS**2 // 4)
    _, primitives = read_glb(tmp_path / "stage" / "mesh.glb")
    for one in primitives:
        if one.material.startswith("ground"):
            heights = world(mesh, one.xyz[one.faces])[..., 2]
            assert (heights.max(axis=1) - heights.min(axis=1)).max() < 0.1
    assert mesh.point_count > SIDE_CELLS**2 * 0.9  # points stay those of the raster


def test_the_same_case_gives_the_same_bytes(made, tmp_path):
    again = make(tmp_path)
    for one, other in ((made[0].mesh, again.mesh), (made[0].points, again.points)):
        assert Path(one).read_bytes() == Path(other).read_bytes()
    assert laspy.read(again.points).header.creation_date is None


def test_textures_keep_to_their_size(tmp_path):
    make(tmp_path, ground_px=8_000, wall_px=500)
    _, primitives = read_glb(tmp_path / "stage" / "mesh.glb")
    pictures = {one.material: one.picture for one in primitives}
    ground = sum(
        p.shape[0] * p.shape[1] for name, p in pictures.items() if name.startswith("ground")
    )
    walls = sum(p.shape[0] * p.shape[1] for name, p in pictures.items() if name.startswith("walls"))
    assert ground < 8_000 * 1.1
    assert walls < 500 * 2
