import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
from examples import share_of_examples
from hypothesis import given
from hypothesis import strategies as st
from tiny_district import small

import aftermap_twin
from aftermap.model.assessment import Grade
from aftermap_twin import make
from aftermap_twin.blocks import damage as blocks_damage
from aftermap_twin.blocks.district import ruined_blocks
from aftermap_twin.blocks.frames import EstateBlock, block_on
from aftermap_twin.blocks.layout import BAY_M, Pitch, estate_over
from aftermap_twin.blocks.materials import PanelRows
from aftermap_twin.blocks.panels import raise_block
from aftermap_twin.caster import Caster
from aftermap_twin.city.buildings import TwinBuilding, building_on, varied_building_on
from aftermap_twin.city.layout import Lot
from aftermap_twin.city.shell import WallTable, build
from aftermap_twin.city.variety import LARGEST_M, LIGHT_SHARE, varied_floors_left
from aftermap_twin.flight import stations_of
from aftermap_twin.light import light_of
from aftermap_twin.making import scene_for
from aftermap_twin.mesh import Material, MeshBuilder
from aftermap_twin.options import Style, TwinOptions
from aftermap_twin.render import heights_m
from aftermap_twin.site import HEIGHT_STEP_M, Extent
from aftermap_twin.village import damage as village_damage
from aftermap_twin.village.houses import CELL_M, House, house_on
from aftermap_twin.village.layout import Site
from aftermap_twin.village.materials import SurfaceRows
from aftermap_twin.village.shell import raise_house

STYLES = ("city", "village", "blocks")
STEP_M = 0.1
GRADES = st.sampled_from(list(Grade))
SEEDS = st.integers(0, 10_000)


def house(seed: int, roof: str = "flat") -> House:
    site = Site(
        corner_m=np.zeros(2),
        forward=np.array([1.0, 0.0]),
        side=np.array([0.0, 1.0]),
        length_m=14.0,
        width_m=9.0,
        is_shed=False,
    )
    drawn = house_on(np.random.default_rng(seed), 1, site, 0.0)
    return replace(drawn, roof=roof, wing=None, storeys=1, slope=0.6)


def block(seed: int, storeys: int = 6) -> EstateBlock:
    pitch = Pitch(
        corner_m=np.zeros(2),
        forward=np.array([1.0, 0.0]),
        side=np.array([0.0, 1.0]),
        bays=7,
        depth_m=12.0,
        kind="slab",
    )
    drawn = block_on(np.random.default_rng(seed), 1, pitch, 0.0)
    return replace(drawn, storeys=storeys, is_unfinished=False)


def low_area_m2(
    raised: Callable[[MeshBuilder], None], size_m: tuple[float, float], below: Callable[..., object]
) -> float:
    """Area of a plan from 0, 0 on where a plumb line meets nothing as high as the roof."""
    mesh = MeshBuilder()
    raised(mesh)
    mesh.add_quads(
        [[[-50, -50, -9], [50, -50, -9], [50, 50, -9], [-50, 50, -9]]],
        Material.GROUND,
        (0.3, 0.3, 0.3),
    )
    x, y = np.meshgrid(
        np.arange(0.6, size_m[0] - 0.6, STEP_M), np.arange(0.6, size_m[1] - 0.6, STEP_M)
    )
    heights = heights_m(Caster(mesh.mesh()), np.column_stack([x.ravel(), y.ravel()]))
    return float(np.sum(heights < below(x.ravel(), y.ravel()))) * STEP_M**2


@pytest.mark.parametrize("radius_m", [0.6, 1.0, 2.0])
def test_a_hole_of_stated_size_is_in_the_surface_of_a_house(radius_m: float) -> None:
    home = house(3, roof="gable")
    whole = village_damage.unhurt(home)
    s, t = whole.cells_m()
    whole.roof[np.hypot(s - 6.0, t - 2.6) < radius_m] = village_damage.OPEN
    stated = (whole.roof == village_damage.OPEN).sum() * CELL_M**2

    def raised(mesh: MeshBuilder) -> None:
        raise_house(np.random.default_rng(1), home, whole, mesh, SurfaceRows())

    found = low_area_m2(raised, (14.0, 9.0), lambda x, y: home.eaves_m + home.rise_m(x, y) - 0.25)
    assert found == pytest.approx(stated, rel=0.25)


