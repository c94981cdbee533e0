"""3-D in a real browser: the mesh stands on the map, and where one clicks is where it is."""

import io

import numpy as np
import pytest
from hands import until
from made_up_case import EAST_M, GROUND_M, NORTH_M
from PIL import Image

from aftermap.geo.crs import transformed_xy
from aftermap.mesh.gltf import GlbWriter, Triangles

RED, BLUE = (230, 20, 20), (20, 30, 230)
TOWER_M, HIGH_M, SIDE_M = 40.0, 60.0, 160.0
MAP = "document.querySelector('.map').bench.map"


def _quad(corners, material) -> Triangles:
    return Triangles(
        steps=np.array(corners, np.uint16),
        uv=np.array([[0.0, 0], [0, 1], [1, 1], [1, 0]]),
        faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        material=material,
    )


def write_tower(case):
    """Blue ground, and in its middle the red south wall of something tall."""
    extras = {"origin_m": [EAST_M, NORTH_M, GROUND_M]}
    side, high = int(SIDE_M), int(HIGH_M)
    low, end = int(SIDE_M / 2 - TOWER_M / 2), int(SIDE_M / 2 + TOWER_M / 2)
    middle = side // 2
    with GlbWriter(case / "products" / "mesh.glb", extras) as out:
        blue = out.material("ground", np.full((8, 8, 3), BLUE, np.uint8), quality=95)
        red = out.material("wall", np.full((8, 8, 3), RED, np.uint8), quality=95)
        out.node(
            "block",
            (0.0, 0.0, 0.0),
            1.0,
            _quad([[0, 0, 0], [0, 0, side], [side, 0, side], [side, 0, 0]], blue),
            _quad(
                [[low, high, middle], [low, 0, middle], [end, 0, middle], [end, high, middle]], red
            ),
        )


def shown_3d(bench):
    write_tower(bench.case)
    page = bench.enter()
    page.keyboard.press("e")  # no grades over it
    page.keyboard.press("t")
    until(page, f"!!{MAP}.getLayer('mesh')")
    drawn(page)
    return page


def drawn(page):
    """Wait until the map has everything, moves no more and has drawn what it has."""
    page.evaluate(
        f"""new Promise((done) => {{ const map = {MAP};
        map.once("idle", () => requestAnimationFrame(() => requestAnimationFrame(done)));
        map.triggerRepaint(); }})"""
    )


def pixels(page):
    box = page.locator(".map").bounding_box()
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    left, top = int(box["x"]), int(box["y"])
    return np.array(picture)[top : top + int(box["height"]), left : left + int(box["width"])]


def share(picture, colour):
    return (np.abs(picture.astype(int) - colour).max(axis=-1) < 40).mean()


def test_the_mesh_stands_on_the_map_and_goes_with_the_same_key(bench):
    page = shown_3d(bench)
    assert page.evaluate(f"{MAP}.getPitch()") == 60
    solid = pixels(page)
    assert share(solid, BLUE) > 0.05
    assert share(solid, RED) > 0.005
    assert page.evaluate(f"{MAP}.getLayoutProperty('orthophoto', 'visibility')") == "none"
    page.keyboard.press("t")
    until(page, f"!{MAP}.getLayer('mesh')")
    assert page.evaluate(f"{MAP}.getPitch()") == 0
    assert page.evaluate(f"{MAP}.getLayoutProperty('orthophoto', 'visibility')") == "visible"
    drawn(page)
    assert share(pixels(page), RED) == 0
    assert [text for text in bench.said if text.startswith("error")] == []
    origin = page.evaluate("location.origin")
    assert all(url.startswith((origin, "blob:", "data:")) for url in bench.asked)


def test_three_dimensions_are_loaded_when_they_are_asked_for(bench):
    write_tower(bench.case)
    page = bench.enter()
    assert not any(url.endswith("/page/mesh.js") or "/media/mesh" in url for url in bench.asked)
    page.keyboard.press("t")
    until(page, f"!!{MAP}.getLayer('mesh')")
    assert any(url.endswith("/page/mesh.js") for url in bench.asked)


def test_a_place_on_a_wall_is_that_of_the_wall(bench):
    page = shown_3d(bench)
    picture = pixels(page)
    y, x = np.nonzero(np.abs(picture.astype(int) - RED).max(axis=-1) < 40)
    at = {"x": int(np.median(x)), "y": int(np.percentile(y, 10))}
    lon, lat = page.evaluate(
        "([x, y]) => document.querySelector('.map').bench.solid.placeAt("
        "{ point: { x, y }, lngLat: { lng: 0, lat: 0 } })",
        [at["x"], at["y"]],
    )
    ((east, north),) = transformed_xy("EPSG:4326", "EPSG:32637", [(lon, lat)])
    assert north - NORTH_M == pytest.approx(-SIDE_M / 2, abs=0.3)
    assert abs(east - EAST_M - SIDE_M / 2) < TOWER_M / 2


def test_grades_lie_on_the_mesh_and_a_click_on_one_opens_its_building(bench):
    page = shown_3d(bench)
    bench.see_grades()
    drawn(page)
    plain = pixels(page)
    page.keyboard.press("e")
    drawn(page)
    graded = pixels(page)
    is_ground = np.abs(plain.astype(int) - BLUE).max(axis=-1) < 40
    is_other = np.abs(plain.astype(int) - graded).max(axis=-1) > 25
    assert 0.02 < (is_ground & is_other).sum() / is_ground.sum() < 0.2
    assert not is_other[~is_ground & (plain.max(axis=-1) < 60)].any()  # nothing beside the mesh
    x, y = page.evaluate(
        """() => { const { bench } = document.querySelector(".map");
        const box = document.querySelector(".map").getBoundingClientRect();
        for (let y = 100; y < box.height - 100; y += 8)
        for (let x = 60; x < box.width - 60; x += 8) {
          const at = bench.solid.placeAt({ point: { x, y }, lngLat: { lng: 0, lat: 0 } });
          if (!at[0]) continue;
          const flat = bench.map.project(at);
          const found = bench.map.queryRenderedFeatures(flat, { layers: ["buildings"] });
          if (found.length) return [x + box.left, y + box.top];
        } return [0, 0]; }"""
    )
    page.mouse.click(x, y)
    page.wait_for_selector(".review-head h2")


def test_who_works_blind_sees_no_grade_of_the_machine_on_the_mesh(bench):
    page = shown_3d(bench)
    page.keyboard.press("e")
    grades = "document.querySelector('.map').bench.solid.grades()"
    until(page, f"{grades}.length > 0 && {grades}.every((one) => one === 'na')")
    bench.see_grades()
    until(page, f"{grades}.some((one) => one !== 'na')")
    page.click("#blind")
    until(page, f"{grades}.length > 0 && {grades}.every((one) => one === 'na')")


def test_comparing_goes_back_to_flat_pictures(bench):
    page = shown_3d(bench)
    page.keyboard.press("c")
    until(page, f"!{MAP}.getLayer('mesh')")


def test_measuring_goes_back_to_the_map_from_above(bench):
    page = shown_3d(bench)
    page.keyboard.press("r")
    until(page, f"!{MAP}.getLayer('mesh')")
    assert page.evaluate(f"{MAP}.getPitch()") == 0


def test_a_case_without_a_mesh_says_so(bench):
    page = bench.enter()
    page.keyboard.press("t")
    until(page, "document.getElementById('told').textContent.includes('no 3D mesh')")
    assert page.evaluate(f"{MAP}.getPitch()") == 0
