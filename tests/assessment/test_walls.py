"""How much of a building's walls stands."""

import pytest
from made_up_roofs import Scene, outline, values


def walls(scene, folder):
    return values(scene, [outline(20, 20, 32, 32)], folder)[2][0]["walls_fraction"]


def test_walls_without_a_roof_stand_and_a_heap_has_none(tmp_path):
    heap = Scene()
    heap.height[heap.cut(20, 20, 32, 32)] += 1.5
    assert walls(heap, tmp_path) == 0
    heap.height[heap.cut(20, 20, 32, 20.5)] += 2.0
    heap.height[heap.cut(20, 20, 20.5, 32)] += 2.0
    assert walls(heap, tmp_path) == pytest.approx(0.5, abs=0.08)


def test_a_whole_building_stands_all_round(tmp_path):
    scene = Scene()
    scene.height[scene.cut(20, 20, 32, 32)] += 6.0
    assert walls(scene, tmp_path) == 1