@pytest.mark.parametrize("radius_m", [0.3, 1.0, 2.2])
def test_a_hole_of_stated_size_is_in_the_surface_of_a_block(radius_m: float) -> None:
    tall = block(5)
    whole = blocks_damage.unharmed(tall)
    hole = shapely.Point(9.0, 4.0).buffer(radius_m)
    ruin = replace(whole, gone=(*whole.gone[:-1], hole))

    def raised(mesh: MeshBuilder) -> None:
        raise_block(np.random.default_rng(1), tall, ruin, mesh, PanelRows())

    size = (7 * BAY_M, 12.0)
    found = low_area_m2(raised, size, lambda x, y: tall.height_m - 0.5 + 0 * x)
    assert found == pytest.approx(hole.area, rel=0.12)
    assert blocks_damage.toll_of(tall, ruin).roof == pytest.approx(
        hole.area / tall.plan().area, rel=0.01
    )


def test_cells_lost_from_a_city_roof_are_in_its_surface() -> None:
    building = city_building(Grade.LIGHT, seed=4)
    lost = (building.left < building.levels) & (building.left >= 0)
    cell_m2 = float(np.prod(building.cell_m))

    def raised(mesh: MeshBuilder) -> None:
        build(np.random.default_rng(1), building, mesh, WallTable())

    found = low_area_m2(raised, (18.0, 12.0), lambda x, y: building.roof_m - 0.5 + 0 * x)
    assert found == pytest.approx(lost.sum() * cell_m2, rel=0.3)


def city_building(grade: Grade, seed: int) -> TwinBuilding:
    corners = np.array([[0.0, 0.0], [18.0, 0.0], [18.0, 12.0], [0.0, 12.0]])
    rng = np.random.default_rng(seed)
    drawn = building_on(rng, 1, Lot(corners_m=corners, use="building"), grade, 0.0, 3)
    full = varied_floors_left(rng, grade, np.ones(drawn.left.shape, bool), 3, 0.5)
    return replace(drawn, left=full, jitter_m=np.zeros((*np.add(full.shape, 1), 2)))


@given(seed=SEEDS, grade=GRADES, roof=st.sampled_from(["gable", "hip", "flat"]))
@share_of_examples(0.3)
def test_a_house_is_hurt_as_its_grade_is_defined(seed: int, grade: Grade, roof: str) -> None:
    home = house(seed, roof)
    hurt = village_damage.wounds_of(np.random.default_rng(seed), home, grade)
    losses = village_damage.losses_of(home, hurt)
    assert village_damage.grade_of_losses(losses) is grade
    if grade is Grade.LIGHT:
        assert losses.open <= 0.10
        assert losses.walls == 0
    if grade is Grade.DESTROYED:
        assert losses.walls > 0.5


@given(seed=SEEDS, grade=GRADES, storeys=st.integers(1, 12))
@share_of_examples(0.3)
def test_a_block_is_ruined_as_its_grade_is_defined(seed: int, grade: Grade, storeys: int) -> None:
    tall = block(seed, storeys)
    toll = blocks_damage.toll_of(
        tall, blocks_damage.ruin_of(np.random.default_rng(seed), tall, grade)
    )
    assert blocks_damage.grade_of_toll(toll) is grade
    low, high = {
        Grade.NONE: (0.0, 0.0),
        Grade.LIGHT: (0.0, 0.10),
        Grade.MODERATE: (0.0, 0.16),
        Grade.SEVERE: (0.0, 0.67),
        Grade.DESTROYED: (0.6, 1.0),
    }[grade]
    assert low <= toll.bulk <= high + 1e-9


@given(seed=SEEDS)
@share_of_examples(0.5)
def test_light_damage_of_the_varied_city_is_holes_in_a_part_of_the_roof(seed: int) -> None:
    mask = np.ones((26, 34), bool)
    left = varied_floors_left(np.random.default_rng(seed), Grade.LIGHT, mask, 3, 0.5)
    assert left.min() >= 1
    assert 0 < (left < 3).mean() <= LIGHT_SHARE


def test_holes_of_the_varied_city_are_as_small_as_a_cell_and_as_large_as_four_metres() -> None:
    mask = np.ones((40, 40), bool)
    lost = [
        int((varied_floors_left(np.random.default_rng(k), Grade.LIGHT, mask, 2, 0.5) < 2).sum())
        for k in range(80)
    ]
    assert 0.006 * mask.size <= min(lost) <= 16
    assert max(lost) * 0.25 > 0.6 * np.pi * LARGEST_M**2


def test_varied_buildings_pancake_and_have_tiles_and_domes() -> None:
    lot = Lot(
        corners_m=np.array([[0.0, 0.0], [18.0, 0.0], [18.0, 12.0], [0.0, 12.0]]), use="building"
    )
    drawn = [
        varied_building_on(np.random.default_rng(k), 1, lot, grade, 0.0, 3)
        for k in range(40)
        for grade in (Grade.NONE, Grade.DESTROYED)
    ]
    pancaked = [building for building in drawn if building.is_pancaked]
    assert pancaked
    assert all(building.roof_m < 2.6 for building in pancaked)
    assert {building.style for building in drawn if building.roofing} == {5, 6}


def modules_of(style: str) -> list[Path]:
    return sorted((Path(aftermap_twin.__file__).parent / style).glob("*.py"))


@pytest.mark.parametrize("style", STYLES)
def test_a_style_knows_nothing_of_the_others(style: str) -> None:
    others = tuple(f"aftermap_twin.{other}" for other in STYLES if other != style)
    forbidden = (*others, "aftermap_twin.styles", "aftermap_twin.shading", "aftermap_twin.tiles")
    assert modules_of(style)
    for path in modules_of(style):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in named if name.startswith(forbidden)], path


def tiny(style: str) -> TwinOptions:
    return small(
        style=Style(style), variety=True, photos=2, width_px=128, height_px=96, ground_sample_m=0.3
    )


def triangles(options: TwinOptions) -> bytes:
    scene = scene_for(options, stations_of(options))
    mesh = scene.mesh
    return b"".join(
        part.tobytes()
        for part in (mesh.vertices, mesh.faces, mesh.material, mesh.tone, scene.surfaces)
    )


@pytest.mark.parametrize("style", STYLES)
def test_a_style_repeats_and_varies_with_the_seed(style: str) -> None:
    first = triangles(tiny(style))
    assert triangles(tiny(style)) == first
    assert triangles(replace(tiny(style), seed=6)) != first


@pytest.mark.parametrize("style", ["village", "blocks"])
def test_a_style_is_photographed_with_its_truth(style: str, tmp_path: Path) -> None:
    summary = make(tmp_path / "out", replace(tiny(style), photos=3))
    document = json.loads((tmp_path / "out/truth/buildings.geojson").read_text(encoding="utf-8"))
    assert len(document["features"]) == summary.buildings > 0
    for feature in document["features"]:
        facts = feature["properties"]
        assert facts["grade"] in set(Grade)
        assert (facts["damage"] == "whole") == (facts["grade"] == "none")
        assert "roof_open" in facts
    picture = cv2.imread(str(tmp_path / "out/images/DJI_0001.JPG"))
    assert picture is not None
    assert picture.std() > 15


def test_what_is_being_built_is_not_damaged() -> None:
    rng, extent = np.random.default_rng(3), Extent(low_m=(-200.0, -200.0), high_m=(200.0, 200.0))
    estate = estate_over(rng, np.array(extent.low_m), np.array(extent.high_m))
    bare = np.zeros(extent.shape(HEIGHT_STEP_M), np.float32)
    blocks, ruins = ruined_blocks(rng, TwinOptions(style=Style.BLOCKS), estate, extent, bare)
    begun = [ruin for one, ruin in zip(blocks, ruins, strict=True) if one.is_unfinished]
    assert begun
    assert {ruin.kind for ruin in begun} == {"whole"}


def test_the_plain_city_has_the_sun_that_was_asked_for() -> None:
    plain = light_of(TwinOptions(sun_azimuth_deg=100.0, sun_elevation_deg=33.0))
    assert (plain.azimuth_deg, plain.elevation_deg, plain.sun_share) == (100.0, 33.0, 1.0)
    days = [light_of(TwinOptions(seed=seed, variety=True)) for seed in range(30)]
    assert np.ptp([day.elevation_deg for day in days]) > 25
    assert any(day.sun_share < 0.9 for day in days)
    assert any(np.isfinite(day.haze_m) for day in days)
